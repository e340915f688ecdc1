"""Generates the commands of a kind: list, get, create, patch, delete, wait and watch."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import typer

from rsspot.cli.prompts import confirm
from rsspot.cli.session import CliSession, session
from rsspot.constants import NAME_ANNOTATION
from rsspot.errors import UsageError
from rsspot.models.fields import COLUMN
from rsspot.models.resource import Resource, plain_types
from rsspot.resources.kind import Field, Kind, fields_of
from rsspot.resources.secrecy import without_secrets
from rsspot.resources.waiting import WAIT_SECONDS
from rsspot.resources.watch import WatchEvent, follow
from rsspot.utils.output import as_json_line, cell
from rsspot.utils.serialization import Document, at_path

NAME = typer.Argument(help="The wire name, or the name given in the manifest.")
YES = typer.Option(False, "--yes", "-y", help="Skip the confirmation prompt.")


def verbs_of(kind: Kind[Any]) -> dict[str, Callable[..., None]]:
    """The commands of a kind by name; only those that the API supports for it."""
    commands = {"list": _list(kind), "get": _get(kind)}
    if kind.local:
        return commands
    if kind.manageable:
        commands |= {"create": _create(kind), "delete": _delete(kind), "wait": _wait(kind)}
    if "patch" in kind.verbs:
        commands["patch"] = _patch(kind)
    return {**commands, "watch": _watch(kind)}


def _list(kind: Kind[Any]) -> Callable[..., None]:
    def list_(
        selector: str = typer.Option("", "--selector", "-l", help="Only objects whose labels match."),
        within: str = typer.Option("", "--within", help="Only objects in this cloudspace."),
    ) -> None:
        here = session()

        async def work() -> list[Document]:
            documents = here.client.documents(kind)
            # Without a selector, a recently cached response is good enough.
            items = await (documents.list(labels=selector) if selector or kind.local else documents.kept_list())
            return [item for item in items if within in ("", kind.parent_name(item.get("spec") or {}))]

        items = here.run(work())
        as_table = here.options.output == "table"
        shown = (without_secrets(kind, item) for item in items)
        here.emit([_row(kind, item) if as_table else item for item in shown])

    list_.__doc__ = f"List {kind.plural}."
    return list_


def _get(kind: Kind[Any]) -> Callable[..., None]:
    def get(
        name: str = NAME, show_secrets: bool = typer.Option(False, "--show-secrets", help="Do not mask secrets.")
    ) -> None:
        here = session()

        async def work() -> Document:
            documents = here.client.documents(kind)
            return await documents.get(await documents.wire_name(name))

        document = here.run(work())
        shown = document if show_secrets else without_secrets(kind, document)
        here.emit(_row(kind, document) if here.options.output == "table" else shown)

    get.__doc__ = f"Show one {kind.name}."
    return get


def _create(kind: Kind[Any]) -> Callable[..., None]:
    def create(
        name: str = typer.Argument(help="The name. If the API names this kind by UUID, the UUID is derived from it."),
        spec: str = typer.Argument(help="The spec, as JSON."),
        label: list[str] = typer.Option([], "--label", metavar="NAME=VALUE", help="Set a label; may be repeated."),
    ) -> None:
        here = session()
        fields, labels = _json_object(spec), dict(_pair(text) for text in label)

        async def work() -> Document:
            return _plain(await here.client.collection(kind).create(name, fields, labels=labels))

        _emit_one(here, kind, here.run(work()))

    create.__doc__ = f"Create one {kind.name}. Does not wait until it is ready."
    return create


def _wait(kind: Kind[Any]) -> Callable[..., None]:
    def wait(
        name: str = NAME,
        timeout: float = typer.Option(WAIT_SECONDS, "--timeout", min=0, help="Maximum seconds to wait."),
        gone: bool = typer.Option(False, "--gone", help="Wait until the object no longer exists."),
    ) -> None:
        here = session()

        async def work() -> Document:
            collection = here.client.collection(kind)
            if gone:
                await collection.wait_gone(name, timeout=timeout)
                return {}
            return _plain(await collection.wait(name, timeout=timeout))

        document = here.run(work())
        if document:
            _emit_one(here, kind, document)
        else:
            here.emit({"gone": name})

    wait.__doc__ = f"Wait until one {kind.name} is ready, or gone. Exits with 9 on timeout."
    return wait


def _watch(kind: Kind[Any]) -> Callable[..., None]:
    def watch(
        selector: str = typer.Option("", "--selector", "-l", help="Only objects whose labels match."),
        events: int = typer.Option(0, "--events", min=0, help="Exit after this many events; 0 runs until Ctrl-C."),
    ) -> None:
        here = session()

        async def work() -> None:
            printed = 0
            async with aclosing(follow(here.client.documents(kind), selector or None)) as changes:
                async for change in changes:
                    print(_line(here, kind, change), flush=True)
                    printed += 1
                    if printed == events:
                        break

        here.run(work())

    watch.__doc__ = f"Show the current {kind.plural}, then every change, one per line."
    return watch


def _line(here: CliSession, kind: Kind[Any], change: WatchEvent[Document]) -> str:
    if here.options.output == "table":
        return f"{change.type:<9} {'  '.join(map(cell, _row(kind, change.object).values()))}"
    return as_json_line({"type": change.type, "object": without_secrets(kind, change.object)})


def _plain(resource: Resource) -> Document:
    """The document that a model was created from."""
    return resource.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _emit_one(here: CliSession, kind: Kind[Any], document: Document) -> None:
    here.emit(_row(kind, document) if here.options.output == "table" else without_secrets(kind, document))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--label must be NAME=VALUE, not {text!r}")
    return name, value


def _patch(kind: Kind[Any]) -> Callable[..., None]:
    def patch(
        name: str = NAME, spec: str = typer.Argument(help="Fields to change, as JSON: '{\"desired\": 3}'.")
    ) -> None:
        here = session()
        fields = _json_object(spec)

        async def work() -> Document:
            return _plain(await here.client.collection(kind).patch(name, fields))

        _emit_one(here, kind, here.run(work()))

    patch.__doc__ = f"Change spec fields of one {kind.name}; null removes a field."
    return patch


def _delete(kind: Kind[Any]) -> Callable[..., None]:
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


def _json_object(text: str) -> Document:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f"invalid JSON: {error}") from None
    if not isinstance(value, dict):
        raise UsageError("expected a JSON object")
    return value


def _row(kind: Kind[Any], document: Document) -> dict[str, Any]:
    """The table row of an object: its wire name, the name given in the manifest, and the column fields."""
    row = {"name": at_path(document, ("metadata", "name"))}
    manifest_name = at_path(document, ("metadata", "annotations", NAME_ANNOTATION))
    row |= {"given": manifest_name} if manifest_name else {}
    for part_name in ("spec", "status"):
        for field in _columns(kind, part_name):
            row[field.path[-1]] = field.canonical(at_path(document, (part_name, *field.path)))
    return row


@functools.cache
def _columns(kind: Kind[Any], part_name: str) -> tuple[Field, ...]:
    from pydantic import BaseModel

    info = kind.model.model_fields.get(part_name)
    models = (
        [t for t in plain_types(info.annotation) if isinstance(t, type) and issubclass(t, BaseModel)] if info else []
    )
    return tuple(field for model in models for field in fields_of(model) if field.has(COLUMN))
