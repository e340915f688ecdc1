"""list and get for every kind, made from the kind, and the special commands of its service beside them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

import typer

from rsspot.cli.app import SETTINGS
from rsspot.cli.session import session
from rsspot.commands import Command
from rsspot.constants import NAME_ANNOTATION
from rsspot.models.fields import COLUMN
from rsspot.services.kind import Field, Kind, plain_types
from rsspot.services.registry import kinds, part
from rsspot.utils import Document, at_path


def group_app(name: str, folder: str, help: str) -> typer.Typer:
    """The commands of one group."""
    app = typer.Typer(help=help, **SETTINGS)
    kind = next((each for each in kinds().values() if each.plural == name), None)
    if kind is not None:
        app.command("list")(_list(kind))
        app.command("get")(_get(kind))
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
    del function.__wrapped__  # type: ignore[attr-defined]
    return function


def _list(kind: Kind[Any]) -> Callable[..., None]:
    def list_(
        selector: str = typer.Option("", "--selector", "-l", help="Only objects whose labels match."),
    ) -> None:
        here = session()

        async def work() -> list[Document]:
            return await here.client.documents(kind).list(labels=selector or None)

        found = here.run(work())
        here.emit([_row(kind, document) for document in found] if here.options.output == "table" else found)

    list_.__doc__ = f"List {kind.plural}."
    return list_


def _get(kind: Kind[Any]) -> Callable[..., None]:
    def get(name: str = typer.Argument(help="Its name on the wire.")) -> None:
        here = session()

        async def work() -> Document:
            return await here.client.documents(kind).get(name)

        document = here.run(work())
        here.emit(_row(kind, document) if here.options.output == "table" else document)

    get.__doc__ = f"Show one of the {kind.plural}, by name."
    return get


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

    from rsspot.services.kind import fields_of

    info = kind.model.model_fields.get(part_name)
    models = [t for t in plain_types(info.annotation) if isinstance(t, type) and issubclass(t, BaseModel)] if info else []
    return tuple(field for model in models for field in fields_of(model) if field.has(COLUMN))
