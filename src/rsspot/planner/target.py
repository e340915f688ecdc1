"""Target: a manifest with its wire name, found among the live objects. Says what belongs together, not what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.errors import Origin
from rsspot.models.fields import IMMUTABLE
from rsspot.models.refs import Ref
from rsspot.planner.diff import SPEC, field_at, live_value, managed, same
from rsspot.services.kind import Kind, Naming
from rsspot.utils import Document, at_path


@dataclass(frozen=True)
class Wanted:
    """One object that should exist. body holds what its author wrote."""

    kind: Kind[Any]
    name: str
    body: Document
    origin: Origin | None = None
    origins: Mapping[tuple[str, ...], Origin] | None = None

    @property
    def spec(self) -> Document:
        spec: Document = self.body[SPEC]
        return spec

    @property
    def address(self) -> str:
        return self.kind.address(self.name, self.spec)

    @property
    def parent(self) -> str | None:
        """Address of the object it lives in."""
        return self.kind.parent_address(self.spec)

    def where(self, *path: str) -> Origin | None:
        """Where a field of it was written."""
        parts = tuple(path)
        while parts and self.origins and parts not in self.origins:
            parts = parts[:-1]
        return (self.origins or {}).get(parts, self.origin)


class Owners:
    """Whose an object is, by its label and by the ledger."""

    def __init__(self, stack: str, owned: Mapping[Ref, Any], claimed: Iterable[Ref]) -> None:
        self.stack = stack
        self._owned = owned
        self._claimed = frozenset(claimed)

    def is_ours(self, kind: Kind[Any], live: Document) -> bool:
        """Ours by label; or, where the service dropped the label, by the ledger's word for this very object."""
        label = self.label(live)
        if label is not None:
            return label == self.stack
        ref = Ref(kind.name, live["metadata"]["name"])
        # A UUID that we made up is nobody else's; a plain name may have been taken by somebody in between.
        if ref in self._claimed and kind.naming is Naming.UUID:
            return True
        known = self._owned.get(ref)
        return known is not None and known.uid in (None, live["metadata"].get("uid"))

    def label(self, live: Document) -> str | None:
        """The stack an object's label names."""
        label = at_path(live, ("metadata", "labels", STACK_LABEL))
        return str(label) if label is not None else None

    def address(self, kind: Kind[Any], live: Document) -> str:
        """How people call a live object."""
        name = live["metadata"]["name"]
        given = at_path(live, ("metadata", "annotations", NAME_ANNOTATION))
        known = self._owned.get(Ref(kind.name, name))
        if given is None and known is not None:
            return str(known.address)
        return kind.address(str(given or name), live.get(SPEC) or {})


@dataclass(frozen=True)
class Match:
    """A wanted object and what lives of it. leftovers: predecessors that an earlier replacement left behind."""

    wanted: Wanted
    live: Document | None
    leftovers: tuple[Document, ...] = ()


def match(
    wanted: Wanted,
    candidates: Mapping[str, Document],
    by_address: Mapping[str, list[Document]],
    organization: str,
    owners: Owners,
) -> Match:
    """Find a wanted object among the live ones: by its deterministic names, and by the name its author gave it.

    One of ours goes before one of somebody else's, and only ours can be what a replacement left behind.
    """
    names = dict.fromkeys(
        wanted.kind.wire_name(organization, wanted.name, wanted.spec, successor=successor)
        for successor in (False, True)
    )
    found = {name: candidates[name] for name in names if name in candidates}
    found |= {each["metadata"]["name"]: each for each in by_address.get(wanted.address, ())}
    if not found:
        return Match(wanted, None)

    def rank(live: Document) -> tuple[bool, int, str]:
        return (not owners.is_ours(wanted.kind, live), _differences(wanted, live), live["metadata"]["name"])

    first, *others = sorted(found.values(), key=rank)
    return Match(wanted, first, tuple(each for each in others if owners.is_ours(wanted.kind, each)))


def _differences(wanted: Wanted, live: Document) -> int:
    """How many final choices of a live object are not the wanted ones."""
    return sum(1 for _ in _final_differences(wanted, live))


def _final_differences(wanted: Wanted, live: Document) -> Iterator[tuple[str, ...]]:
    for path, after in managed(wanted.kind, wanted.body).items():
        field = field_at(wanted.kind, path)
        if field and field.has(IMMUTABLE) and not same(live_value(wanted.kind, live, path), after):
            yield path
