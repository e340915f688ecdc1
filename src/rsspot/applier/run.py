"""A run: its steps are performed and its events passed on; the last one is the recap. Decides nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from rsspot.applier.context import ApplyContext
from rsspot.applier.dependents import bystander
from rsspot.applier.events import Event, RunStarted
from rsspot.applier.execution import Execution
from rsspot.applier.lease import Held
from rsspot.applier.lookout import Lookout
from rsspot.applier.options import ApplyOptions
from rsspot.applier.run_log import RunLog
from rsspot.errors import RsspotError, StalePlan
from rsspot.models.refs import Ref
from rsspot.planner.codec import dump_plan
from rsspot.planner.order import Step, Verb
from rsspot.planner.plan import Plan
from rsspot.state.ledger.protocol import StepRecord


async def run_steps(
    plan: Plan, steps: Sequence[Step], context: ApplyContext, held: Held, options: ApplyOptions
) -> AsyncGenerator[Event, None]:
    """Perform steps and yield what happens. The last event is the Recap, also when the run is cut short.

    Raises what ends a whole run (AuthError, StateError, Locked) after the steps under way are done, and StalePlan
    before the first one when a delete would take something down that the plan did not see.
    """
    lookout = Lookout(context.documents, context.clock)
    try:
        await _check_bystanders(steps, context, lookout)
    except RsspotError:
        # The run that took over may have changed everything. The first step ends this one as locked out.
        if not held.lost:
            raise
    records = [_record(step) for step in steps]
    run = context.ledger.begin(held.lease, plan.command, {**dump_plan(plan), "madeBy": dict(context.made_by)}, records)
    log = RunLog(context.ledger, run, held.lease)
    execution = Execution(log, steps, plan.pending, context, held, options, lookout)
    yield RunStarted(run, len(steps))
    task = asyncio.create_task(execution.run())
    task.add_done_callback(lambda _: execution.events.put_nowait(None))
    try:
        while (event := await execution.events.get()) is not None:
            yield event
    finally:
        task.cancel()
        await asyncio.gather(task, lookout.close(), return_exceptions=True)
    recap = execution.recap()
    failure = execution.close(recap.outcome)
    yield recap
    if failure is not None:
        raise failure


async def _check_bystanders(steps: Sequence[Step], context: ApplyContext, lookout: Lookout) -> None:
    """Look before anything is sent: otherwise the children of an object would be deleted before it is refused."""
    doomed = [_object_of(step) for step in steps if step.verb is Verb.DELETE]
    if reason := await bystander(doomed, context.kinds, lookout):
        raise StalePlan(reason, hint="nothing was sent; make and review a new plan")


def _record(step: Step) -> StepRecord:
    change = step.change
    return StepRecord(step.seq, change.address, _object_of(step), step.verb.value, parent=change.parent or "")


def _object_of(step: Step) -> Ref:
    """The object that a step is about: for a delete the one that goes, which a replacement calls otherwise."""
    base = step.change.base
    return Ref(step.change.ref.kind, base.name) if step.verb is Verb.DELETE and base else step.change.ref
