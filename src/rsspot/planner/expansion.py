"""Expansion: the objects that one manifest stands for, such as a VMRegistration for each machine of a Registration.

They can be listed only when the group they come from is ready and stays as it is. Until then one deferred change stands
for all of them, and the applier expands it when its turn comes.
"""

from __future__ import annotations

from collections.abc import Iterator

from rsspot.errors import Problem
from rsspot.manifests.manifest import Manifest
from rsspot.planner.decisions import change_of, create, deferred
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
    matches = [match_one(manifest, context) for manifest in _members(source, group, context)]
    if source.kind.expands_to in context.state.incomplete:
        return draft.add(matches=matches)
    decided = (
        create(match.manifest, context) if match.live is None else change_of(match.manifest, match.live, context)
        for match in matches
    )
    return draft.add(matches=matches, changes=[change for change in decided if change is not None])


def _members(source: Manifest, group: dict[str, object], context: PlanContext) -> Iterator[Manifest]:
    """One manifest for each object that the source stands for."""
    assert source.kind.expand and source.kind.expands_to
    inner = context.kinds[source.kind.expands_to]
    for body in source.kind.expand(source.body, group):
        yield Manifest(inner, body["metadata"]["name"], {**body, "metadata": {}}, source.origin)
