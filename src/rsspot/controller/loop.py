"""Controller: plans a stack, applies what differs if it may, waits, and begins again. Prints nothing.

    async for round in Controller(client, open_ledger, read, options).rounds():
        ...

A round never raises for what a later one may mend: an outage, a refused plan, manifests with a mistake. The stack
itself is protected as in any apply, by its lease, its guards and its budget; a lease of the controller's own keeps a
second controller of the same stack on standby.
"""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, closing
from dataclasses import dataclass, field, replace

from rsspot.applier.events import Event
from rsspot.applier.lease import hold
from rsspot.client.async_client import AsyncSpotClient
from rsspot.controller.interval import Interval
from rsspot.controller.reconciler import Read, Reconciler, RoundOptions
from rsspot.controller.rounds import DesiredState, Round, RoundOutcome
from rsspot.controller.stop import Stop
from rsspot.errors import Locked, PlanRefused, Problem, RsspotError, StateError
from rsspot.manifests.manifest import ManifestSet
from rsspot.state.ledger.protocol import Ledger
from rsspot.workflows.known import scope_id

STANDBY_LOOKS = 15.0
"""Seconds after which a controller on standby looks whether the other one has gone."""
SUFFIX = "#watch"
"""What the lease of a controller has after the scope of its stack."""


@dataclass(frozen=True)
class ControllerOptions:
    """What a controller does, and how often. most_rounds: how many rounds it does; None for no end."""

    round: RoundOptions = field(default_factory=RoundOptions)
    interval: Interval = field(default_factory=Interval)
    most_rounds: int | None = None


Identity = tuple[str, str | None, str | None]
"""The stack, organization and profile that manifests name."""


class Controller:
    """Keeps one stack as its manifests say, or tells where it is not.

    ledger: opens the ledger; again after it could not be read or written · read: gives the manifests, anew each round
    on_event: hears of what a run does
    """

    def __init__(
        self,
        client: AsyncSpotClient,
        ledger: Callable[[], Ledger],
        read: Read,
        options: ControllerOptions | None = None,
        *,
        stop: Stop | None = None,
        chance: random.Random | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self._client, self._open, self._read = client, ledger, read
        self._options = options or ControllerOptions()
        self._chance = chance or random.Random()
        self.stop = stop or Stop()
        self._reconciler = Reconciler(client, self._options.round, stop=self.stop, on_event=on_event)
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
                continue
            except Locked as error:
                idle = self._idle(RoundOutcome.STANDBY, error)
            except RsspotError as error:
                idle = self._idle(RoundOutcome.FAILED, error)
            yield idle
            if not self._done:
                await self.stop.wait(idle.wait, self._client.clock)

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
        async with hold(ledger, await self._scope(), hooks=self._client.hooks) as held:
            while not self._done:
                held.check()
                self._count += 1
                ended = await self._reconciler.round(ledger, self._same_stack, self._count, self._stack)
                ended = replace(ended, wait=self._wait_after(ended.outcome))
                yield ended
                if not self._done:
                    await self.stop.wait(ended.wait, self._client.clock)
                if isinstance(ended.error, StateError):
                    return

    def _idle(self, outcome: RoundOutcome, error: RsspotError) -> Round:
        """A round that could not begin."""
        self._count += 1
        wait = STANDBY_LOOKS if outcome is RoundOutcome.STANDBY else self._wait_after(outcome)
        now = self._client.clock.now()
        return Round(self._count, self._stack, now, outcome, wait=wait, error=error, reason=error.message)

    def _wait_after(self, outcome: RoundOutcome) -> float:
        self._failures = self._failures + 1 if outcome is RoundOutcome.FAILED else 0
        return self._options.interval.wait(self._failures, self._chance)

    async def _same_stack(self) -> DesiredState:
        """The manifests. Refuses those of another stack or account: the lease and the client are of the first ones."""
        declared = await self._read()
        now, then = _identity(declared.manifests), self._identity
        if now != then:
            message = f"the manifests are of {_named(now)} now, and were of {_named(then)} at the start"
            raise PlanRefused([Problem(message)], hint="start the controller again")
        return declared


def _identity(manifests: ManifestSet) -> Identity:
    return manifests.stack, manifests.organization, manifests.profile


def _named(identity: Identity) -> str:
    stack, organization, profile = identity
    account = " and ".join(
        filter(None, [organization and f"organization {organization}", profile and f"profile {profile}"])
    )
    return f"the stack {stack}" + (f" of {account}" if account else "")
