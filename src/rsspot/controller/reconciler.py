"""Reconciler: one round for one stack: read, plan, and apply if it may. Raises nothing that a later round may mend."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from rsspot.applier.events import Event, Recap, RunOutcome
from rsspot.applier.options import ApplyOptions
from rsspot.client.async_client import AsyncSpotClient
from rsspot.controller.rounds import DesiredState, Round, RoundOutcome
from rsspot.controller.stop import Stop
from rsspot.errors import Locked, PlanRefused, RsspotError
from rsspot.planner.case import Rule
from rsspot.planner.options import PlanOptions
from rsspot.planner.plan import Plan
from rsspot.state.ledger.protocol import Ledger
from rsspot.workflows.reconcile import apply_plan, make_plan

Read = Callable[[], Awaitable[DesiredState]]
"""Gives the manifests as they are now."""


@dataclass(frozen=True)
class RoundOptions:
    """What a round may do. apply: whether it applies what differs"""

    apply: bool = False
    plan: PlanOptions = field(default_factory=PlanOptions)
    run: ApplyOptions = field(default_factory=ApplyOptions)


class Reconciler:
    """Does rounds with one client. on_event: hears of what a run does"""

    def __init__(
        self,
        client: AsyncSpotClient,
        options: RoundOptions | None = None,
        *,
        stop: Stop | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self._client, self._options = client, options or RoundOptions()
        self._on_event = on_event or (lambda _: None)
        self.stop = stop or Stop()

    async def round(self, ledger: Ledger, read: Read, number: int = 1, stack: str = "") -> Round:
        """What became of one round. number, stack: of the round, if nothing could be read"""
        clock = self._client.clock
        started = clock.monotonic()
        begun = Round(number, stack, clock.now(), RoundOutcome.FAILED)
        ended = await self._reconciled(ledger, read, begun)
        return replace(ended, seconds=clock.monotonic() - started)

    async def apply_shown(self, ledger: Ledger, shown: Round) -> Round:
        """Apply the plan of a round that somebody has seen. What has moved since is left alone, and fails the run."""
        started = self._client.clock.monotonic()
        try:
            ended = await self._settled(ledger, shown)
        except RsspotError as error:
            ended = _ended_by(error, shown)
        return replace(ended, seconds=self._client.clock.monotonic() - started)

    async def _reconciled(self, ledger: Ledger, read: Read, begun: Round) -> Round:
        """What became of a round that began. Each part of it that is known by then is in it."""
        known = begun
        try:
            declared = await read()
            known = replace(known, declared=declared, stack=declared.manifests.stack)
            plan = await make_plan(self._client, ledger, declared.manifests, options=self._options.plan)
            known = replace(known, plan=plan)
            return await self._settled(ledger, known)
        except RsspotError as error:
            return _ended_by(error, known)

    async def _settled(self, ledger: Ledger, known: Round) -> Round:
        """What becomes of a round that has its plan."""
        plan, declared = known.plan, known.declared
        assert plan is not None and declared is not None
        outcome, reason = self._judged(plan, declared)
        if plan.empty and self._options.apply and ledger.unfinished_runs(plan.scope):
            # A run that was killed at its end is closed: what it sent is looked up, as at the beginning of any apply.
            outcome = RoundOutcome.APPLIED
        if outcome is not RoundOutcome.APPLIED:
            return replace(known, outcome=outcome, reason=reason)
        return _ended(known, await self._applied(ledger, plan))

    def _judged(self, plan: Plan, declared: DesiredState) -> tuple[RoundOutcome, str]:
        """What is to become of a plan, and why it is not applied."""
        if plan.refusals:
            # What could not be read may be read next time, and nobody has to mend anything.
            unread = all(problem.rule == Rule.INCOMPLETE_READ for problem in plan.refusals)
            outcome = RoundOutcome.FAILED if unread else RoundOutcome.REFUSED
            return outcome, "; ".join(problem.message for problem in plan.refusals)
        if plan.empty:
            return RoundOutcome.IN_SYNC, ""
        if not self._options.apply:
            return RoundOutcome.OUT_OF_SYNC, ""
        pause = declared.manifests.stack_spec.pause
        if pause is not None and pause.holds(self._client.clock.now()):
            return RoundOutcome.PAUSED, pause.sentence
        return RoundOutcome.APPLIED, ""

    async def _applied(self, ledger: Ledger, plan: Plan) -> Recap | None:
        """Apply a plan. None if it was stopped before its run began."""
        recap = None
        with self.stop.during() as token:
            options = replace(self._options.run, stop=token)
            async with aclosing(apply_plan(self._client, ledger, plan, options)) as events:
                async for event in events:
                    self._on_event(event)
                    if isinstance(event, Recap):
                        recap = event
        return recap


def _ended_by(error: RsspotError, known: Round) -> Round:
    """What became of a round that an error ended."""
    outcomes = {Locked: RoundOutcome.LOCKED, PlanRefused: RoundOutcome.REFUSED}
    return replace(known, outcome=outcomes.get(type(error), RoundOutcome.FAILED), error=error, reason=error.message)


def _ended(known: Round, recap: Recap | None) -> Round:
    if recap is not None and recap.outcome is RunOutcome.OK:
        return replace(known, outcome=RoundOutcome.APPLIED, recap=recap)
    reason = f"run {recap.run} ended {recap.outcome.value}" if recap else "it was stopped before its run began"
    return replace(known, outcome=RoundOutcome.FAILED, recap=recap, reason=reason)
