"""Delete: take one very object away, and nothing that somebody else put into it.

Before each DELETE the object is read; its uid and its resourceVersion go along as preconditions. So whatever was
written since, or was not in an outdated read, is a conflict.

What the read shows                     what the step does
gone, or another uid under the name     satisfied, or done after a request of ours
being deleted                           wait until it is gone
another stack's, or moved since         refused
protected since                         refused
made or found as desired by this run    refused
something lives in it that is to stay   refused
as planned on                           send the DELETE, then by its answer:

2xx, none, 5xx, 409, 404                read again, after a pause
any other refusal                       failed, unless an earlier attempt did arrive

Then it is waited for until the object is gone, unless `--wait=none` and no other step waits for that. If the run is
stopped meanwhile, the step is done as far as it is ours; if the time is up, it has failed.
"""

from __future__ import annotations

from rsspot.applier.dependents import bystander
from rsspot.applier.options import WaitMode
from rsspot.applier.settle import Found, Verdict
from rsspot.applier.step import MOST_SENDS, Result, StepRun
from rsspot.applier.wait import NOT_WAITED_FOR, until_gone
from rsspot.errors import Conflict, NotFound, OutcomeUnknown, RsspotError
from rsspot.manifests.lifecycle import OnRemove
from rsspot.models.refs import Ref
from rsspot.planner.protection import on_remove
from rsspot.state.ledger.protocol import StepState
from rsspot.utils.serialization import at_path


async def delete(step: StepRun) -> Result:
    """See the tables above."""
    base, context = step.change.base, step.context
    assert base is not None
    gone = Ref(step.change.ref.kind, base.name)
    for sent in range(MOST_SENDS):
        verdict = step.judge(await step.look(sent=sent > 0))
        if verdict.found is Found.DONE and verdict.live is None:
            return await step.close(Result(StepState.DONE if sent else StepState.SATISFIED), gone=gone)
        if verdict.found is Found.DONE:
            break
        if reason := await _reason_to_keep(step, gone, verdict):
            return await step.close(Result(StepState.REFUSED, reason))
        try:
            async with step.attempt():
                await step.documents.delete(base.name, uid=base.uid, version=_version(verdict))
        except (OutcomeUnknown, Conflict, NotFound) as error:
            await step.pause(sent + 1, error)
        except RsspotError as error:
            verdict = await step.after_refusal(error, lost=sent > 0)
            if verdict.found is Found.STALE:
                return await step.closed_by(verdict)
            break
    else:
        raise OutcomeUnknown(f"{step.change.address} was asked {MOST_SENDS} times to go and is still there")
    if context.wait == WaitMode.NONE and not step.step.awaited:
        return await step.close(Result(StepState.DONE, "accepted"), gone=gone)
    if await until_gone(step.lookout, step.kind, base.name, base.uid, context.clock, context.patience):
        return await step.close(Result(StepState.DONE), gone=gone)
    if context.patience.given_up():
        return await step.close(
            Result(StepState.DONE, f"accepted, {NOT_WAITED_FOR.note}", NOT_WAITED_FOR, reached=False), gone=gone
        )
    return await step.close(Result(StepState.FAILED, "accepted, and still being deleted"))


def _version(verdict: Verdict) -> str | None:
    """The version of the object that a DELETE was judged by."""
    version = at_path(verdict.live, ("metadata", "resourceVersion"))
    return version if isinstance(version, str) else None


async def _reason_to_keep(step: StepRun, doomed: Ref, verdict: Verdict) -> str | None:
    """Why an object that was to be deleted is not; None when it may go."""
    if verdict.found is Found.STALE:
        return verdict.detail
    if verdict.live and on_remove(verdict.live, None) is OnRemove.PROTECT:
        return "it is protected by now"
    if verdict.live and verdict.live["metadata"].get("uid") in step.kept:
        return "this very run made it, or found it to be as desired"
    return await bystander([doomed], step.context.kinds, step.lookout)
