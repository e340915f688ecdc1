"""Executor: gives each step to the file of its verb, and turns whatever goes wrong into a closed record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from rsspot.applier.context import ApplyContext
from rsspot.applier.create import create
from rsspot.applier.delete import delete
from rsspot.applier.expand import FATAL, expand
from rsspot.applier.lookout import Lookout
from rsspot.applier.market import ServerMarket
from rsspot.applier.messages import explained
from rsspot.applier.options import WaitMode
from rsspot.applier.patch import patch
from rsspot.applier.step import Result, RunState, StepRun
from rsspot.applier.wait import until_ready
from rsspot.errors import ApiError, NotReady, OutcomeUnknown, RsspotError, TransportError
from rsspot.planner.order import Step, Verb
from rsspot.resources.kind import Kind, Phase, Readiness
from rsspot.state.ledger.protocol import StepState

VERBS: dict[Verb, Callable[[StepRun], Awaitable[Result]]] = {
    Verb.CREATE: create,
    Verb.PATCH: patch,
    Verb.DETACH: patch,
    Verb.DELETE: delete,
    Verb.EXPAND: expand,
}


class Executor:
    """Performs the steps of one run."""

    def __init__(self, context: ApplyContext, run: RunState) -> None:
        self._context, self.run = context, run

    async def perform(self, step: Step) -> Result:
        """Do a step and record how it ended; waits for nothing. Raises only what ends the whole run."""
        running = StepRun(step, self._context, self.run)
        try:
            return await VERBS[step.verb](running)
        except FATAL:
            raise
        except OutcomeUnknown as error:
            return await running.close(Result(StepState.UNKNOWN, error.message))
        except NotReady as error:
            arrived = self.run.log.may_have_arrived(step.seq)
            return await running.close(Result(StepState.UNKNOWN if arrived else StepState.FAILED, error.message))
        except RsspotError as error:
            return await running.close(Result(StepState.FAILED, explained(error, step.change)))

    async def await_ready(self, step: Step, result: Result) -> Result:
        """Wait for a step's object, if that was asked for or another step depends on it."""
        made = step.verb in (Verb.CREATE, Verb.PATCH) and result.state in (StepState.DONE, StepState.SATISFIED)
        if not made or not (step.awaited or self._context.wait == WaitMode.READY):
            return result
        running = StepRun(step, self._context, self.run)
        wanted = Phase.READY if step.awaited else self._context.wait_for
        waited = await wait_for(
            self._context, self.run.lookout, running.kind, step.change.ref.name, running.tell_waiting, wanted=wanted
        )
        running.ready(waited)
        return Result(result.state, waited.note, waited, waited.phase.is_as_far_as(wanted))


async def wait_for(
    context: ApplyContext,
    lookout: Lookout,
    kind: Kind[Any],
    name: str,
    tell: Callable[[Readiness], None],
    *,
    wanted: Phase,
) -> Readiness:
    """Wait for an object, telling how far it is. One that cannot be looked at is still in progress."""
    market = ServerMarket(kind, context.kinds, lookout)
    try:
        return await until_ready(
            lookout, kind, name, context.clock, context.patience, tell, wanted=wanted, market=market
        )
    except (ApiError, TransportError) as error:
        return Readiness(Phase.PROGRESSING, f"could not be looked at: {error.message}")
