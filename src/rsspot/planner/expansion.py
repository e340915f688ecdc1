"""Expansion: the objects that one manifest stands for, such as a VMRegistration for each machine of a Registration.

They can be listed only when the group they come from is ready and stays as it is. Until then one deferred change stands
for all of them, and the applier expands it when its turn comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rsspot.errors import Problem
from rsspot.manifests.manifest import Manifest
from rsspot.models.absence import Absence
from rsspot.planner.absence import absence_of
from rsspot.planner.change import Change
from rsspot.planner.decisions import change_of, create, deferred
from rsspot.planner.diff import declared
from rsspot.planner.draft import Draft, Match, PlanContext
from rsspot.planner.matching import match_one


def expand(draft: Draft, context: PlanContext) -> Draft:
    """Add what the expanding manifests stand for."""
    first: dict[tuple[str, str | None], Manifest] = {}
    for source in draft.manifests:
        if not source.kind.expand:
            continue
        earlier = first.setdefault((source.kind.name, source.parent), source)
        if earlier is not source:
            message = f"{source.address} and {earlier.address} are about the same objects"
            draft = draft.add(problems=[Problem(message, source.origin, "leave one of them out", "twins")])
        else:
            draft = _expand_one(source, draft, context)
    return draft


def _expand_one(source: Manifest, draft: Draft, context: PlanContext) -> Draft:
    assert source.kind.expands_to and source.kind.parent
    parent = source.kind.parent.kind
    if parent in context.state.incomplete:
        message = f"the live {context.kinds[parent].plural} could not be read"
        return draft.add(problems=[Problem(message, source.origin, "try again", "incomplete-read")])
    group = context.state.of(parent).get(source.kind.parent_name(source.spec) or "")
    moving = any(source.parent in (change.address, change.parent) for change in draft.changes)
    if group is None or moving or not context.is_ready(parent, group):
        inner = context.kinds[source.kind.expands_to]
        return draft.add(matches=[Match(source, None)], changes=[deferred(source, inner, context)])
    matches = [_match_member(manifest, context) for manifest in _members(source, group, context)]
    if source.kind.expands_to in context.state.incomplete:
        return draft.add(matches=matches)
    decided = (_decide(match, context) for match in matches)
    return draft.add(matches=matches, changes=[change for change in decided if change is not None])


def _decide(match: Match, context: PlanContext) -> Change | None:
    if match.live is not None:
        return change_of(match.manifest, match.live, declared(match.manifest, match.live), context)
    made = create(match.manifest, context)
    return replace(made, reason="gone for a while, and there again") if match.predecessors else made


def _match_member(manifest: Manifest, context: PlanContext) -> Match:
    """The live object of a member. One whose origin was gone meanwhile is its predecessor, and it is made again."""
    match = match_one(manifest, context)
    if match.live is None or absence_of(manifest.kind, match.live) is not Absence.GONE:
        return match
    return replace(match, live=None, predecessors=(match.live,))


def _members(source: Manifest, group: dict[str, object], context: PlanContext) -> Iterator[Manifest]:
    """One manifest for each object that the source stands for."""
    assert source.kind.expand and source.kind.expands_to
    inner = context.kinds[source.kind.expands_to]
    for body in source.kind.expand(source.body, group):
        yield Manifest(inner, body["metadata"]["name"], {**body, "metadata": {}}, source.origin)
