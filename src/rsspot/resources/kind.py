"""Kind: what the rest of the house may know about a kind of object, as data. Performs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, StrEnum
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, TypeAdapter

from rsspot.constants import API_VERSION
from rsspot.models.fields import (
    DEFAULTED,
    IMMUTABLE,
    SECRET,
    SERVER_OWNED,
    UNORDERED,
    WRITE_ONLY,
    BidOn,
    Fact,
    RefersTo,
    YieldsTo,
    marks,
)
from rsspot.models.money import parse_price
from rsspot.models.refs import wire_uuid
from rsspot.models.resource import Page, Resource, plain_types
from rsspot.utils.serialization import Document, at_path, canonical

T = TypeVar("T", bound=Resource)
Path = tuple[str, ...]


class Naming(Enum):
    """How objects of a kind are called on the wire."""

    LABEL = "a DNS label, as written"
    UUID = "a UUID made from the author's name"


class Phase(StrEnum):
    """How far an object is from what its author asked for."""

    READY = "ready"
    PROGRESSING = "progressing"
    PARTIAL = "partial"
    OUTBID = "outbid"
    FAILED = "failed"


@dataclass(frozen=True)
class Readiness:
    """A phase and the words for it, such as `won 2 of 3`."""

    phase: Phase
    note: str = ""


def always_ready(_: Any) -> Readiness:
    """For kinds that are what they are once they exist."""
    return Readiness(Phase.READY)


@dataclass(frozen=True)
class Field:
    """One field of a spec, by its path on the wire, and the facts that stand beside it."""

    path: Path
    facts: tuple[Any, ...]
    is_price: bool = False
    is_object: bool = False
    """Whether its value has declared fields of its own."""

    def has(self, fact: Fact) -> bool:
        return fact in self.facts

    @property
    def refers_to(self) -> RefersTo | None:
        return next((fact for fact in self.facts if isinstance(fact, RefersTo)), None)

    @property
    def keeps_its_value(self) -> bool:
        """Whether null cannot remove it: it is final, or the service would fill it in again."""
        return self.has(IMMUTABLE) or self.has(DEFAULTED)

    @property
    def yields_to(self) -> Path | None:
        return next((fact.path for fact in self.facts if isinstance(fact, YieldsTo)), None)

    def canonical(self, value: Any) -> Any:
        """One spelling for values that mean the same."""
        if value is None:
            return None
        if self.is_price:
            try:
                return parse_price(value)
            except ValueError:
                return value
        if self.is_object and isinstance(value, dict):
            return _without_zeros(value)
        if isinstance(value, list):
            items = [_without_zeros(item) for item in value]
            return sorted(items, key=canonical) if self.has(UNORDERED) else items
        return value


def _without_zeros(item: Any) -> Any:
    """An object without what Go leaves out: a taint whose value is "" or null has none."""
    return {key: value for key, value in item.items() if not is_zero(value)} if isinstance(item, dict) else item


def is_zero(value: Any) -> bool:
    """Whether a Go server leaves a field with this value out of its answers: it means the same as no field."""
    return value is None or value is False or value in ("", 0, [], {})


class Parent(NamedTuple):
    """What an object lives in. path: the field of its spec that names it · kind: the kind of the parent."""

    path: Path
    kind: str


INHERITED = (IMMUTABLE, SECRET, SERVER_OWNED, WRITE_ONLY)
"""What is true of a field is true of everything inside it."""
READ_ONLY = frozenset({"list", "get"})
ALL_VERBS = frozenset({"list", "get", "create", "patch", "delete"})


@dataclass(frozen=True, eq=False)
class Kind(Generic[T]):
    """A kind of object. Facts about single fields stand in its model, not here.

    expand: the objects one manifest stands for, when that is known only from another live object
    (a Registration stands for every VM of a VM cloudspace). It is data from data: (desired, live parent) -> desired.
    """

    model: type[T]
    plural: str
    summary: str
    naming: Naming = Naming.LABEL
    namespaced: bool = True
    verbs: frozenset[str] = ALL_VERBS
    ready: Callable[[T], Readiness] = always_ready
    api_version: str = API_VERSION
    expand: Callable[[Document, Document], list[Document]] | None = None
    expands_to: str | None = None
    local: bool = False
    """Lives in the ledger, not in the API."""
    authored: bool = True
    """Whether people write manifests of it."""
    words: Mapping[str, str] = field(default_factory=dict)
    """What people call an action on this kind, where that differs: {"create": "register"}."""

    @property
    def name(self) -> str:
        return self.model.__name__

    def readiness(self, found: T) -> Readiness:
        """How far an object is. One that is being deleted will never be ready, whatever its kind says."""
        if found.metadata.deletion_timestamp:
            return Readiness(Phase.FAILED, "it is being deleted")
        return self.ready(found)

    @property
    def manageable(self) -> bool:
        """Whether a plan may create and delete it."""
        return {"create", "delete"} <= self.verbs

    @property
    def spec_model(self) -> type[BaseModel]:
        spec = self.model.model_fields["spec"].annotation
        return next(t for t in plain_types(spec) if isinstance(t, type) and issubclass(t, BaseModel))

    @cached_property
    def pages(self) -> Any:
        """Decodes a page of a list: JSON bytes to models in one go."""
        return TypeAdapter(Page[self.model])  # type: ignore[name-defined]

    @cached_property
    def holds_secrets(self) -> bool:
        """Whether some field of the kind is a secret."""
        return bool(self.marked(SECRET))

    @cached_property
    def fields(self) -> dict[Path, Field]:
        """Every field of the spec by its path."""
        return {found.path: found for found in fields_of(self.spec_model)}

    @cached_property
    def references(self) -> tuple[tuple[Path, RefersTo], ...]:
        """The fields that name other objects."""
        return tuple((path, found.refers_to) for path, found in self.fields.items() if found.refers_to)

    @cached_property
    def bids(self) -> tuple[tuple[Path, BidOn], ...]:
        """The fields that are bids."""
        facts = ((path, fact) for path, found in self.fields.items() for fact in found.facts)
        return tuple((path, fact) for path, fact in facts if isinstance(fact, BidOn))

    @cached_property
    def parent(self) -> Parent | None:
        """What an object of this kind lives in; None for one that stands alone."""
        return next((Parent(path, to.kind) for path, to in self.references if to.parent), None)

    def parent_name(self, spec: Document) -> str | None:
        """The name of the object this one lives in."""
        return at_path(spec, self.parent.path) if self.parent else None

    def parent_address(self, spec: Document) -> str | None:
        """How people call the object this one lives in: `cloudspace/edge`."""
        name = self.parent_name(spec)
        return f"{self.parent.kind.lower()}/{name}" if self.parent and name else None

    def marked(self, fact: Fact) -> list[Path]:
        """The paths of the fields with a fact."""
        return [path for path, found in self.fields.items() if found.has(fact)]

    def wire_name(self, organization: str, name: str, spec: Document, *, successor: bool = False) -> str:
        """The name an object gets on the wire; the same on every machine and every day.

        successor: the name of an object that replaces one of the same author's name while both live;
        it also stands for the immutable fields, so that a third try finds the second.
        """
        if self.naming is Naming.LABEL or is_uuid(name):
            return name
        parts = [organization, self.parent_name(spec) or "", self.name, name]
        if successor:
            parts.append(canonical({".".join(path): at_path(spec, path) for path in self.marked(IMMUTABLE)}))
        return wire_uuid(*parts)

    def address(self, name: str, spec: Document) -> str:
        """How people call an object: `spotnodepool/edge/workers`."""
        return "/".join(part for part in (self.name.lower(), self.parent_name(spec), name) if part)


def is_controlled(document: Document) -> bool:
    """Whether the service made an object for another one: it comes and goes with that, and is nobody's to manage."""
    owners = at_path(document, ("metadata", "ownerReferences")) or []
    return any(at_path(owner, ("controller",)) is True for owner in owners)


def is_uuid(name: str) -> bool:
    """Whether a name is a lowercase UUID already."""
    from rsspot.models.refs import UUID

    return UUID.fullmatch(name) is not None


def fields_of(model: type[BaseModel], above: Path = (), inherited: tuple[Any, ...] = ()) -> Iterator[Field]:
    """Every field of a model and of the models inside it, by its path on the wire."""
    for name, info in model.model_fields.items():
        path = (*above, info.alias or name)
        facts = (*marks(info.annotation, info.metadata), *inherited)
        members = plain_types(info.annotation)
        models = [member for member in members if isinstance(member, type) and issubclass(member, BaseModel)]
        yield Field(path, facts, is_price=Decimal in members, is_object=bool(models))
        handed_down = tuple(fact for fact in facts if fact in INHERITED)
        for model_inside in models:
            yield from fields_of(model_inside, path, handed_down)
