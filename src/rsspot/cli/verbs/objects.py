"""How the commands of a kind name an object and print it."""

from __future__ import annotations

import functools
from typing import Any

import typer

from rsspot.cli.session import CliSession
from rsspot.cli_history import shown
from rsspot.constants import NAME_ANNOTATION
from rsspot.models.fields import COLUMN
from rsspot.models.resource import Resource, plain_types
from rsspot.resources.kind import Field, Kind, fields_of
from rsspot.resources.passing import for_people
from rsspot.resources.secrecy import without_secrets
from rsspot.utils.serialization import Document, at_path

NAME = shown(typer.Argument(help="The wire name, or the name given in the manifest."))


def plain(resource: Resource) -> Document:
    """The document that a model was created from."""
    return resource.model_dump(mode="json", by_alias=True, exclude_unset=True)


def emit_one(here: CliSession, kind: Kind[Any], document: Document) -> None:
    """Print one object: its row in a table, or the object without its secrets."""
    here.emit(row_of(kind, document) if here.options.output == "table" else without_secrets(kind, document))


def row_of(kind: Kind[Any], document: Document) -> dict[str, Any]:
    """The table row of an object: its wire name, the name given in the manifest, and the column fields."""
    document = for_people(document)
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
