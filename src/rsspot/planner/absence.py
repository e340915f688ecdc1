"""Absence: the objects that a manifest stood for, and whose origin the live group does not list any more.

What lists the origins may flap: a machine can be missing from its VM cloudspace for a moment. So one read proves
nothing. An apply notes what its plan has seen and missed; a plan writes nothing. Only an object that an earlier apply
has missed too, long enough ago, may go. That is so only while a manifest stands for the group: without one it is its
author who no longer wants the objects, and nothing has to be proven.
"""

from __future__ import annotations

from collections.abc import Iterator
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


def is_expanded(kind: Kind[Any], live: Document, draft: Draft) -> bool:
    """Whether a manifest stands for the group that a live object belongs to, and the group was read."""
    parent = kind.parent_address(live.get(SPEC) or {})
    undecided = {change.parent for change in draft.changes if change.deferred}
    return parent not in undecided and any(
        source.kind.expands_to == kind.name and source.parent == parent for source in draft.manifests
    )


def sightings(draft: Draft, context: PlanContext) -> tuple[tuple[Ref, ...], tuple[Ref, ...]]:
    """What an apply has to note: the objects whose origin is there again, and those whose origin is missing."""
    matched = {id(live) for match in draft.matches for live in (match.live, *match.predecessors)}
    found, missing = [], []
    for kind, live in _with_origins(draft, context):
        ref = Ref(kind.name, live["metadata"]["name"])
        if id(live) not in matched:
            missing.append(ref)
        elif absence_of(kind, live) in (Absence.BRIEF, Absence.LONG):
            found.append(ref)
    return tuple(found), tuple(missing)


def _with_origins(draft: Draft, context: PlanContext) -> Iterator[tuple[Kind[Any], Document]]:
    """The objects of the stack that a group which was read should list the origins of."""
    for kind in context.kinds.values():
        if kind.absence is None or kind.name in context.state.incomplete:
            continue
        for of_address in context.ours.get(kind.name, {}).values():
            for live in of_address:
                if is_expanded(kind, live, draft):
                    yield kind, live
