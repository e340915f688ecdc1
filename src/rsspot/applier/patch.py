"""Patch: change the planned fields of an object, if it is still what the plan was made on.

Before each PATCH the object is read, and its resourceVersion goes along: a write in between is a conflict.

What the read shows                  what the step does
as desired                           satisfied, or done after a request of ours
gone, another uid, another stack's,  refused: what was approved was a change of another state
or a managed field moved
as planned on                        send the patch, then by its answer:

200 with the object                  done; failed if it is not as asked for
2xx without a readable object        read again
none, 5xx, 409, 404                  read again, after a pause
any other refusal                    failed, unless an earlier attempt did arrive

A detach is the patch that takes the label off. When it is done, the ledger forgets the object.
"""

from __future__ import annotations

from rsspot.applier.settle import Found, Verdict
from rsspot.applier.step import MOST_SENDS, Result, StepRun
from rsspot.errors import Conflict, NotFound, OutcomeUnknown, RsspotError
from rsspot.state.ledger.protocol import StepState
from rsspot.utils.serialization import Document, at_path


async def patch(step: StepRun) -> Result:
    """See the tables above."""
    change, sent, refused = step.change, False, False
    for number in range(1, MOST_SENDS + 1):
        live = await step.look(sent=sent)
        verdict = step.judge(live)
        if verdict.found is not Found.NOT_DONE or live is None:
            return await step.closed_by(verdict, satisfied=not sent)
        try:
            async with step.attempt():
                patched = await step.documents.patch(change.ref.name, _guarded(change.merge_patch, live))
        except (OutcomeUnknown, Conflict, NotFound) as error:
            refused = isinstance(error, Conflict) and (refused or not sent)
            await step.pause(number, error)
        except RsspotError as error:
            return await step.closed_by(await step.after_refusal(error, lost=sent))
        else:
            if at_path(patched, ("metadata", "uid")) is not None:
                return await _patched(step, step.judge(patched))
        sent = True
    if refused:
        message = f"it was being changed by others each of the {MOST_SENDS} times it was tried"
        return await step.close(Result(StepState.FAILED, message))
    raise OutcomeUnknown(f"{change.address} was patched {MOST_SENDS} times and does not show it")


async def _patched(step: StepRun, verdict: Verdict) -> Result:
    """An accepted patch: the answer shows what came of it, and sending it again would come to the same."""
    if verdict.found is Found.DONE:
        return await step.closed_by(verdict)
    now = verdict.now or verdict.detail or "it is as it was"
    return await step.close(Result(StepState.FAILED, f"accepted, but not as it was asked for: {now}"))


def _guarded(body: Document, live: Document) -> Document:
    """A patch that the service refuses if the object moved since it was read."""
    metadata = {key: live["metadata"][key] for key in ("resourceVersion", "uid") if key in live["metadata"]}
    return {**body, "metadata": {**body.get("metadata", {}), **metadata}}
