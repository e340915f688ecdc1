"""Create: make an object, once, whatever becomes of the answers.

Answer to the POST              what is read then            what the step does
201 with the object             nothing                      done; failed if it is not as asked for
2xx without a readable object   the name, for 30 s           as a lost answer, and the object is surely ours
none, 5xx, 408                  the name, for 30 s           there and ours: done · differs or foreign: refused
                                                             not there: send again
409 AlreadyExists               the name                     ours and as desired: satisfied · otherwise: refused
409 Conflict                    nothing                      sent again after a pause: a quota was counted meanwhile
any other refusal               the name, if an earlier      failed, unless an earlier attempt did arrive
                                answer was lost

A replacement that comes first looks at its predecessor before anything is sent: if that moved since the plan, it is
refused. At most five requests go out; if the object never shows up, the outcome is unknown.
"""

from __future__ import annotations

from rsspot.applier.settle import Found, Verdict, judge, look
from rsspot.applier.step import MOST_SENDS, Result, StepRun
from rsspot.errors import AlreadyExists, Conflict, OutcomeUnknown, RsspotError
from rsspot.planner.order import Verb
from rsspot.state.ledger.protocol import StepState
from rsspot.utils.serialization import Document, at_path


async def create(step: StepRun) -> Result:
    """See the table above."""
    body = step.change.body
    assert body is not None
    if (moved := await _moved_predecessor(step)) is not None:
        return await step.closed_by(moved)
    lost = taken = False
    refusal: Conflict | None = None
    for sent in range(1, MOST_SENDS + 1):
        try:
            async with step.attempt():
                live = await step.documents.create(body)
        except OutcomeUnknown:
            lost = True
            verdict = await step.attributed(await step.settle(), may_have_arrived=True)
        except AlreadyExists:
            taken = True
            verdict = await step.attributed(step.judge(await step.look()), may_have_arrived=lost)
        except Conflict as error:
            refusal = error
            await step.pause(sent, error)
            continue
        except RsspotError as error:
            verdict = await step.after_refusal(error, lost=lost)
        else:
            if at_path(live, ("metadata", "uid")) is not None:
                return await _made(step, live)
            lost = True
            verdict = await step.settle()
        if verdict.found is not Found.NOT_DONE:
            return await step.closed_by(verdict, satisfied=taken and not lost)
    if refusal is not None and not lost:
        raise refusal
    raise OutcomeUnknown(f"{step.change.address} was sent {MOST_SENDS} times and never showed up")


async def _moved_predecessor(step: StepRun) -> Verdict | None:
    """How the object that is to be replaced moved since the plan; None when it did not, or when there is none."""
    change = step.change
    if not change.surge or change.base is None:
        return None
    verdict = judge(change, Verb.DELETE, step.documents, await look(step.documents, change.base.name))
    return verdict if verdict.found is Found.STALE else None


async def _made(step: StepRun, live: Document) -> Result:
    """An accepted create: the object is ours whatever the service made of it, and one that differs is a failure."""
    verdict = step.judge(live)
    if verdict.found is Found.DONE:
        return await step.closed_by(verdict)
    message = f"created, but not as it was asked for: {verdict.now}"
    return await step.close(Result(StepState.FAILED, message), owned=step.owned(verdict.live))
