"""Absence: the objects that a manifest stood for, and whose origin the live group does not list any more.

What lists the origins may flap: a machine can be missing from its VM cloudspace for a moment. So one read proves
nothing. An apply notes what its plan has seen and missed; a plan writes nothing. Only an object that an earlier apply
has missed too, long enough ago, may go; then it goes whether or not the group is ready, which may take a replacement of
what is missing. All this is so only while a manifest stands for the group: without one it is its author who no longer
wants the objects, and nothing has to be proven.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rsspot.models.absence import Absence
from rsspot.models.refs import Ref
from rsspot.planner.diff import SPEC
from rsspot.planner.draft import Draft, PlanContext
from rsspot.resources.kind import Kind
from rsspot.utils.serialization import Document

PROVEN = (Absence.LONG, Absence.GONE)
"""What earlier reads must have said, for one more that misses an origin to prove that it is gone."""


def absence_of(kind: Kind[Any], live: Document) -> Absence:
    """What earlier reads say about the origin of a live object."""
    return kind.absence(live) if kind.absence else Absence.NONE


@dataclass(frozen=True)
class ListedOrigins:
    """What the groups list that manifests stand for, as far as they are there and stay.

    wire_names: kind of the objects and address of their group -> the wire names of all that it lists
    """

    wire_names: Mapping[tuple[str, str], frozenset[str]]

    @classmethod
    def of(cls, draft: Draft, context: PlanContext) -> ListedOrigins:
        """What is listed by the groups of the manifests of a draft."""
        moving = {change.address for change in draft.changes}
        found = {}
        for source in draft.manifests:
            kind = source.kind
            if not (kind.expand and kind.expands_to and kind.parent and source.parent) or source.parent in moving:
                continue
            group = context.state.of(kind.parent.kind).get(kind.parent_name(source.spec) or "")
            if group is not None:
                inner = context.kinds[kind.expands_to]
                bodies = kind.expand(source.body, group)
                names = (inner.wire_name(context.organization, each["metadata"]["name"], each[SPEC]) for each in bodies)
                found[inner.name, source.parent] = frozenset(names)
        return cls(found)

    def has(self, kind: Kind[Any], live: Document) -> bool | None:
        """Whether the origin of an object is listed; None if nothing that could list it was read."""
        names = self.wire_names.get((kind.name, kind.parent_address(live.get(SPEC) or {}) or ""))
        return None if names is None else live["metadata"]["name"] in names

    def is_gone(self, kind: Kind[Any], live: Document) -> bool:
        """Whether this read misses the origin of an object, and an earlier one has too."""
        return self.has(kind, live) is False and absence_of(kind, live) in PROVEN

    def may_be_back(self, kind: Kind[Any], live: Document) -> bool:
        """Whether only this read misses the origin of an object, so that the object stays for now."""
        return self.has(kind, live) is False and absence_of(kind, live) not in PROVEN


def sightings(draft: Draft, context: PlanContext) -> tuple[tuple[Ref, ...], tuple[Ref, ...]]:
    """What an apply has to note: the objects whose origin is there again, and those whose origin is missing."""
    listing, found, missing = ListedOrigins.of(draft, context), [], []
    for kind, live in _with_origins(context):
        ref = Ref(kind.name, live["metadata"]["name"])
        if listing.has(kind, live) is False:
            missing.append(ref)
        elif listing.has(kind, live) and absence_of(kind, live) in (Absence.BRIEF, Absence.LONG):
            found.append(ref)
    return tuple(found), tuple(missing)


def _with_origins(context: PlanContext) -> Iterator[tuple[Kind[Any], Document]]:
    """The objects of the stack that something else is the origin of."""
    for kind in context.kinds.values():
        if kind.absence is not None and kind.name not in context.state.incomplete:
            for of_address in context.ours.get(kind.name, {}).values():
                yield from ((kind, live) for live in of_address)
