"""Controller: plans a stack, applies what differs if it may, waits, and begins again. Prints nothing.

    async for round in Controller(client, open_ledger, read, options).rounds():
        ...

A round never raises for what a later one may mend: an outage, a refused plan, manifests with a mistake. The stack
itself is protected as in any apply, by its lease, its guards and its budget; a lease of the controller's own keeps a
second controller of the same stack on standby.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass, field, replace

from rsspot.applier.events import Event, Recap, RunOutcome
from rsspot.applier.lease import hold
from rsspot.applier.options import ApplyOptions, CancelToken
from rsspot.client.async_client import AsyncSpotClient
from rsspot.controller.interval import Interval
from rsspot.controller.rounds import DesiredState, Round, RoundOutcome
from rsspot.errors import Locked, PlanRefused, Problem, RsspotError, StateError
from rsspot.manifests.manifest import ManifestSet
from rsspot.planner.case import Rule
from rsspot.planner.options import PlanOptions
from rsspot.planner.plan import Plan
from rsspot.state.ledger.protocol import Ledger
from rsspot.utils.clock import Clock
from rsspot.workflows.known import scope_id
from rsspot.workflows.reconcile import apply_plan, make_plan

STANDBY_LOOKS = 15.0
"""Seconds after which a controller on standby looks whether the other one has gone."""
SUFFIX = "#watch"
"""What the lease of a controller has after the scope of its stack."""


@dataclass(frozen=True)
class ControllerOptions:
    """What a controller does in each round. most_rounds: how many rounds it does; None for no end."""

    apply: bool = False
    interval: Interval = field(default_factory=Interval)
    plan: PlanOptions = field(default_factory=PlanOptions)
    run: ApplyOptions = field(default_factory=ApplyOptions)
    most_rounds: int | None = None


Identity = tuple[str, str | None, str | None]
"""The stack, organization and profile that manifests name."""


class Stop:
    """The wish that a controller ends: it begins nothing more, and a run under way is stopped as Ctrl-C does it."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._run: CancelToken | None = None

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    @property
    def is_heard(self) -> bool:
        """Whether a run is under way that ends by itself once it is asked to."""
        return self._run is not None and self._run.is_heard

    def ask(self) -> None:
        """End soon."""
        self._asked.set()
        if self._run is not None:
            self._run.ask()

    def abandon(self) -> None:
        """End without waiting for the requests under way."""
        self._asked.set()
        if self._run is not None:
            self._run.abandon()

    @contextmanager
    def during(self) -> Iterator[CancelToken]:
        """The token of the run that lasts as long as the block."""
        self._run = CancelToken()
        if self.asked:
            self._run.ask()
        try:
            yield self._run
        finally:
            self._run = None

    async def wait(self, seconds: float, clock: Clock) -> None:
        """Let that much time pass, or less if the end is asked for."""
        tasks = [asyncio.ensure_future(self._asked.wait()), asyncio.ensure_future(clock.sleep(seconds))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()


class Controller:
    """Keeps one stack as its manifests say, or tells where it is not.

    ledger: opens the ledger; again after it could not be read or written · read: gives the manifests, anew each round
    on_event: hears of what a run does · lease_clock: that of all who share the ledger; the system's unless given
    """

    def __init__(
        self,
        client: AsyncSpotClient,
        ledger: Callable[[], Ledger],
        read: Callable[[], Awaitable[DesiredState]],
        options: ControllerOptions | None = None,
        *,
        stop: Stop | None = None,
        chance: random.Random | None = None,
        on_event: Callable[[Event], None] | None = None,
        lease_clock: Clock | None = None,
    ) -> None:
        self._client, self._open, self._read = client, ledger, read
        self._options = options or ControllerOptions()
        self._chance = chance or random.Random()
        self._on_event = on_event or (lambda _: None)
        self._lease_clock = lease_clock
        self.stop = stop or Stop()
        self._stack = ""
        self._identity: Identity = ("", None, None)
        self._count = self._failures = 0

    async def rounds(self) -> AsyncGenerator[Round, None]:
        """Do rounds until the end is asked for, or there were enough; yield what became of each."""
        while not self._done:
            try:
                with closing(self._open()) as ledger:
                    async with aclosing(self._leading(ledger)) as rounds:
                        async for each in rounds:
                            yield each
            except Locked as error:
                yield await self._idle(RoundOutcome.STANDBY, error)
            except RsspotError as error:
                yield await self._idle(RoundOutcome.FAILED, error)

    @property
    def _done(self) -> bool:
        most = self._options.most_rounds
        return self.stop.asked or (most is not None and self._count >= most)

    async def _scope(self) -> str:
        """The scope of the controller's lease. Its manifests name the stack; which one it is does not change."""
        if not self._stack:
            manifests = (await self._read()).manifests
            self._stack, self._identity = manifests.stack, _identity(manifests)
        return scope_id(self._client.base_url, await self._client.organization.namespace(), self._stack) + SUFFIX

    async def _leading(self, ledger: Ledger) -> AsyncGenerator[Round, None]:
        """Rounds while the lease lasts and the ledger works. Raises Locked while another controller has the stack."""
        async with hold(ledger, await self._scope(), self._lease_clock, self._client.hooks) as held:
            while not self._done:
                held.check()
                ended = await self._round(ledger)
                ended = replace(ended, wait=self._wait_after(ended.outcome))
                yield ended
                if not self._done:
                    await self.stop.wait(ended.wait, self._client.clock)
                if isinstance(ended.error, StateError):
                    return

    async def _idle(self, outcome: RoundOutcome, error: RsspotError) -> Round:
        """A round that could not begin. Waits before it is told, so that the caller can ask at once for the next."""
        self._count += 1
        wait = STANDBY_LOOKS if outcome is RoundOutcome.STANDBY else self._wait_after(outcome)
        began = self._client.clock.now()
        await self.stop.wait(wait, self._client.clock)
        return Round(self._count, self._stack, began, outcome, wait=wait, error=error, reason=error.message)

    def _wait_after(self, outcome: RoundOutcome) -> float:
        self._failures = self._failures + 1 if outcome is RoundOutcome.FAILED else 0
        return self._options.interval.wait(self._failures, self._chance)

    async def _round(self, ledger: Ledger) -> Round:
        self._count += 1
        clock = self._client.clock
        started = clock.monotonic()
        begun = Round(self._count, self._stack, clock.now(), RoundOutcome.FAILED)
        ended = await self._reconciled(ledger, begun)
        return replace(ended, seconds=clock.monotonic() - started)

    async def _reconciled(self, ledger: Ledger, begun: Round) -> Round:
        """What became of a round that began. Each part of it that is known by then is in it."""
        known = begun
        try:
            declared = await self._read()
            self._require_same_stack(declared)
            known = replace(known, declared=declared)
            plan = await make_plan(self._client, ledger, declared.manifests, options=self._options.plan)
            known = replace(known, plan=plan)
            outcome, reason = self._judged(plan, declared)
            if outcome is not RoundOutcome.APPLIED:
                return replace(known, outcome=outcome, reason=reason)
            return _ended(known, await self._applied(ledger, plan))
        except Locked as error:
            return replace(known, outcome=RoundOutcome.LOCKED, error=error, reason=error.message)
        except PlanRefused as error:
            return replace(known, outcome=RoundOutcome.REFUSED, error=error, reason=error.message)
        except RsspotError as error:
            return replace(known, outcome=RoundOutcome.FAILED, error=error, reason=error.message)

    def _require_same_stack(self, declared: DesiredState) -> None:
        """Refuse manifests of another stack or account: the lease and the client are those of the first ones."""
        now, then = _identity(declared.manifests), self._identity
        if now != then:
            message = f"the manifests are of {_named(now)} now, and were of {_named(then)} at the start"
            raise PlanRefused([Problem(message)], hint="start the controller again")

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


def _identity(manifests: ManifestSet) -> Identity:
    return manifests.stack, manifests.organization, manifests.profile


def _named(identity: Identity) -> str:
    stack, organization, profile = identity
    account = " and ".join(
        filter(None, [organization and f"organization {organization}", profile and f"profile {profile}"])
    )
    return f"the stack {stack}" + (f" of {account}" if account else "")


def _ended(known: Round, recap: Recap | None) -> Round:
    if recap is not None and recap.outcome is RunOutcome.OK:
        return replace(known, outcome=RoundOutcome.APPLIED, recap=recap)
    reason = f"run {recap.run} ended {recap.outcome.value}" if recap else "it was stopped before its run began"
    return replace(known, outcome=RoundOutcome.FAILED, recap=recap, reason=reason)
