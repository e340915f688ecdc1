"""Close what a killed run left open, by reading.

Runs before every apply, asks nothing, and may be run any number of times.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from rsspot.applier.context import ApplyContext
from rsspot.applier.events import Settled
from rsspot.applier.settle import OUR_LABEL, is_from_us, look
from rsspot.planner.order import Verb
from rsspot.state.ledger.protocol import OpenStep, OwnedObject, StepState
from rsspot.utils.serialization import at_path


async def recover(context: ApplyContext, scope: str) -> AsyncGenerator[Settled, None]:
    """Look up every step that may have been sent and was never settled, then close the runs they belong to.

    What is still missing is not sent from here: the plan that follows sees it missing.
    """
    for left in context.ledger.open_steps(scope):
        yield await _close(left, context, scope)
    for run in context.ledger.unfinished_runs(scope):
        for step in context.ledger.steps(run):
            if step.state is StepState.PENDING:
                context.ledger.settle(run, step.seq, StepState.SKIPPED, detail="the run was killed")
        context.ledger.finish(run, "interrupted")


async def _close(left: OpenStep, context: ApplyContext, scope: str) -> Settled:
    step = left.step
    kind = context.kinds.get(step.ref.kind)
    if kind is None or step.verb == Verb.EXPAND:
        context.ledger.settle(left.run, step.seq, StepState.SKIPPED, detail="the run was killed")
        return Settled(step.address, "was being worked on; the next plan takes it up")
    live = await look(context.documents(kind), step.ref.name)
    if live is None:
        state = StepState.DONE if step.verb == Verb.DELETE else StepState.FAILED
        said = "it is gone" if step.verb == Verb.DELETE else "it never arrived"
        context.ledger.settle(left.run, step.seq, state, detail=said, gone=step.ref)
        return Settled(step.address, said)
    label = at_path(live, OUR_LABEL)
    if label not in (None, context.stack):
        said = f"its name is held by an object of the stack {label!r}"
        context.ledger.settle(left.run, step.seq, StepState.REFUSED, detail=said)
        return Settled(step.address, said)
    if step.verb == Verb.DELETE:
        going = bool(at_path(live, ("metadata", "deletionTimestamp")))
        said = "it is on its way out" if going else "it is still there"
        state = StepState.DONE if going else StepState.FAILED
        context.ledger.settle(left.run, step.seq, state, detail=said)
        return Settled(step.address, said)
    if step.verb == Verb.CREATE and not await is_from_us(live, kind, context, may_have_arrived=left.may_have_arrived):
        said = "an object of its name is there and belongs to no stack"
        context.ledger.settle(left.run, step.seq, StepState.REFUSED, detail=said)
        return Settled(step.address, said)
    owned = OwnedObject(step.ref, step.address, at_path(live, ("metadata", "uid")))
    if step.verb != Verb.CREATE:
        owned = context.ledger.owned(scope).get(step.ref, owned)
    said = f"its {step.verb} was looked up"
    context.ledger.settle(left.run, step.seq, StepState.DONE, detail=said, owned=owned)
    return Settled(step.address, said)
