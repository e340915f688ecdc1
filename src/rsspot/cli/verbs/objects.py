"""How the commands of a kind name objects and show them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.released import released_list, released_object
from rsspot.cli.session import CliSession
from rsspot.cli.spec_options import spec_options
from rsspot.cli_history import shown
from rsspot.models.fields import TRIMMED, Column
from rsspot.models.money import price_text
from rsspot.models.resource import Resource, models_in
from rsspot.resources.documents import ListedDocuments
from rsspot.resources.field import Field, Path, fields_of
from rsspot.resources.kind import Kind, Naming
from rsspot.resources.names import distinct_names, full_name
from rsspot.resources.passing import for_people
from rsspot.resources.secrecy import without_secrets
from rsspot.utils.output import Plain
from rsspot.utils.serialization import Document, at_path

if TYPE_CHECKING:
    from pydantic import BaseModel

NAME = shown(typer.Argument(help="Its name: workers, edge/workers, spotnodepool/edge/workers, or the wire name."))
ORDER = ("apiVersion", "kind", "metadata", "spec", "status")
NOTHING = frozenset({type(None)})
SCALARS = NOTHING | {str, int, float, bool}
AGE, CREATED = "AGE", "creationTimestamp"


def within_option(kind: Kind[Any]) -> Any:
    """The option `--within` of a verb, or as the field is called that names the parent: `--cloudspace`.

    Kinds without a parent refuse it, and do not show it.
    """
    parent = kind.parent.kind if kind.parent else ""
    names = [f"--{each.option}" for each in spec_options(kind) if kind.parent and each.path == kind.parent.path]
    return shown(
        typer.Option("", "--within", *names, metavar=parent.upper(), help=f"Within this {parent}.", hidden=not parent)
    )


class ShownObjects:
    """Objects of a kind, sorted by the names that people gave them. secrets: whether they are shown."""

    def __init__(
        self, kind: Kind[Any], documents: Iterable[Document], *, managed_fields: bool = False, secrets: bool = False
    ) -> None:
        self.kind = kind
        self._objects = sorted(documents, key=lambda document: full_name(kind, document))
        self._managed_fields, self._secrets = managed_fields, secrets

    @property
    def empty(self) -> bool:
        return not self._objects

    @property
    def parsed(self) -> bool:
        return not self.kind.local

    def document(self) -> Any:
        return [self._tidy(document) for document in self._objects]

    def rows(self, *, wide: bool) -> Any:
        return [row_of(self.kind, self._masked(document), wide=wide) for document in self._objects]

    def names(self) -> list[str]:
        prefix = self.kind.name.lower()
        return [f"{prefix}/{name}" for name in distinct_names(self.kind, self._objects)]

    @property
    def titles(self) -> Mapping[str, str]:
        return {CREATED: AGE} | {key: column.title for _, key, _, column in columns_of(self.kind) if column.title}

    @property
    def whole(self) -> Sequence[str]:
        return ["name", *(key for _, key, _, column in columns_of(self.kind) if column.whole)]

    def _masked(self, document: Document) -> Document:
        return document if self._secrets else without_secrets(self.kind, document)

    def _tidy(self, document: Document) -> Document:
        """An object as people read it: who and what it is comes first, and no record of who wrote which field."""
        masked = self._masked(document)
        tidy = {**{key: masked[key] for key in ORDER if key in masked}, **masked}
        if not self._managed_fields and "managedFields" in (tidy.get("metadata") or {}):
            tidy["metadata"] = {key: value for key, value in tidy["metadata"].items() if key != "managedFields"}
        return tidy


class ShownObject(ShownObjects):
    """One object, with every column."""

    def document(self) -> Any:
        return self._tidy(self._objects[0])

    def rows(self, *, wide: bool) -> Any:
        return row_of(self.kind, self._masked(self._objects[0]), wide=True)


def plain(resource: Resource) -> Document:
    """The document that a model was created from."""
    return resource.model_dump(mode="json", by_alias=True, exclude_unset=True)


def emit_list(here: CliSession, kind: Kind[Any], documents: ListedDocuments) -> None:
    """Print objects in the output format in use."""
    objects = ShownObjects(kind, documents, managed_fields=here.options.show_managed_fields)
    if here.as_released:
        here.show(Plain(released_list(kind, objects.document(), documents.metadata)), plural=kind.plural)
    else:
        here.show(objects, plural=kind.plural)


def emit_one(here: CliSession, kind: Kind[Any], document: Document, *, secrets: bool = False) -> None:
    """Print one object in the output format in use."""
    one = ShownObject(kind, [document], managed_fields=here.options.show_managed_fields, secrets=secrets)
    here.show(Plain(released_object(kind, one.document())) if here.as_released else one)


def row_of(kind: Kind[Any], document: Document, *, wide: bool) -> dict[str, Any]:
    """The table row of an object: the name that people gave it, its columns, and when it was created."""
    document = for_people(document)
    row: dict[str, Any] = {"name": full_name(kind, document)}
    if wide and kind.naming is Naming.UUID:
        row["wireName"] = at_path(document, ("metadata", "name"))
    for key, path, field, in_normal_form in _readers(kind, wide=wide):
        value = at_path(document, path)
        row[key] = value if type(value) in in_normal_form else _canonical(field, value)
    # What the service itself made, such as a region, is as old as the service.
    dated = wide or (kind.manageable and not kind.local)
    return row | ({CREATED: at_path(document, ("metadata", CREATED))} if dated else {})


@functools.cache
def _readers(kind: Kind[Any], *, wide: bool) -> tuple[tuple[str, Path, Field, frozenset[type]], ...]:
    """Key of a column, path of its value, its field, and the types of values that are in their normal form anyway."""
    return tuple(
        (key, (part, *field.path), field, NOTHING if field.is_price or field.has(TRIMMED) else SCALARS)
        for part, key, field, column in columns_of(kind)
        if wide or not column.wide
    )


def _canonical(field: Field, value: Any) -> Any:
    """A value in its normal form, as a row has it."""
    canonical = field.canonical(value)
    return price_text(canonical) if isinstance(canonical, Decimal) else canonical


@functools.cache
def columns_of(kind: Kind[Any]) -> tuple[tuple[str, str, Field, Column], ...]:
    """The columns of a kind: the part of the object that the field is in, the key of the column, and the field."""
    parts = [(name, model) for name in ("spec", "status") for model in _models(kind, name)]
    fields = [(part, field) for part, model in parts for field in fields_of(model)]
    columns = ((part, field, fact) for part, field in fields for fact in field.facts if isinstance(fact, Column))
    return tuple((part, ".".join(field.path), field, column) for part, field, column in columns)


def _models(kind: Kind[Any], part: str) -> list[type[BaseModel]]:
    info = kind.model.model_fields.get(part)
    return models_in(info.annotation) if info else []
