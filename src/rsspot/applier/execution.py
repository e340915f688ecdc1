"""Execution: every step once the steps it depends on are done, a few at a time. Puts what happens into a queue.

A run ends early in three ways. On a stop, no further write starts, and what is under way is given a while to end. When
that is over, or at a second wish, what is under way is abandoned: its steps are unknown, and the next run looks them
up. An error that no other step would be spared, such as a refused token, acts like a stop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from rsspot.applier.context import ApplyContext
from rsspot.applier.events import Event, Recap, RunOutcome, StepEnded, StepStarted, Waiting
from rsspot.applier.executor import Executor, wait_for
from rsspot.applier.lease import Held
from rsspot.applier.lookout import Lookout
from rsspot.applier.options import ApplyOptions, WaitMode
from rsspot.applier.recap import GOOD, Ended, recap_of
from rsspot.applier.run_log import RunLog
from rsspot.applier.step import Result, RunState
from rsspot.applier.wait import NOT_WAITED_FOR
from rsspot.errors import Cancelled, Locked, OutcomeUnknown, RsspotError, StateError
from rsspot.planner.order import Step
from rsspot.planner.plan import Pending
from rsspot.resources.kind import Phase, Readiness
from rsspot.state.ledger.protocol import StepState

STOPPED = "the run was stopped"
FAILED_FAST = "an earlier step failed"
ABANDONED = "stopped before the answer came"
MOST_DOUBTS = 5
"""Writes in a row whose outcome no answer told, across all steps, after which no further one is sent."""


class Execution:
    """One run."""

    def __init__(
        self,
        log: RunLog,
        steps: Sequence[Step],
        pending: Sequence[Pending],
        context: ApplyContext,
        held: Held,
        options: ApplyOptions,
        lookout: Lookout,
    ) -> None:
        self._log, self._steps, self._context, self._held = log, steps, context, held
        self._options, self._stop, self._lookout = options, options.stop, lookout
        self.events: asyncio.Queue[Event | None] = asyncio.Queue()
        shared = RunState(log, self._permit, self.events.put_nowait, self._answered, lookout)
        self._executor = Executor(context, shared)
        self._pending = pending if context.wait == WaitMode.READY else ()
        self._slots = asyncio.Semaphore(options.parallel)
        self._tasks: list[asyncio.Task[None]] = []
        self._grace: asyncio.TimerHandle | None = None
        self._results: dict[int, Result] = {}
        self._waited: list[Result] = []
        self._skipped: dict[int, str] = {}
        self._settled = {step.seq: asyncio.Event() for step in steps}
        self._finished = {step.seq: asyncio.Event() for step in steps}
        self._fatal: Exception | None = None
        self._failed = False
        self._doubts = 0

    async def run(self) -> None:
        """Perform every step; a step that fails skips only the steps that depend on it."""
        self._tasks = [asyncio.create_task(self._one(step)) for step in self._steps]
        self._tasks += [asyncio.create_task(self._await_pending(each)) for each in self._pending]
        # A task that is cancelled before it has begun has no result.
        await asyncio.sleep(0)
        self._stop.listen(self._on_stop)
        try:
            await asyncio.gather(*self._tasks)
        finally:
            if self._grace is not None:
                self._grace.cancel()

    def recap(self) -> Recap:
        """What came of the run."""
        resent = self._executor.run.resent
        return recap_of(Ended(self._log.run, self._steps, self._results, self._waited, self.fatal, self._stop, resent))

    def close(self, outcome: RunOutcome) -> Exception | None:
        """Close the run in the ledger; gives what ended the run, or kept it from being closed."""
        try:
            self._log.finish(outcome, self._skipped)
        except StateError as error:
            return self.fatal or error
        return self.fatal

    @property
    def fatal(self) -> Exception | None:
        """What ended the run, unless somebody asked for that."""
        return None if isinstance(self._fatal, Cancelled) else self._fatal

    # Permission and stopping

    def _permit(self) -> None:
        """Raise unless one more write may start at this very moment."""
        self._stop.check()
        self._held.check()

    def _answered(self, error: RsspotError | None) -> None:
        """Stop when one write after the other stays in doubt: the service, or the way to it, is broken."""
        self._doubts = self._doubts + 1 if isinstance(error, OutcomeUnknown) else 0
        if self._doubts >= MOST_DOUBTS:
            self._stop.ask(RunOutcome.UNKNOWN)

    def _on_stop(self) -> None:
        if self._stop.abandoned:
            for task in self._tasks:
                task.cancel()
        elif self._grace is None and self._stop.outcome is not RunOutcome.UNKNOWN:
            # What is in doubt is looked up to its end: nobody is waiting to kill the process.
            self._grace = asyncio.get_running_loop().call_later(self._options.grace, self._stop.abandon)

    def _end(self, error: Exception) -> None:
        """Note what ends the run. If the lease was lost, that is the reason, whatever error came first."""
        with suppress(Exception):
            try:
                self._held.check()
            except Locked as lost:
                error = lost
        self._fatal = error if isinstance(error, Locked) else self._fatal or error

    # Steps

    async def _one(self, step: Step) -> None:
        """One step from its turn to its end. Its dependents may start once it is settled, before it is ready."""
        try:
            await self._after_others(step)
            self._results[step.seq] = await self._result(step)
            self._settled[step.seq].set()
            self._results[step.seq] = await self._ready(step, self._results[step.seq])
        except asyncio.CancelledError:
            if not self._stop.abandoned:
                raise
            self._results[step.seq] = self._cut_off(step)
        finally:
            self._settled[step.seq].set()
            self._finished[step.seq].set()
        result = self._results[step.seq]
        readiness = result.readiness.phase.value if result.readiness else ""
        self.events.put_nowait(StepEnded(step.change.address, step.verb.value, result.state, readiness, result.detail))

    async def _after_others(self, step: Step) -> None:
        over = self._finished if step.patient else self._settled
        for seq in step.after:
            if not over[seq].is_set():
                await over[seq].wait()

    async def _result(self, step: Step) -> Result:
        async with self._slots:
            # The sandbox never waits for anything: signals and events would not get their turn until all is done.
            await asyncio.sleep(0)
            if (reason := self._reason_to_skip(step)) is not None:
                return self._skip(step, reason)
            try:
                self.events.put_nowait(StepStarted(step.change.address, step.verb.value))
                result = await self._executor.perform(step)
            except Exception as error:
                self._end(error)
                result = self._undecided(step, STOPPED)
        self._failed = self._failed or result.state not in GOOD
        return result

    def _reason_to_skip(self, step: Step) -> str | None:
        if self._fatal is not None or self._stop.asked:
            return STOPPED
        if self._failed and self._options.fail_fast:
            return FAILED_FAST
        blocker = next((seq for seq in sorted(step.after) if not self._is_good_enough_for(step, seq)), None)
        return f"{self._steps[blocker].change.address} is not done" if blocker is not None else None

    def _is_good_enough_for(self, step: Step, seq: int) -> bool:
        """Whether a step came out well enough for one that depends on it."""
        result = self._results[seq]
        unready = result.readiness is not None and result.readiness.phase is not Phase.READY
        return result.state in GOOD and not (unready and step.patient)

    async def _ready(self, step: Step, result: Result) -> Result:
        try:
            return await self._executor.await_ready(step, result)
        except Exception as error:
            self._end(error)
            return result

    async def _await_pending(self, pending: Pending) -> None:
        """Wait for a declared object that nothing had to be done for, and that was not ready when it was planned."""

        def tell(seen: Readiness) -> None:
            self.events.put_nowait(Waiting(pending.address, seen.phase.value, seen.note))

        kind, wanted = self._context.kinds[pending.ref.kind], self._context.wait_for
        try:
            waited = await wait_for(self._context, self._lookout, kind, pending.ref.name, tell, wanted=wanted)
        except asyncio.CancelledError:
            if not self._stop.abandoned:
                raise
            waited = NOT_WAITED_FOR
        except Exception as error:
            self._end(error)
            return
        result = Result(StepState.SATISFIED, waited.note, waited, waited.phase.is_as_far_as(wanted))
        self._waited.append(result)
        self.events.put_nowait(StepEnded(pending.address, "wait", result.state, waited.phase.value, waited.note))

    # Steps that do not come to their end

    def _skip(self, step: Step, reason: str) -> Result:
        """A step that was never begun. All of them are written down together, at the end."""
        self._skipped[step.seq] = reason
        return Result(StepState.SKIPPED, reason)

    def _cut_off(self, step: Step) -> Result:
        """A step that was abandoned wherever it was."""
        if (result := self._results.get(step.seq)) is not None:
            return Result(result.state, NOT_WAITED_FOR.note, NOT_WAITED_FOR, reached=False)
        if step.seq in self._executor.run.intended:
            return self._undecided(step, ABANDONED)
        return self._skip(step, STOPPED)

    def _undecided(self, step: Step, detail: str) -> Result:
        """A step that was broken off: unknown if a request of it may have arrived. The next run looks it up."""
        if step.seq not in self._executor.run.intended:
            return self._skip(step, detail)
        state = StepState.UNKNOWN
        # Without the lease, or without a ledger, it stays open as it is.
        with suppress(Exception):
            state = self._log.cut_off(step.seq, detail)
        return Result(state, detail)
