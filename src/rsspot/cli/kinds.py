"""list and get for every kind, made from the kind, and the special commands of its service beside them."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable
from typing import Any, get_type_hints

import typer

from rsspot.cli.app import SETTINGS
from rsspot.cli.ask import confirm
from rsspot.cli.session import session
from rsspot.commands import Command
from rsspot.constants import NAME_ANNOTATION
from rsspot.errors import NotFound, UsageError
from rsspot.models.fields import COLUMN, SECRET
from rsspot.planner.plan import with_value
from rsspot.services.documents import Documents
from rsspot.services.kind import Field, Kind, Naming, fields_of, is_uuid, plain_types
from rsspot.services.registry import kinds, part
from rsspot.utils import Document, at_path

NAME = typer.Argument(help="Its name on the wire, or the one its author gave it.")


def group_app(name: str, folder: str, help: str) -> typer.Typer:
    """The commands of one group."""
    app = typer.Typer(**SETTINGS)
    # With a callback, a group of one command stays a group.
    app.callback(help=help)(lambda: None)
    kind = next((each for each in kinds().values() if each.plural == name), None)
    if kind is not None:
        app.command("list")(_list(kind))
        app.command("get")(_get(kind))
    if kind is not None and kind.manageable and not kind.local:
        app.command("patch")(_patch(kind))
        app.command("delete")(_delete(kind))
    special = part(folder, "cli")
    for command_name, command in special.commands.all.items() if special and kind is None else ():
        app.command(command_name)(as_function(command))
    return app


def as_function(command: Command) -> Callable[..., None]:
    """A service's command as a function that Typer understands: without the session, and printing its value."""
    hints = get_type_hints(command)
    parameters = [each for each in inspect.signature(command).parameters.values() if each.name != "session"]

    @functools.wraps(command)
    def function(**given: Any) -> None:
        here = session()

        async def work() -> object:
            return await command(here, **given)

        here.emit(here.run(work()))

    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [each.replace(annotation=hints[each.name]) for each in parameters]
    )
    function.__annotations__ = {each.name: hints[each.name] for each in parameters}
    del function.__wrapped__
    return function


def _list(kind: Kind[Any]) -> Callable[..., None]:
    def list_(
        selector: str = typer.Option("", "--selector", "-l", help="Only objects whose labels match."),
    ) -> None:
        here = session()

        async def work() -> list[Document]:
            return await here.client.documents(kind).list(labels=selector or None)

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
            return await documents.get(await _wire_name(documents, name))

        document = here.run(work())
        shown = document if show_secrets else without_secrets(kind, document)
        here.emit(_row(kind, document) if here.options.output == "table" else shown)

    get.__doc__ = f"Show one of the {kind.plural}."
    return get


def _patch(kind: Kind[Any]) -> Callable[..., None]:
    def patch(
        name: str = NAME, spec: str = typer.Argument(help="Fields to change, as JSON: '{\"desired\": 3}'.")
    ) -> None:
        here = session()
        fields = _json_object(spec)

        async def work() -> Document:
            documents = here.client.documents(kind)
            return await documents.patch(await _wire_name(documents, name), {"spec": fields})

        document = here.run(work())
        here.emit(_row(kind, document) if here.options.output == "table" else without_secrets(kind, document))

    patch.__doc__ = f"Change fields of one of the {kind.plural}; null removes one."
    return patch


def _delete(kind: Kind[Any]) -> Callable[..., None]:
    def delete(name: str = NAME, yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask.")) -> None:
        here = session()

        async def work() -> str:
            documents = here.client.documents(kind)
            wire = await _wire_name(documents, name)
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


async def _wire_name(documents: Documents, name: str) -> str:
    """An object's name on the wire, from that or from the name its author gave it. Raises NotFound, UsageError."""
    if documents.kind.naming is Naming.LABEL or is_uuid(name):
        return name
    found = [
        document["metadata"]["name"]
        for document in await documents.list()
        if at_path(document, ("metadata", "annotations", NAME_ANNOTATION)) == name
    ]
    if not found:
        raise NotFound(
            f"none of the {documents.kind.plural} was given the name {name!r}", status=404, reason="NotFound"
        )
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} of the {documents.kind.plural} are called {name!r}", hint=f"say which: {', '.join(found)}"
        )
    return str(found[0])


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
    row = {"name": document["metadata"]["name"]}
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
