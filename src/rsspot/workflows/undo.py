"""plan_undo(): a plan that takes back what a run did, to be reviewed and applied like any other. Prints nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import UsageError, not_found
from rsspot.manifests.manifest import Manifest
from rsspot.models.refs import Ref
from rsspot.planner.codec import load_plan
from rsspot.planner.draft import Draft, PlanContext
from rsspot.planner.guards import guard
from rsspot.planner.live import LiveState
from rsspot.planner.options import PlanOptions
from rsspot.planner.order import Verb
from rsspot.planner.ownership import Owners
from rsspot.planner.plan import Plan
from rsspot.planner.pricing import price
from rsspot.planner.undo import inverse
from rsspot.resources.registry import kinds
from rsspot.state.ledger.plans import CUT
from rsspot.state.ledger.protocol import Ledger, RunRecord, StepState
from rsspot.workflows.known import on_record, read_live, scope_id, worth_a_look
from rsspot.workflows.policies import judged_by_record
from rsspot.workflows.prices import read_rates
from rsspot.workflows.saved_plan import check_kinds


async def plan_undo(client: AsyncSpotClient, ledger: Ledger, run: int, *, options: PlanOptions | None = None) -> Plan:
    """The plan that takes back what a run did. Sends only GETs. Refusals are in the plan, not raised.

    Raises NotFound for a run that is not on record, and UsageError for one of another account.
    """
    record = _record(ledger, run)
    snapshot = await read_live(client, ledger, [kind for kind in kinds().values() if worth_a_look(kind)])
    stack = record.scope.rpartition("/")[2]
    if record.scope != scope_id(client.base_url, snapshot.organization, stack):
        hint = "choose its organization, or the profile of its account"
        raise UsageError(f"run {run} was of {record.scope}", hint=hint)
    state = LiveState(snapshot.organization, snapshot.live, snapshot.incomplete, on_record(ledger, record.scope))
    allowed = options or PlanOptions()
    context = PlanContext(state, kinds(), Owners(stack, state), allowed)
    stored = ledger.plan(run)
    if CUT in stored:
        raise UsageError(f"run {run} was too large for its changes to be kept", hint="write the manifests as they were")
    was = load_plan(stored, sealed=False)
    check_kinds(was)
    # What was found to be so already was done by another run, or by somebody else.
    done = {step.address for step in ledger.steps(run) if step.state is StepState.DONE}
    changes = [change for change in was.changes if change.address in done]
    draft = inverse(changes, run, context, later=_made_or_deleted_after(ledger, record))
    rates = await read_rates(client, snapshot, state, list(_made_again(draft)), stack)
    draft = price(draft, replace(context, state=replace(state, rates=rates)))
    plan = Plan(
        scope=record.scope,
        organization=snapshot.organization,
        stack=stack,
        command="undo",
        changes=tuple(sorted(draft.changes, key=lambda change: (change.address, change.action.value))),
        incomplete=dict(state.incomplete),
        refusals=(*draft.problems, *guard(draft, context)),
        notes=draft.notes,
        cost=draft.cost,
    )
    manifests = "the manifests, where they still say otherwise, would undo this in turn"
    return plan if plan.empty else judged_by_record(replace(plan, notes=(*plan.notes, manifests)), ledger)


def _made_again(draft: Draft) -> Iterator[Manifest]:
    """The objects that an undo makes, as if somebody declared them."""
    for change in draft.changes:
        if change.body is not None:
            yield Manifest(kinds()[change.ref.kind], change.ref.name, change.body)


def _made_or_deleted_after(ledger: Ledger, record: RunRecord) -> set[Ref]:
    """The objects that later runs of the same stack made or deleted."""
    return {
        step.ref
        for run in ledger.runs(record.scope)
        if (run.started_at, run.id) > (record.started_at, record.id)
        for step in ledger.steps(run.id)
        if step.verb in (Verb.CREATE, Verb.DELETE) and step.state is StepState.DONE
    }


def _record(ledger: Ledger, run: int) -> RunRecord:
    record = ledger.run(run)
    if record is None:
        raise not_found(f"the ledger has no run {run}", hint="list the runs with `rsspot ledger runs`")
    return record
