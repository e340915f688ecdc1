"""The planner: manifests and the live state to a Plan, one stage after another. Pure: the same input, the same digest.

Each stage takes a draft and returns the next one, and looks at nothing but the draft and the context:

    match               which live object belongs to which manifest
    decide              create, update, adopt, replace or leave each declared object
    cascade             what lives in a replaced object is replaced too
    remove_predecessors what interrupted replacements left behind
    remove_undeclared   prune, or list, what no manifest declares
    expand              the objects that a manifest such as Registration stands for
    remove_underived    the same as remove_undeclared, for those
    link                what has to be ready before what
    select              the objects that were asked for, if not all
    price               what all of it costs before and after

Then the guards object, and the changes are sorted by address. Who waits for whom is the business of `order`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from rsspot.manifests.manifest import Manifest
from rsspot.models.refs import Ref
from rsspot.planner.absence import sightings
from rsspot.planner.capacity import shortages
from rsspot.planner.cascade import cascade
from rsspot.planner.case import Case
from rsspot.planner.decisions import decide
from rsspot.planner.dependencies import link
from rsspot.planner.draft import Draft, PlanContext
from rsspot.planner.expansion import expand
from rsspot.planner.guards import guard
from rsspot.planner.live import LiveState
from rsspot.planner.matching import match
from rsspot.planner.options import PlanOptions
from rsspot.planner.order import cycles
from rsspot.planner.ownership import Owners
from rsspot.planner.plan import Pending, Plan
from rsspot.planner.pricing import price
from rsspot.planner.removal import remove_predecessors, remove_undeclared, remove_underived
from rsspot.planner.selection import is_selected, select
from rsspot.resources.kind import Kind, Phase

Stage = Callable[[Draft, PlanContext], Draft]
STAGES: tuple[Stage, ...] = (
    match,
    decide,
    cascade,
    remove_predecessors,
    remove_undeclared,
    expand,
    remove_underived,
    link,
    select,
    price,
)


def build(
    manifests: Iterable[Manifest],
    state: LiveState,
    kinds: Mapping[str, Kind[Any]],
    *,
    stack: str,
    scope: str,
    command: str = "apply",
    options: PlanOptions | None = None,
    files: Iterable[str] = (),
) -> Plan:
    """The plan that makes live what the manifests declare. Problems are in `plan.refusals`; none is raised."""
    context = PlanContext(state, kinds, Owners(stack, state), options or PlanOptions())
    draft = Draft(tuple(manifests))
    for stage in STAGES:
        draft = stage(draft, context)
    found, missing = sightings(draft, context)
    return Plan(
        scope=scope,
        organization=state.organization,
        stack=stack,
        command=command,
        changes=tuple(sorted(draft.changes, key=lambda change: (change.address, change.action.value))),
        unchanged=draft.unchanged,
        pending=tuple(sorted(_pending(draft, context), key=lambda each: each.address)),
        undeclared=draft.undeclared,
        incomplete=dict(state.incomplete),
        refusals=(*draft.problems, *guard(draft, context), *cycles(draft.changes)),
        notes=(*draft.notes, *shortages(Case(draft, context))),
        files=tuple(files),
        target=context.options.target,
        exclude=context.options.exclude,
        found=found,
        missing=missing,
        cost=draft.cost,
    )


def _pending(draft: Draft, context: PlanContext) -> Iterator[Pending]:
    """The declared objects that nothing has to be done for, and that are not ready."""
    for each in draft.matches:
        manifest = each.manifest
        if each.live is None or manifest.kind.local or manifest.address in draft.by_address:
            continue
        if not is_selected(manifest.address, context.options.target, context.options.exclude):
            continue
        readiness = context.readiness(manifest.kind.name, each.live)
        if readiness.phase is not Phase.READY:
            yield Pending(manifest.address, Ref(manifest.kind.name, each.live["metadata"]["name"]), readiness.note)
