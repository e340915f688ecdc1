"""Kind: describes a kind of object to the rest of the package, as data. Sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from rsspot.constants import API_VERSION
from rsspot.models.absence import Absence
from rsspot.models.costs import Costing
from rsspot.models.fields import IMMUTABLE, SECRET, BidOn, Fact, FilledIn, RefersTo, ServersOf, Version
from rsspot.models.refs import is_uuid, wire_uuid
from rsspot.models.resource import Page, Resource, plain_types
from rsspot.resources.field import Field, Path, fields_of
from rsspot.resources.lenient import without
from rsspot.utils.serialization import Document, at_path, canonical

T = TypeVar("T", bound=Resource)
F = TypeVar("F")


class Naming(Enum):
    """How the wire name of an object is chosen."""

    LABEL = "a DNS label, as written"
    UUID = "a UUID made from the author's name"


class Phase(StrEnum):
    """How close an object is to what its author declared."""

    READY = "ready"
    PROGRESSING = "progressing"
    PARTIAL = "partial"
    OUTBID = "outbid"
    NO_CAPACITY = "no-capacity"
    """There are no servers to be won or rented."""
    FAILED = "failed"
    STUCK = "stuck"
    """Nothing has changed for a long time. A result of waiting, as the next one is."""
    TIMEOUT = "timeout"
    """It was getting on, and the time to wait was up."""

    def is_as_far_as(self, wanted: Phase) -> bool:
        """Whether an object in this phase is one in the other phase too: a ready one is partly so."""
        on_the_way = (Phase.PROGRESSING, Phase.PARTIAL, Phase.READY)
        if self in on_the_way and wanted in on_the_way:
            return on_the_way.index(self) >= on_the_way.index(wanted)
        return self is wanted


@dataclass(frozen=True)
class Readiness:
    """A phase and a note on it, such as `won 2 of 3`."""

    phase: Phase
    note: str = ""


def always_ready(_: Any) -> Readiness:
    """For kinds whose objects are ready as soon as they exist."""
    return Readiness(Phase.READY)


class Parent(NamedTuple):
    """The kind of object that another one lives in. path: the field of the spec that names the parent."""

    path: Path
    kind: str


READ_ONLY = frozenset({"list", "get"})
ALL_VERBS = frozenset({"list", "get", "create", "patch", "delete"})


@dataclass(frozen=True, eq=False)
class Kind(Generic[T]):
    """A kind of object. Facts about single fields are in its model.

    expand: for a kind whose manifest stands for several objects that only a live parent determines; a Registration
    stands for every VM of a VM cloudspace. A pure function: (desired, live parent) -> desired objects.
    gather: the reverse: (live objects of `expands_to`) -> the manifests that stand for them.
    absence: for the kind of `expands_to`: (live object) -> what is known about the parent not listing it any more.
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
    gather: Callable[[list[Document]], list[Document]] | None = None
    absence: Callable[[Document], Absence] | None = None
    local: bool = False
    """Whether its objects are stored in the ledger, not in the API."""
    authored: bool = True
    """Whether users write manifests of this kind."""
    short_names: tuple[str, ...] = ()
    """Other names of the kind, for commands and addresses."""
    cost: Costing | None = None
    """What an object of this spec costs at given prices. None: it costs nothing itself."""
    words: Mapping[str, str] = field(default_factory=dict)
    """The verbs to show for actions on this kind, where they differ: {"create": "register"}."""

    @cached_property
    def name(self) -> str:
        return self.model.__name__

    @cached_property
    def singular(self) -> str:
        """The word for one object in addresses and commands: `spotnodepool`."""
        return self.name.lower()

    @cached_property
    def aliases(self) -> tuple[str, ...]:
        """Every name that stands for the kind: its singular, its plural, and the short ones."""
        return (self.singular, self.plural, *self.short_names)

    def read(self, document: Document) -> T:
        """The typed object. A field whose value does not fit its type counts as absent: the service accepted it.

        Raises ValidationError if what is left is not an object of this kind.
        """
        try:
            return self.model.model_validate(document)
        except ValidationError as error:
            readable = document
            for each in error.errors(include_url=False, include_input=False, include_context=False):
                readable = without(readable, each["loc"])
            try:
                return self.model.model_validate(readable)
            except ValidationError:
                raise error from None

    def readiness(self, item: T) -> Readiness:
        """The phase of an object. One that is being deleted has failed, since it can never become ready."""
        if item.metadata.deletion_timestamp:
            return Readiness(Phase.FAILED, "it is being deleted")
        return self.ready(item)

    @cached_property
    def manageable(self) -> bool:
        """Whether a plan may create and delete it."""
        return {"create", "delete"} <= self.verbs

    @cached_property
    def spec_model(self) -> type[BaseModel]:
        spec = self.model.model_fields["spec"].annotation
        return next(t for t in plain_types(spec) if isinstance(t, type) and issubclass(t, BaseModel))

    @cached_property
    def pages(self) -> Any:
        """The adapter that decodes a page of a list from JSON bytes to models."""
        return TypeAdapter(Page[self.model])  # type: ignore[name-defined]

    @cached_property
    def holds_secrets(self) -> bool:
        """Whether any field of the kind is a secret."""
        return bool(self.marked(SECRET))

    @cached_property
    def fields(self) -> dict[Path, Field]:
        """Every field of the spec by its path."""
        return {member.path: member for member in fields_of(self.spec_model)}

    def field_at(self, path: Path) -> Field | None:
        """The declared field that a path of an object is at or under; None for one outside the spec."""
        if path not in self._found:
            self._found[path] = self._field_at(path)
        return self._found[path]

    def _field_at(self, path: Path) -> Field | None:
        inside = path[1:] if path[:1] == ("spec",) else ()
        while inside and inside not in self.fields:
            inside = inside[:-1]
        return self.fields.get(inside)

    @cached_property
    def _found(self) -> dict[Path, Field | None]:
        """What `field_at` has found, by the path: a plan asks for a few of them a million times."""
        return {}

    @cached_property
    def yielding(self) -> tuple[tuple[Path, Path], ...]:
        """The fields that are left to the service while a switch is on, each with the path of its switch."""
        return tuple((path, field.yields_to) for path, field in self.fields.items() if field.yields_to)

    @cached_property
    def references(self) -> tuple[tuple[Path, RefersTo], ...]:
        """The fields that name other objects."""
        return self._facts(RefersTo)

    @cached_property
    def regions(self) -> tuple[Path, ...]:
        """The fields at the top of the spec that name a region, which the settings may choose."""
        return tuple(path for path, to in self.references if to.kind == "Region" and len(path) == 1)

    @cached_property
    def bids(self) -> tuple[tuple[Path, BidOn], ...]:
        """The fields that are bids."""
        return self._facts(BidOn)

    @cached_property
    def server_counts(self) -> tuple[tuple[Path, ServersOf], ...]:
        """The fields that say how many servers are wanted."""
        return self._facts(ServersOf)

    @cached_property
    def filled_in(self) -> tuple[tuple[Path, FilledIn], ...]:
        """The fields that get a value when their author wrote none."""
        return self._facts(FilledIn)

    @cached_property
    def versions(self) -> tuple[tuple[Path, Version], ...]:
        """The fields that are versions."""
        return self._facts(Version)

    @cached_property
    def parent(self) -> Parent | None:
        """The parent of objects of this kind; None if they have none."""
        return next((Parent(path, to.kind) for path, to in self.references if to.parent), None)

    def parent_name(self, spec: Document) -> str | None:
        """The name of the parent, from the spec."""
        return at_path(spec, self.parent.path) if self.parent else None

    def parent_address(self, spec: Document) -> str | None:
        """The address of the parent: `cloudspace/edge`."""
        name = self.parent_name(spec)
        return f"{self.parent.kind.lower()}/{name}" if self.parent and name else None

    def marked(self, fact: Fact) -> tuple[Path, ...]:
        """The paths of the fields that have this fact."""
        return self._marked.get(fact, ())

    @cached_property
    def _marked(self) -> dict[Fact, tuple[Path, ...]]:
        marked: dict[Fact, tuple[Path, ...]] = {}
        for path, member in self.fields.items():
            for fact in member.flags:
                marked[fact] = (*marked.get(fact, ()), path)
        return marked

    def _facts(self, sort: type[F]) -> tuple[tuple[Path, F], ...]:
        """The facts of one sort, each with the path of its field."""
        facts = ((path, fact) for path, member in self.fields.items() for fact in member.facts)
        return tuple((path, fact) for path, fact in facts if isinstance(fact, sort))

    def wire_name(self, organization: str, name: str, spec: Document, *, successor: bool = False) -> str:
        """The wire name of an object, derived from its parts: the same on every machine and at any time.

        successor: derive the name for a replacement that exists beside the object it replaces. It also depends on the
        immutable fields, so that a later run with the same manifest finds an object that an earlier run created.
        """
        if self.naming is Naming.LABEL or is_uuid(name):
            return name
        parts = [organization, self.parent_name(spec) or "", self.name, name]
        if successor:
            parts.append(canonical({".".join(path): at_path(spec, path) for path in self.marked(IMMUTABLE)}))
        return wire_uuid(*parts)

    def address(self, name: str, spec: Document) -> str:
        """The address of an object: `spotnodepool/edge/workers`."""
        return "/".join(filter(None, (self.singular, self.parent_name(spec), name)))


def is_controlled(document: Document) -> bool:
    """Whether the service created this object for another one and manages it; plans leave it alone."""
    owners = at_path(document, ("metadata", "ownerReferences"))
    return isinstance(owners, list) and any(at_path(owner, ("controller",)) is True for owner in owners)
