"""The lease of a stack on a live object that its Stack names: during an apply, and as people use it. Prints nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rsspot.applier.lease import Held
from rsspot.applier.live_lease import Carrier, acquire_on, hold_on
from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import UsageError, not_found
from rsspot.manifests.stack import require_address
from rsspot.planner.plan import Plan
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import Lease
from rsspot.utils.clock import utc_now
from rsspot.workflows.known import scope_id
from rsspot.workflows.locks import UNTIL_GIVEN_BACK, Lock, state_of, this_person


@asynccontextmanager
async def carried(client: AsyncSpotClient, plan: Plan, held: Held) -> AsyncIterator[None]:
    """Hold the lease on the live object that the Stack names, if it names one. held: asks it before each mutation"""
    if plan.lease is None:
        yield
        return
    async with hold_on(carrier_of(client, plan.lease, plan.scope), hooks=client.hooks) as lease:
        if lease is not None:
            held.also.append(lease.check)
        yield


def carrier_of(client: AsyncSpotClient, address: str, scope: str) -> Carrier:
    """The live object that carries the lease of a stack. address: such as `cloudspace/edge`; raises UsageError"""
    try:
        require_address(address)
    except ValueError as error:
        raise UsageError(f"{address!r} {error}") from None
    kind, _, name = address.partition("/")
    return Carrier(client.documents(next(each for each in kinds().values() if each.name.lower() == kind)), name, scope)


async def lock_on(client: AsyncSpotClient, address: str, stack: str) -> list[Lock]:
    """The lease that a live object carries, if it carries one. Raises NotFound."""
    carrier = await _carrier(client, address, stack)
    lease = carrier.lease_on(await carrier.look())
    return [Lock(lease, state_of(lease, utc_now()))] if lease else []


async def hold_lock_on(client: AsyncSpotClient, address: str, stack: str, reason: str) -> Lease:
    """The same as `hold_lock`, on a live object. Raises Locked, and NotFound if there is no such object."""
    return await acquire_on(await _carrier(client, address, stack), this_person(), utc_now(), UNTIL_GIVEN_BACK, reason)


async def break_lock_on(client: AsyncSpotClient, address: str, stack: str, fence: int) -> Lease:
    """The same as `break_lock`, on a live object."""
    carrier = await _carrier(client, address, stack)
    lease = carrier.lease_on(await carrier.look())
    if lease is None or lease.fence != fence or not await carrier.release(lease):
        hint = f"it carries one with the fence {lease.fence}" if lease else "it carries none"
        raise not_found(f"{carrier.address} carries no lease with the fence {fence}", hint=hint)
    return lease


async def _carrier(client: AsyncSpotClient, address: str, stack: str) -> Carrier:
    return carrier_of(client, address, scope_id(client.base_url, await client.organization.namespace(), stack))
