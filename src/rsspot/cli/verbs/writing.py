"""The commands of a kind that change an object: create, patch and delete."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import typer

from rsspot.cli.prompts import confirm
from rsspot.cli.session import session
from rsspot.cli.verbs.objects import NAME, emit_one, plain
from rsspot.errors import UsageError
from rsspot.resources.kind import Kind
from rsspot.utils.serialization import Document

YES = typer.Option(False, "--yes", "-y", help="Skip the confirmation prompt.")


def create_command(kind: Kind[Any]) -> Callable[..., None]:
    """The `create` command of a kind."""

    def create(
        name: str = typer.Argument(help="The name. If the API names this kind by UUID, the UUID is derived from it."),
        spec: str = typer.Argument(help="The spec, as JSON."),
        label: list[str] = typer.Option([], "--label", metavar="NAME=VALUE", help="Set a label; may be repeated."),
    ) -> None:
        here = session()
        fields, labels = _json_object(spec), dict(_pair(text) for text in label)

        async def work() -> Document:
            return plain(await here.client.collection(kind).create(name, fields, labels=labels))

        emit_one(here, kind, here.run(work()))

    create.__doc__ = f"Create one {kind.name}. Does not wait until it is ready."
    return create


def patch_command(kind: Kind[Any]) -> Callable[..., None]:
    """The `patch` command of a kind."""

    def patch(
        name: str = NAME, spec: str = typer.Argument(help="Fields to change, as JSON: '{\"desired\": 3}'.")
    ) -> None:
        here = session()
        fields = _json_object(spec)

        async def work() -> Document:
            return plain(await here.client.collection(kind).patch(name, fields))

        emit_one(here, kind, here.run(work()))

    patch.__doc__ = f"Change spec fields of one {kind.name}; null removes a field."
    return patch


def delete_command(kind: Kind[Any]) -> Callable[..., None]:
    """The `delete` command of a kind."""

    def delete(name: str = NAME, yes: bool = YES) -> None:
        here = session()

        async def work() -> str:
            documents = here.client.documents(kind)
            wire = await documents.wire_name(name)
            if not yes:
                confirm(f"delete {name}")
            await documents.delete(wire)
            return wire

        here.emit({"deleted": here.run(work())})

    delete.__doc__ = f"Delete one {kind.name}."
    return delete


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--label must be NAME=VALUE, not {text!r}")
    return name, value


def _json_object(text: str) -> Document:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f"invalid JSON: {error}") from None
    if not isinstance(value, dict):
        raise UsageError("expected a JSON object")
    return value
