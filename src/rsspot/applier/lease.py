"""The lease of a stack: held while an apply runs, renewed in the background, checked before every write.

When a lease has to be renewed, and whether another one is abandoned, is told by the monotonic clock. The time of day in
the ledger is only for others, and is not believed when it says that a lease has expired: their clock may have been set.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from rsspot.errors import Locked, StateError
from rsspot.http.hooks import Hooks
from rsspot.state.ledger.protocol import Holder, Lease, Ledger
from rsspot.state.ledger.rules import is_doubtful
from rsspot.utils.clock import Clock, SystemClock
from rsspot.utils.process import identity_of
from rsspot.utils.provenance import job_of

log = logging.getLogger("rsspot.applier")

TTL = 60.0
RENEW_EVERY = 15.0
WATCH = 2 * RENEW_EVERY
"""How many seconds an expired lease is watched before it is taken over."""
LOOK_EVERY = 1.0
"""How often, in seconds."""


class Held:
    """A lease that renews itself."""

    def __init__(self, ledger: Ledger, lease: Lease, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._renewed = clock.monotonic()
        self.lease = lease
        self.also: list[Callable[[], None]] = []
        """What else is asked before a mutation; raises Locked."""

    def check(self) -> None:
        """Raise Locked unless a mutation may still be sent.

        Renews the lease first when it is time to: the background may not have come to it, on a busy event loop or after
        a suspend. A lease that has expired meanwhile and was not taken over is as good as before.
        """
        if self._clock.monotonic() - self._renewed >= RENEW_EVERY:
            self._renew()
        elif not self._ledger.holds(self.lease):
            raise self._lost()
        for check in self.also:
            check()

    @property
    def lost(self) -> bool:
        """Whether another run has taken the lease over."""
        return not self._ledger.holds(self.lease)

    async def renew(self) -> None:
        """Prolong the lease until cancelled or lost."""
        while True:
            await self._clock.sleep(RENEW_EVERY)
            try:
                self._renew()
            except Locked:
                return
            except StateError:
                # The next write fails with it, if the ledger cannot be written by then.
                continue

    def _renew(self) -> None:
        began = self._clock.monotonic()
        try:
            self.lease = self._ledger.renew(self.lease, self._clock.now(), TTL)
        except Locked:
            raise self._lost() from None
        self._renewed = began

    def _lost(self) -> Locked:
        return Locked(f"the lease of {self.lease.scope} was lost", hint="another apply took over; run plan again")


def this_holder() -> Holder:
    """A new lease is held by this process."""
    here = os.getpid()
    job = job_of(os.environ) or ""
    return Holder(uuid.uuid4().hex, socket.gethostname(), here, identity_of(here), job)


@asynccontextmanager
async def hold(
    ledger: Ledger, scope: str, clock: Clock | None = None, hooks: Hooks | None = None
) -> AsyncIterator[Held]:
    """Take the lease of a stack for the length of a block. Raises Locked when another run has it.

    clock: one that all processes which share the ledger go by; the simulator's is not · hooks: hear of the wait
    """
    clock, holder = clock or SystemClock(), this_holder()
    abandoned = await _watched(ledger, scope, holder, clock, hooks or Hooks())
    held = Held(ledger, ledger.acquire(scope, holder, clock.now(), TTL, abandoned=abandoned), clock)
    renewing = asyncio.create_task(held.renew())
    try:
        yield held
    finally:
        renewing.cancel()
        ledger.release(held.lease)


async def _watched(ledger: Ledger, scope: str, holder: Holder, clock: Clock, hooks: Hooks) -> Lease | None:
    """The lease that is left behind, if only watching could tell.

    None if the time of day tells, if the clock of the ledger's server does, or if it is released.
    """
    if ledger.keeps_time:
        return None
    lease = ledger.current_lease(scope)
    if lease is None or not is_doubtful(lease, holder, clock.now(), TTL):
        return None
    log.warning("the lease of %s has expired; watching for %g s whether its holder still renews it", scope, WATCH)
    until = clock.monotonic() + WATCH
    with hooks.waiting(f"the lease of {scope}, which process {lease.holder.pid} on {lease.holder.host} may hold"):
        while clock.monotonic() < until and ledger.current_lease(scope) == lease:
            await clock.sleep(LOOK_EVERY)
    return lease
