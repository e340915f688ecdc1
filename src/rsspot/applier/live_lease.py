"""The lease of a stack on a live object: an annotation that is written only onto the version that was read.

It keeps applies on different machines apart where they share no ledger. Nobody's time of day is believed: whoever waits
watches an expired lease for as long as one lasts, and whoever holds one counts from the moment at which it last asked
for its renewal, also through a suspend, and sends nothing once that time is over. What it cannot do is to look at the
fence in one transaction with an intent, as a ledger does: a request that is on its way by then still arrives.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from rsspot.applier.lease import LOOK_EVERY, RENEW_EVERY, TTL, this_holder
from rsspot.constants import LEASE_ANNOTATION
from rsspot.errors import Conflict, Locked, NotFound, OutcomeUnknown, RsspotError
from rsspot.http.hooks import Hooks
from rsspot.resources.documents import Documents
from rsspot.state.ledger.protocol import Holder, Lease
from rsspot.state.ledger.rules import is_doubtful, require_free, still_holds
from rsspot.utils.clock import Clock, SystemClock
from rsspot.utils.serialization import Document, at_path

log = logging.getLogger("rsspot.applier")

MARGIN = 10.0
"""How many seconds before its end a lease is no longer used: a request takes time, and clocks differ in speed."""
TRIES = 20
"""How often others may change the object while a lease is written onto it."""


class Carrier:
    """A live object that may carry the lease of a stack. scope: of the stack"""

    def __init__(self, documents: Documents, name: str, scope: str) -> None:
        self._documents, self._name, self.scope = documents, name, scope
        self.address = f"{documents.kind.name.lower()}/{name}"

    async def look(self) -> Document:
        """The object as it is. Raises NotFound."""
        return await self._documents.get(self._name)

    def lease_on(self, live: Document) -> Lease | None:
        """The lease that an object carries. Raises Locked if it was not written by rsspot."""
        written = _written(live)
        if not written or not written.get("holder"):
            return None
        try:
            expires_at = datetime.fromisoformat(written["expiresAt"])
            holder = Holder(**written["holder"])
            lease = Lease(self.scope, holder, int(written["fence"]), expires_at, str(written["reason"]))
            if expires_at.tzinfo is None or not isinstance(holder.pid, int):
                raise ValueError
        except (KeyError, TypeError, ValueError):
            hint = f"delete its annotation {LEASE_ANNOTATION} if no apply is running"
            raise Locked(f"cannot read the lease on {self.address}", hint=hint) from None
        return lease

    def next_fence(self, live: Document) -> int:
        """The fence of the next lease: one was higher than all before, also of those that were given back."""
        fence = (_written(live) or {}).get("fence", 0)
        return (fence if isinstance(fence, int) else 0) + 1

    async def write(self, live: Document, lease: Lease, *, held: bool = True) -> None:
        """Write a lease onto the version that was read. Raises Conflict if the object has changed."""
        holder = asdict(lease.holder) if held else None
        expires_at = lease.expires_at.isoformat()
        text = json.dumps({"holder": holder, "fence": lease.fence, "expiresAt": expires_at, "reason": lease.reason})
        version = at_path(live, ("metadata", "resourceVersion"))
        annotations = {LEASE_ANNOTATION: text}
        await self._documents.patch(self._name, {"metadata": {"resourceVersion": version, "annotations": annotations}})

    async def release(self, lease: Lease) -> bool:
        """Give a lease back, whoever has it. Returns whether it was still there."""
        for _ in range(TRIES):
            live = await self.look()
            if not still_holds(self.lease_on(live), lease):
                return False
            with suppress(Conflict):
                await self.write(live, lease, held=False)
                return True
        raise Locked(f"{self.address} changes all the time", hint="try again")


def _written(live: Document) -> dict[str, Any] | None:
    text = at_path(live, ("metadata", "annotations", LEASE_ANNOTATION))
    try:
        written = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return {"holder": {"unreadable": text}}
    return written if isinstance(written, dict) or written is None else {"holder": {"unreadable": text}}


class HeldOn:
    """A lease on a live object that renews itself."""

    def __init__(self, carrier: Carrier, lease: Lease, uid: object, renewed: float, clock: Clock) -> None:
        self._carrier, self._uid, self._renewed, self._clock = carrier, uid, renewed, clock
        self.lease, self.lost = lease, False

    def check(self) -> None:
        """Raise Locked unless a mutation may still be sent."""
        if self.lost or self._clock.monotonic() - self._renewed > TTL - MARGIN:
            raise Locked(
                f"the lease of {self.lease.scope} on {self._carrier.address} was lost",
                hint="it could not be renewed in time, or another apply took over; run plan again",
            )

    async def renew(self) -> None:
        """Prolong the lease until cancelled or lost."""
        while not self.lost:
            await self._clock.sleep(RENEW_EVERY)
            # What cannot be renewed now may be the next time; `check` tells when that is too late.
            with suppress(RsspotError):
                await self.renew_once()

    async def renew_once(self) -> None:
        """Prolong the lease. An object that was made anew meanwhile carries it on."""
        began = self._clock.monotonic()
        live = await self._carrier.look()
        made_anew = live["metadata"].get("uid") != self._uid and _written(live) is None
        if not made_anew and not still_holds(self._carrier.lease_on(live), self.lease):
            self.lost = True
            return
        renewed = replace(self.lease, expires_at=self._clock.now() + timedelta(seconds=TTL))
        await self._carrier.write(live, renewed)
        self.lease, self._uid, self._renewed = renewed, live["metadata"].get("uid"), began


@asynccontextmanager
async def hold_on(
    carrier: Carrier, clock: Clock | None = None, hooks: Hooks | None = None
) -> AsyncIterator[HeldOn | None]:
    """Take the lease on an object for the length of a block. None while there is no such object.

    Raises Locked when another run has it. clock: the simulator's is not one that others go by
    """
    clock = clock or SystemClock()
    try:
        held = await _taken(carrier, this_holder(), clock, hooks or Hooks())
    except NotFound:
        log.warning("there is no %s yet to carry the lease of %s", carrier.address, carrier.scope)
        yield None
        return
    renewing = asyncio.create_task(held.renew())
    try:
        yield held
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        # If it cannot be given back, it expires.
        with suppress(RsspotError):
            await carrier.release(held.lease)


async def acquire_on(carrier: Carrier, holder: Holder, now: datetime, ttl: float, reason: str) -> Lease:
    """Take the lease on an object for a person. Raises Locked, and NotFound if there is no such object."""
    for _ in range(TRIES):
        live = await carrier.look()
        require_free(carrier.lease_on(live), holder, now)
        lease = Lease(carrier.scope, holder, carrier.next_fence(live), now + timedelta(seconds=ttl), reason)
        with suppress(Conflict):
            await carrier.write(live, lease)
            return lease
    raise Locked(f"{carrier.address} changes all the time", hint="try again")


async def _taken(carrier: Carrier, holder: Holder, clock: Clock, hooks: Hooks) -> HeldOn:
    abandoned: Lease | None = None
    for _ in range(TRIES):
        began, live = clock.monotonic(), await carrier.look()
        current = carrier.lease_on(live)
        if still_holds(current, lease := Lease(carrier.scope, holder, carrier.next_fence(live) - 1, clock.now())):
            # The answer to our write was lost.
            return HeldOn(carrier, current or lease, live["metadata"].get("uid"), began, clock)
        if abandoned is None and current is not None and is_doubtful(current, holder, clock.now(), TTL):
            abandoned = await _watched(carrier, current, clock, hooks)
            continue
        require_free(current, holder, clock.now(), abandoned)
        lease = Lease(carrier.scope, holder, carrier.next_fence(live), clock.now() + timedelta(seconds=TTL))
        with suppress(Conflict, OutcomeUnknown):
            await carrier.write(live, lease)
            return HeldOn(carrier, lease, live["metadata"].get("uid"), began, clock)
    raise Locked(f"{carrier.address} changes all the time", hint="try again")


async def _watched(carrier: Carrier, lease: Lease, clock: Clock, hooks: Hooks) -> Lease:
    """An expired lease, after it was watched for as long as its holder may still use it."""
    until = clock.monotonic() + TTL
    with hooks.waiting(f"the lease on {carrier.address}, which {lease.holder.host} may hold"):
        while clock.monotonic() < until and carrier.lease_on(await carrier.look()) == lease:
            await clock.sleep(5 * LOOK_EVERY)
    return lease
