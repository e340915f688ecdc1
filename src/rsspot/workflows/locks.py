"""The lease of a stack as people use it: who has it, keeping everybody out, and taking it away. Prints nothing."""

from __future__ import annotations

import getpass
import os
import socket
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import UsageError, not_found
from rsspot.state.ledger.protocol import Holder, Lease, Ledger
from rsspot.utils.process import has_ended, identity_of
from rsspot.workflows.known import scope_id

UNTIL_GIVEN_BACK = 0.0
"""A lease that a person holds does not expire, whatever its time says."""


class LockState(StrEnum):
    """What a lease tells about its holder."""

    HELD = "held"
    """A person keeps everybody out."""
    RUNNING = "running"
    """An apply renews it."""
    EXPIRED = "expired"
    """It was not renewed in time: the next apply watches it for a while, and then takes it over."""
    ENDED = "ended"
    """Its process has ended: the next apply takes it over at once."""


@dataclass(frozen=True)
class Lock:
    """A lease and what it tells."""

    lease: Lease
    state: LockState


def locks(ledger: Ledger, now: datetime, stack: str | None = None) -> list[Lock]:
    """The leases that are held, of one stack if it is named."""
    return [Lock(each, state_of(each, now)) for each in ledger.leases() if stack in (None, _stack_of(each))]


def _stack_of(lease: Lease) -> str:
    return lease.scope.rpartition("/")[2]


def state_of(lease: Lease, now: datetime) -> LockState:
    """What a lease tells, as far as it can be known from here."""
    holder = lease.holder
    if lease.reason:
        return LockState.HELD
    if holder.host == socket.gethostname() and has_ended(holder.pid, holder.process):
        return LockState.ENDED
    return LockState.RUNNING if now < lease.expires_at else LockState.EXPIRED


async def hold_lock(client: AsyncSpotClient, ledger: Ledger, stack: str, reason: str) -> Lease:
    """Keep every apply of a stack out until the lease is broken. Raises Locked while somebody has it."""
    scope = scope_id(client.base_url, await client.organization.namespace(), stack)
    return ledger.acquire(scope, this_person(), client.clock.now(), UNTIL_GIVEN_BACK, reason=reason)


def this_person() -> Holder:
    """Whoever runs the command, as the holder of a lease."""
    pid, host = os.getpid(), socket.gethostname()
    return Holder(f"{getpass.getuser()}@{host}", host, pid, identity_of(pid))


def break_lock(ledger: Ledger, fence: int, stack: str | None = None) -> Lease:
    """Take a lease away from its holder, who then sends nothing any more. fence: its number, as `locks` tells it

    Raises NotFound if no lease that is held has it, and UsageError if several have. It is that of the lease that was
    looked at, so that no other one, taken meanwhile, is broken by mistake.
    """
    held = [each for each in ledger.leases() if stack in (None, _stack_of(each))]
    chosen = [each for each in held if each.fence == fence]
    if len(chosen) > 1:
        scopes = ", ".join(each.scope for each in chosen)
        raise UsageError(f"several leases have the fence {fence}: {scopes}", hint="name the stack with --stack")
    if not chosen:
        listed = "; ".join(f"{each.scope} has the fence {each.fence}" for each in held)
        raise not_found(f"no lease that is held has the fence {fence}", hint=listed or "no lease is held")
    ledger.release(chosen[0])
    return chosen[0]
