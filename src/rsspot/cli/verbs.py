"""The verbs of one kind as commands: list, get, create, patch, delete, wait and watch. Made from the kind alone."""

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
from rsspot.models.fields import COLUMN, SECRET
from rsspot.models.resource import Resource, plain_types
from rsspot.planner.masking import with_value
from rsspot.resources.kind import Field, Kind, fields_of
from rsspot.resources.watch import WatchEvent, follow
from rsspot.utils.serialization import Document, at_path
from rsspot.utils.text import printable

NAME = typer.Argument(help="Its name on the wire, or the one its author gave it.")


def verbs_of(kind: Kind[Any]) -> dict[str, Callable[..., None]]:
    """The commands of a kind by name: what its objects can do, and no more."""
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
        within: str = typer.Option("", "--within", help="Only what lives in the cloudspace of this name."),
    ) -> None:
        here = session()

        async def work() -> list[Document]:
            documents = here.client.documents(kind)
            # Without a selector, an answer that was kept a moment ago is good enough to look at.
            found = await (documents.list(labels=selector) if selector or kind.local else documents.kept_list())
            return [each for each in found if within in ("", kind.parent_name(each.get("spec") or {}))]

        found = here.run(work())
        as_table = here.options.output == "table"
        here.emit([_row(kind, each) if as_table else without_secrets(kind, each) for each in found])

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

    get.__doc__ = f"Show one of the {kind.plural}."
    return get


def _create(kind: Kind[Any]) -> Callable[..., None]:
    def create(
        name: str = typer.Argument(help="Its name; where names are UUIDs, one is made from it."),
        spec: str = typer.Argument(help="Its spec, as JSON."),
        label: list[str] = typer.Option([], "--label", metavar="NAME=VALUE", help="May be repeated."),
    ) -> None:
        here = session()
        fields, labels = _json_object(spec), dict(_pair(each) for each in label)

        async def work() -> Document:
            return _plain(await here.client.collection(kind).create(name, fields, labels=labels))

        _emit_one(here, kind, here.run(work()))

    create.__doc__ = f"Create one of the {kind.plural}. Returns before it is ready."
    return create


def _wait(kind: Kind[Any]) -> Callable[..., None]:
    def wait(
        name: str = NAME,
        timeout: float = typer.Option(1800.0, "--timeout", min=0, help="Seconds to wait."),
        gone: bool = typer.Option(False, "--gone", help="Wait until there is no such object any more."),
    ) -> None:
        here = session()

        async def work() -> Document:
            collection = here.client.collection(kind)
            if gone:
                await collection.wait_gone(name, timeout=timeout)
                return {}
            return _plain(await collection.wait(name, timeout=timeout))

        found = here.run(work())
        if found:
            _emit_one(here, kind, found)
        else:
            here.emit({"gone": name})

    wait.__doc__ = f"Wait until one of the {kind.plural} is ready, or gone. Ends with 9 when the time is up."
    return wait


def _watch(kind: Kind[Any]) -> Callable[..., None]:
    def watch(
        selector: str = typer.Option("", "--selector", "-l", help="Only objects whose labels match."),
        events: int = typer.Option(0, "--events", min=0, help="End after so many; 0 goes on until Ctrl-C."),
    ) -> None:
        here = session()

        async def work() -> None:
            told = 0
            async with aclosing(follow(here.client.documents(kind), selector or None)) as changes:
                async for change in changes:
                    print(_line(here, kind, change), flush=True)
                    told += 1
                    if told == events:
                        break

        here.run(work())

    watch.__doc__ = f"Show the {kind.plural} as they are, and then every change, a line each."
    return watch


def _line(here: CliSession, kind: Kind[Any], change: WatchEvent[Document]) -> str:
    if here.options.output == "table":
        cells = ("-" if each is None else printable(str(each)) for each in _row(kind, change.object).values())
        return f"{change.type:<9} {'  '.join(cells)}"
    return json.dumps({"type": change.type, "object": without_secrets(kind, change.object)}, ensure_ascii=False)


def _plain(resource: Resource) -> Document:
    """A model as the document it came from."""
    return resource.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _emit_one(here: CliSession, kind: Kind[Any], document: Document) -> None:
    here.emit(_row(kind, document) if here.options.output == "table" else without_secrets(kind, document))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--label takes NAME=VALUE, not {text!r}")
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

    patch.__doc__ = f"WatchEvent fields of one of the {kind.plural}; null removes one."
    return patch


def _delete(kind: Kind[Any]) -> Callable[..., None]:
    def delete(name: str = NAME, yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask.")) -> None:
        here = session()

        async def work() -> str:
            documents = here.client.documents(kind)
            wire = await documents.wire_name(name)
            if not yes:
                confirm(f"delete {name}")
            await documents.delete(wire)
            return wire

        here.emit({"deleted": here.run(work())})

    delete.__doc__ = f"Delete one of the {kind.plural}."
    return delete


def without_secrets(kind: Kind[Any], document: Document) -> Document:
    """An object with its secrets masked."""
    for path in kind.marked(SECRET):
        if at_path(document, ("spec", *path)) is not None:
            document = with_value(document, ("spec", *path), "(secret)")
    return document


def _json_object(text: str) -> Document:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise UsageError("the fields must be a JSON object")
    return value


def _row(kind: Kind[Any], document: Document) -> dict[str, Any]:
    """Name, the fields worth a column, and the name its author gave it."""
    row = {"name": at_path(document, ("metadata", "name"))}
    given = at_path(document, ("metadata", "annotations", NAME_ANNOTATION))
    row |= {"given": given} if given else {}
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
