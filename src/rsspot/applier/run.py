"""A run: every step once the steps it depends on are done, a few at a time, and the recap. Yields events."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

from rsspot.applier.context import ApplyContext
from rsspot.applier.dependents import bystander
from rsspot.applier.events import Event, Recap, RunOutcome, RunStarted, StepEnded, StepStarted
from rsspot.applier.executor import Executor
from rsspot.applier.lease import Held
from rsspot.applier.lookout import Lookout
from rsspot.applier.options import PARALLEL, CancelToken, WaitMode
from rsspot.applier.step import Result, RunState
from rsspot.errors import AuthError, Cancelled, Locked, RsspotError, StalePlan, StateError
from rsspot.models.refs import Ref
from rsspot.planner.codec import dump_plan
from rsspot.planner.order import Step, Verb
from rsspot.planner.plan import Pending, Plan
from rsspot.resources.kind import Phase
from rsspot.state.ledger.protocol import StepRecord, StepState

STOPPED = "the run was stopped"
ENDED_BY: dict[type[Exception], RunOutcome] = {Locked: RunOutcome.LOCKED, AuthError: RunOutcome.UNAUTHENTICATED}
"""The outcome of a run that an error broke off; failed for any other error."""
GOOD = (StepState.DONE, StepState.SATISFIED)
WORDS = {
    Verb.CREATE: "created",
    Verb.PATCH: "updated",
    Verb.DETACH: "updated",
    Verb.DELETE: "deleted",
    Verb.EXPAND: "registered",
}
COUNTS = (
    "created",
    "updated",
    "deleted",
    "registered",
    "satisfied",
    "failed",
    "refused",
    "skipped",
    "unknown",
    "waiting",
)
"""Every key of a recap, always in this order."""


async def run_steps(
    plan: Plan, steps: Sequence[Step], context: ApplyContext, held: Held, stop: CancelToken, parallel: int = PARALLEL
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
    records = [StepRecord(step.seq, step.change.address, _object_of(step), step.verb.value) for step in steps]
    run = context.ledger.begin(held.lease, plan.command, {**dump_plan(plan), "madeBy": dict(context.made_by)}, records)
    execution = _Execution(run, steps, plan.pending, context, held, stop, parallel, lookout)
    yield RunStarted(run, len(steps))
    task = asyncio.create_task(execution.run())
    task.add_done_callback(lambda _: execution.events.put_nowait(None))
    try:
        while (event := await execution.events.get()) is not None:
            yield event
    finally:
        task.cancel()
        await asyncio.gather(task, lookout.close(), return_exceptions=True)
    recap, failure = execution.recap(), execution.fatal
    try:
        context.ledger.finish(run, recap.outcome)
    except StateError as error:
        failure = failure or error
    yield recap
    if failure is not None:
        raise failure


async def _check_bystanders(steps: Sequence[Step], context: ApplyContext, lookout: Lookout) -> None:
    """Look before anything is sent: otherwise the children of an object would be deleted before it is refused."""
    doomed = [_object_of(step) for step in steps if step.verb is Verb.DELETE]
    if reason := await bystander(doomed, context.kinds, lookout):
        raise StalePlan(reason, hint="nothing was sent; make and review a new plan")


def _object_of(step: Step) -> Ref:
    """The object that a step is about: for a delete the one that goes, which a replacement calls otherwise."""
    base = step.change.base
    return Ref(step.change.ref.kind, base.name) if step.verb is Verb.DELETE and base else step.change.ref


class _Execution:
    """The state of one run."""

    def __init__(
        self,
        run: int,
        steps: Sequence[Step],
        pending: Sequence[Pending],
        context: ApplyContext,
        held: Held,
        stop: CancelToken,
        parallel: int,
        lookout: Lookout,
    ) -> None:
        self._run, self._steps, self._context, self._held, self._stop = run, steps, context, held, stop
        self.events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._executor = Executor(context, RunState(run, self._permit, self.events.put_nowait, lookout))
        self._pending = pending if context.wait == WaitMode.READY else ()
        self._unready = 0
        self._slots = asyncio.Semaphore(parallel)
        self._results: dict[int, Result] = {}
        self._settled = {step.seq: asyncio.Event() for step in steps}
        self._finished = {step.seq: asyncio.Event() for step in steps}
        self._fatal: Exception | None = None

    def _permit(self) -> None:
        """Raise unless one more write may start at this very moment."""
        self._stop.check()
        self._held.check()

    async def run(self) -> None:
        """Perform every step; a step that fails skips only the steps that depend on it."""
        await asyncio.gather(
            *(self._one(step) for step in self._steps), *(self._await_pending(each) for each in self._pending)
        )

    async def _await_pending(self, pending: Pending) -> None:
        """Wait for a declared object that nothing had to be done for, and that was not ready when it was planned."""
        kind = self._context.kinds[pending.ref.kind]
        try:
            readiness = await self._executor.until_ready(kind, pending.ref.name, pending.address)
        except Exception as error:
            self._end(error)
            return
        self._unready += readiness.phase is not Phase.READY
        state = StepState.SATISFIED
        self.events.put_nowait(StepEnded(pending.address, "wait", state, readiness.phase.value, readiness.note))

    @property
    def fatal(self) -> Exception | None:
        """What ended the run, unless somebody asked for that."""
        return None if isinstance(self._fatal, Cancelled) else self._fatal

    async def _one(self, step: Step) -> None:
        """One step from its turn to its end. Its dependents may start once it is settled, before it is ready."""
        finished = self._finished if step.patient else self._settled
        for seq in sorted(step.after):
            await finished[seq].wait()
        try:
            self._results[step.seq] = await self._result(step)
            self._settled[step.seq].set()
            self._results[step.seq] = await self._ready(step, self._results[step.seq])
        finally:
            self._settled[step.seq].set()
            self._finished[step.seq].set()
        result = self._results[step.seq]
        readiness = result.readiness.phase.value if result.readiness else ""
        self.events.put_nowait(StepEnded(step.change.address, step.verb.value, result.state, readiness, result.detail))

    async def _result(self, step: Step) -> Result:
        if self._fatal is not None:
            return self._skip(step, STOPPED)
        blocker = next((seq for seq in sorted(step.after) if not self._is_good_enough_for(step, seq)), None)
        if blocker is not None:
            return self._skip(step, f"{self._steps[blocker].change.address} is not done")
        async with self._slots:
            try:
                self._stop.check()
                self.events.put_nowait(StepStarted(step.change.address, step.verb.value))
                return await self._executor.perform(step)
            except Exception as error:
                self._end(error)
                return self._skip(step, STOPPED)

    async def _ready(self, step: Step, result: Result) -> Result:
        try:
            return await self._executor.await_ready(step, result)
        except Exception as error:
            self._end(error)
            return result

    def _end(self, error: Exception) -> None:
        """Note what ends the run. If the lease was lost, that is the reason, whatever error came first."""
        with suppress(Exception):
            try:
                self._held.check()
            except Locked as lost:
                error = lost
        self._fatal = error if isinstance(error, Locked) else self._fatal or error

    def _is_good_enough_for(self, step: Step, seq: int) -> bool:
        """Whether a step came out well enough for one that depends on it."""
        result = self._results[seq]
        unready = result.readiness is not None and result.readiness.phase is not Phase.READY
        return result.state in GOOD and not (unready and step.patient)

    def _skip(self, step: Step, reason: str) -> Result:
        result = Result(StepState.SKIPPED, reason)
        with suppress(Exception):
            # A step whose request may have arrived stays open: the next run looks it up.
            if not self._may_have_arrived(step):
                self._context.ledger.settle(self._run, step.seq, StepState.SKIPPED, detail=reason)
        return result

    def _may_have_arrived(self, step: Step) -> bool:
        if step.seq not in self._executor.run.intended:
            return False
        attempts = self._context.ledger.attempts(self._run)
        return any(each.seq == step.seq and each.may_have_arrived for each in attempts)

    def recap(self) -> Recap:
        """The counts and the outcome."""
        counts: Counter[str] = Counter()
        for step in self._steps:
            result = self._results[step.seq]
            done = result.state is StepState.DONE
            counts[WORDS[step.verb] if done else result.state.value] += 1
            counts["waiting"] += result.readiness is not None and result.readiness.phase is not Phase.READY
        counts["waiting"] += self._unready
        resent = self._executor.run.resent
        return Recap(self._run, {name: counts[name] for name in COUNTS}, self._outcome(counts), resent)

    def _outcome(self, counts: Counter[str]) -> RunOutcome:
        if self.fatal is not None:
            return ENDED_BY.get(type(self.fatal), RunOutcome.FAILED)
        wrong = counts["failed"] + counts["refused"] + counts["skipped"] + counts["waiting"]
        good = sum(counts[word] for word in WORDS.values()) + counts["satisfied"]
        if counts["unknown"]:
            return RunOutcome.UNKNOWN
        if self._stop.asked and wrong:
            return self._stop.outcome
        if not wrong:
            return RunOutcome.OK
        if good or counts["waiting"]:
            return RunOutcome.PARTIAL
        return RunOutcome.STALE if counts["refused"] == wrong else RunOutcome.FAILED
