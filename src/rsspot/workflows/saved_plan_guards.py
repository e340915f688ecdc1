"""check_allowed(): whether a saved plan does what its manifests say, to objects of its stack. Sends only GETs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rsspot.applier.settle import OUR_MARKS
from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.snapshot import Snapshot
from rsspot.errors import PlanRefused, Problem
from rsspot.manifests.lifecycle import OnRemove
from rsspot.manifests.manifest import Default, Manifest, ManifestSet
from rsspot.planner.body import body_of
from rsspot.planner.case import Rule
from rsspot.planner.change import REMOVALS, Action, Change
from rsspot.planner.codec import load_plan
from rsspot.planner.diff import SPEC, managed, same
from rsspot.planner.live import LiveState
from rsspot.planner.money import StackCost
from rsspot.planner.options import PlanOptions, SpendingLimit
from rsspot.planner.ownership import LABEL_PATH, Owners, label_of
from rsspot.planner.plan import Plan
from rsspot.planner.wire_form import wire_form
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import Ledger
from rsspot.utils.serialization import Document, at_path, canonical
from rsspot.workflows.known import on_record
from rsspot.workflows.ownership import MOVE
from rsspot.workflows.reconcile import read_and_plan


async def check_allowed(
    client: AsyncSpotClient,
    ledger: Ledger,
    plan: Plan,
    manifests: ManifestSet | None,
    live: Snapshot,
    spending: tuple[SpendingLimit, ...] = (),
) -> StackCost | None:
    """Judge a saved plan as if it were a new one. Returns what the stack costs by now, as far as that is known.

    manifests: None where they are not at hand; then only ownership is judged · live: the kinds that the plan touches
    Raises PlanRefused for what the manifests do not say, and for objects that are not this stack's.
    """
    problems = _not_ours(ledger, plan, live)
    cost = None
    if manifests is not None:
        options = PlanOptions(
            prune=any(change.action in REMOVALS for change in plan.changes),
            adopt=any(change.action is Action.ADOPT for change in plan.changes),
            # How much is taken away was judged when the plan was approved.
            most_deletes=len(plan.changes),
            target=plan.target,
            exclude=plan.exclude,
            spending=spending,
        )
        # Without its policies: they judge the plan that is applied.
        fresh, _ = await read_and_plan(
            client, ledger, manifests, options=options, stack=plan.stack, command=plan.command
        )
        problems += fresh.refusals
        cost = fresh.cost
        problems += [problem for change in plan.changes if (problem := _undeclared(change, plan, manifests, fresh))]
        problems += _removes_what_is_declared(plan, manifests, fresh, live)
    if problems:
        raise PlanRefused(problems, hint="nothing was sent")
    return cost


def _not_ours(ledger: Ledger, plan: Plan, snapshot: Snapshot) -> list[Problem]:
    """The changes of objects that this stack does not have, by the live labels and by the ledger."""
    known = kinds()
    state = LiveState(snapshot.organization, snapshot.live, snapshot.incomplete, on_record(ledger, plan.scope))
    owners, problems = Owners(plan.stack, state), []
    for change in plan.changes:
        kind, live = known[change.ref.kind], snapshot.of(change.ref.kind).get(change.base.name) if change.base else None
        if live is None:
            continue
        if change.action in (Action.DELETE, Action.REPLACE):
            allowed = owners.may_delete(kind, live, snapshot.organization)
        else:
            allowed = owners.is_ours(kind, live) or (
                change.action is Action.ADOPT and _may_come(ledger, plan, change, live)
            )
        if change.destructive and owners.on_remove(kind, live) is OnRemove.PROTECT:
            message = f"{change.address} is protected by now, and would be deleted"
            problems.append(Problem(message, change.origin, "make and review a new plan", Rule.PROTECTION))
        if not allowed:
            message = f"{change.address} is not of the stack {plan.stack!r}: it must not be changed by its plan"
            problems.append(Problem(message, change.origin, "make and review a new plan", Rule.OWNERSHIP))
    return problems


def _may_come(ledger: Ledger, plan: Plan, change: Change, live: Document) -> bool:
    """Whether an object may become one of the stack: it is nobody's, or this stack gave it to the one that has it."""
    owner = label_of(live)
    return owner is None or any(
        each.ref == change.ref and any(edit.path == LABEL_PATH and edit.after == owner for edit in each.edits)
        for run in ledger.runs(plan.scope)
        if run.command == MOVE
        for each in load_plan(ledger.plan(run.id), sealed=False).changes
    )


def _removes_what_is_declared(plan: Plan, manifests: ManifestSet, fresh: Plan, snapshot: Snapshot) -> Iterator[Problem]:
    """Each removal of an object that still lives, under a declared address, and that a new plan would not remove.

    A copy or a predecessor shares the address of what is declared, and goes by a new plan too.
    """
    addresses = {manifest.address for manifest in manifests.manifests}
    going = {(change.ref.kind, change.base.name) for change in fresh.changes if change.base and _goes(change)}
    for change in plan.changes:
        if change.action not in REMOVALS or change.base is None or change.address not in addresses:
            continue
        lives = change.base.name in snapshot.of(change.ref.kind)
        if lives and (change.ref.kind, change.base.name) not in going:
            message = f"{change.address} would be removed, and is declared"
            yield Problem(message, change.origin, "make and review a new plan", Rule.SAVED_PLAN)


def _goes(change: Change) -> bool:
    return change.destructive or change.action in REMOVALS


def _undeclared(change: Change, plan: Plan, manifests: ManifestSet, fresh: Plan) -> Problem | None:
    """What a saved change would make that the manifests do not say, or None. fresh: a new plan of the same manifests"""
    if change.action in REMOVALS:
        return None
    by_address = {manifest.address: manifest for manifest in manifests.manifests}
    manifest = by_address.get(change.address)
    if manifest is not None:
        what = _difference(change, plan, _staying(manifest, change, fresh))
    else:
        what = _difference_of_member(change, manifests)
    if what is None:
        return None
    return Problem(f"{change.address} {what}", change.origin, "make and review a new plan", Rule.SAVED_PLAN)


def _difference(change: Change, plan: Plan, manifest: Manifest) -> str | None:
    if change.body is not None and canonical(change.body) != canonical(body_of(manifest, change.ref.name, plan.stack)):
        return "would be made otherwise than its manifest says"
    desired = managed(manifest.kind, manifest.body)
    for edit in change.edits:
        field = manifest.kind.field_at(edit.path)
        after = field.canonical(edit.after) if field else edit.after
        if edit.path not in OUR_MARKS and not same(manifest.kind, edit.path, after, desired.get(edit.path)):
            return f"would get another {'.'.join(edit.path)} than its manifest says"
    return None


def _staying(manifest: Manifest, change: Change, fresh: Plan) -> Manifest:
    """A manifest with the region that the object which is made again keeps, where it names none."""
    again = next((each for each in fresh.changes if each.address == change.address and each.body), None)
    if change.action is not Action.REPLACE or again is None:
        return manifest
    kept = {path: Default(at_path(again.body, (SPEC, *path)), "") for path in manifest.defaults}
    return replace(manifest, defaults=kept)


def _difference_of_member(change: Change, manifests: ManifestSet) -> str | None:
    """The same for an object that a manifest such as a Registration stands for, or for all of them at once."""
    sources = [each for each in manifests.manifests if each.kind.expands_to and each.parent == change.parent]
    spec = (change.body or {}).get(SPEC) or {}
    for source in sources:
        if all(spec.get(key) == value for key, value in wire_form(source.spec).items()):
            return None
    return "is declared by no manifest"
