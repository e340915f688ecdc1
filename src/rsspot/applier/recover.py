"""Recovery: close what a killed run left open, by reading.

Runs before every apply, asks nobody, and may be run any number of times. What is still missing is not sent from here:
the plan that follows sees it missing.

The step    the live object                        how the step is closed
create      none                                   failed: it never arrived
create      ours, or made by a lost create         done, and owned
create      another stack's, or without a stack    refused
patch       ours, as the run was to make it        done
patch       ours, and not so                       failed: it did not arrive, or was changed again
patch       ours, of a secret only                 failed: nothing here tells; the next plan sees what is left
detach      not ours any more                      done, and forgotten
detach      ours                                   failed
delete      none                                   done
delete      being deleted                          done
delete      still there                            failed
expand      (in the ledger)                        skipped: the next plan takes it up
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from rsspot.applier.context import ApplyContext
from rsspot.applier.events import Settled
from rsspot.applier.run_log import RunLog
from rsspot.applier.settle import is_from_us, look
from rsspot.errors import StateError, UsageError
from rsspot.planner.codec import load_plan
from rsspot.planner.diff import edits
from rsspot.planner.order import Verb
from rsspot.planner.ownership import label_of
from rsspot.resources.kind import Kind
from rsspot.state.ledger.protocol import Lease, OpenStep, OwnedObject, StepState
from rsspot.utils.serialization import Document, at_path

KILLED = "the run was killed"


async def recover(context: ApplyContext, scope: str, lease: Lease | None = None) -> AsyncGenerator[Settled, None]:
    """Look up every step that may have been sent and was never closed, then close the runs they belong to.

    lease: that of the stack. Raises Locked, and closes nothing more, once another run has taken it over.
    """
    for left in context.ledger.open_steps(scope):
        yield await _close(left, context, scope, RunLog(context.ledger, left.run, lease))
    for run in context.ledger.unfinished_runs(scope):
        # The run of whoever took the lease over is among them.
        pending = (step.seq for step in context.ledger.steps(run) if step.state is StepState.PENDING)
        context.ledger.skip(run, dict.fromkeys(pending, KILLED), lease=lease)
        context.ledger.finish(run, "interrupted", lease=lease)


async def _close(left: OpenStep, context: ApplyContext, scope: str, log: RunLog) -> Settled:
    step, kind = left.step, context.kinds.get(left.step.ref.kind)
    if kind is None:
        message = f"run {left.run} left {step.address} open, which is of an unknown kind: {step.ref.kind!r}"
        raise StateError(message, hint="apply once with the version of rsspot that made the run")
    if step.verb == Verb.EXPAND:
        await log.settle(step.seq, StepState.SKIPPED, detail=KILLED)
        return Settled(step.address, "was being worked on; the next plan takes it up")
    live = await look(context.documents(kind), step.ref.name)
    if live is None:
        return await _close_without_object(left, log)
    state, detail = await _judge(left, live, kind, context)
    made = state is StepState.DONE and step.verb in (Verb.CREATE, Verb.PATCH)
    owned = _owned(left, live, context, scope) if made else None
    gone = step.ref if state is StepState.DONE and step.verb == Verb.DETACH else None
    await log.settle(step.seq, state, detail=detail, owned=owned, gone=gone)
    return Settled(step.address, detail)


async def _close_without_object(left: OpenStep, log: RunLog) -> Settled:
    deleted = left.step.verb in (Verb.DELETE, Verb.DETACH)
    state, detail = (StepState.DONE, "it is gone") if deleted else (StepState.FAILED, "it never arrived")
    await log.settle(left.step.seq, state, detail=detail, gone=left.step.ref)
    return Settled(left.step.address, detail)


async def _judge(left: OpenStep, live: Document, kind: Kind[Any], context: ApplyContext) -> tuple[StepState, str]:
    """How a step is closed whose object exists; see the table above."""
    step, label = left.step, label_of(live)
    if step.verb == Verb.DETACH:
        ours = label == context.stack
        return (StepState.FAILED, "it is still of this stack") if ours else (StepState.DONE, "it is detached")
    if label not in (None, context.stack):
        return StepState.REFUSED, f"its name is held by an object of the stack {label!r}"
    if step.verb == Verb.DELETE:
        if at_path(live, ("metadata", "deletionTimestamp")):
            return StepState.DONE, "it is being deleted"
        return StepState.FAILED, "it is still there"
    if step.verb == Verb.PATCH:
        return _judge_patch(left, live, kind, context)
    if step.verb == Verb.CREATE and not await is_from_us(live, kind, context, may_have_arrived=left.may_have_arrived):
        return StepState.REFUSED, "an object of its name is there and belongs to no stack"
    return StepState.DONE, f"its {step.verb} was looked up"


def _judge_patch(left: OpenStep, live: Document, kind: Kind[Any], context: ApplyContext) -> tuple[StepState, str]:
    """Whether the fields that a patch was to change have their new values, as far as the ledger knows those."""
    try:
        changes = load_plan(context.ledger.plan(left.run), sealed=False).changes
    except (UsageError, LookupError):
        changes = ()
    change = next((each for each in changes if each.address == left.step.address), None)
    known = {edit.path: edit.after for edit in change.edits if not edit.secret} if change else {}
    if not known:
        return StepState.FAILED, "whether it was changed cannot be told; the next plan sees what is left"
    if missing := edits(kind, known, live, None):
        return StepState.FAILED, f"it is not as it was to be: {', '.join('/'.join(edit.path) for edit in missing)}"
    return StepState.DONE, "its patch arrived"


def _owned(left: OpenStep, live: Document, context: ApplyContext, scope: str) -> OwnedObject:
    """The record of the object; a patch keeps what the ledger has on record of it."""
    owned = OwnedObject(left.step.ref, left.step.address, at_path(live, ("metadata", "uid")))
    if left.step.verb == Verb.CREATE:
        return owned
    return context.ledger.owned(scope).get(left.step.ref, owned)
