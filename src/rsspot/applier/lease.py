"""The lease of a stack: held while an apply runs, renewed in the background, checked before every write."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from rsspot.errors import Locked
from rsspot.state.ledger.protocol import Holder, Lease, Ledger
from rsspot.utils.clock import utc_now

TTL = 60.0
RENEW_EVERY = 15.0


class Held:
    """A lease that renews itself."""

    def __init__(self, ledger: Ledger, lease: Lease) -> None:
        self._ledger = ledger
        self.lease = lease

    def check(self) -> None:
        """Raise Locked unless a mutation may still be sent."""
        if not self._ledger.holds(self.lease, utc_now()):
            raise Locked(f"the lease of {self.lease.scope} was lost", hint="another apply took over; run plan again")

    async def renew(self) -> None:
        """Prolong the lease until cancelled or lost."""
        with suppress(Locked):
            while True:
                await asyncio.sleep(RENEW_EVERY)
                self.lease = self._ledger.renew(self.lease, utc_now(), TTL)


@asynccontextmanager
async def hold(ledger: Ledger, scope: str) -> AsyncIterator[Held]:
    """Take the lease of a stack for the length of a block. Raises Locked at once when another run has it."""
    holder = Holder(uuid.uuid4().hex, socket.gethostname(), os.getpid())
    held = Held(ledger, ledger.acquire(scope, holder, utc_now(), TTL))
    renewing = asyncio.create_task(held.renew())
    try:
        yield held
    finally:
        renewing.cancel()
        ledger.release(held.lease)
