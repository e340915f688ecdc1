"""Leases as people use them: told, held, and broken by their number."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rsspot.errors import Locked, NotFound, UsageError
from rsspot.state.ledger.protocol import Holder, Lease
from rsspot.testing import SimulatedSpot
from rsspot.utils.clock import utc_now
from rsspot.workflows.locks import LockState, break_lock, hold_lock, locks
from support.holders import holder_that_ended, this_holder
from support.scenes import CLOUDSPACE, OpenScene, Scene

ELSEWHERE = Holder("one", "elsewhere", 1)
TTL = 60.0


@pytest.mark.parametrize(
    ("holder", "age", "state"),
    [
        (ELSEWHERE, 0, LockState.RUNNING),
        (ELSEWHERE, 120, LockState.EXPIRED),
        (this_holder(), 0, LockState.RUNNING),
        (holder_that_ended(), 0, LockState.ENDED),
    ],
)
def test_a_lease_tells_of_its_holder(scene: Scene, holder: Holder, age: int, state: LockState) -> None:
    """As far as it can be known from here."""
    now = utc_now()
    scene.ledger.acquire("spot/acme/web", holder, now, TTL)
    assert [each.state for each in locks(scene.ledger, now + timedelta(seconds=age))] == [state]
    assert locks(scene.ledger, now, "other") == []


async def test_nobody_applies_a_stack_that_a_person_holds(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Whoever is refused reads why, and how it ends."""
    lease = await hold_lock(scene.client, scene.ledger, "default", "restoring a backup")
    assert [each.state for each in locks(scene.ledger, utc_now() + timedelta(days=9))] == [LockState.HELD]
    with pytest.raises(Locked, match="restoring a backup") as refused:
        await scene.apply(CLOUDSPACE)
    assert f"rsspot lock break {lease.fence}" in str(refused.value.hint)
    with pytest.raises(Locked):
        await hold_lock(scene.client, scene.ledger, "default", "me too")
    assert not spot_api.requests("POST")
    assert break_lock(scene.ledger, lease.fence) == lease
    assert (await scene.apply(CLOUDSPACE)).outcome == "ok"


async def test_a_running_apply_is_not_held(open_scene: OpenScene) -> None:
    """Who wants to keep others out waits until it is over, or breaks its lease first."""
    scene = open_scene()
    plan = await scene.plan(CLOUDSPACE)
    running = scene.ledger.acquire(plan.scope, this_holder(), utc_now(), TTL)
    with pytest.raises(Locked):
        await hold_lock(scene.client, scene.ledger, "default", "repair")
    break_lock(scene.ledger, running.fence)
    assert not scene.ledger.holds(running)
    await hold_lock(scene.client, scene.ledger, "default", "repair")


def test_a_lease_is_broken_by_its_own_number_only(scene: Scene) -> None:
    """One that was taken since somebody looked has another."""
    first: Lease = scene.ledger.acquire("spot/acme/web", ELSEWHERE, utc_now(), TTL)
    scene.ledger.release(first)
    second = scene.ledger.acquire("spot/acme/web", ELSEWHERE, utc_now(), TTL)
    with pytest.raises(NotFound, match="no lease that is held has the fence 1") as refused:
        break_lock(scene.ledger, first.fence)
    assert "spot/acme/web has the fence 2" in str(refused.value.hint)
    scene.ledger.acquire("spot/acme/db", ELSEWHERE, utc_now(), TTL)
    db = scene.ledger.acquire("spot/acme/db", ELSEWHERE, utc_now() + timedelta(days=1), TTL)
    assert db.fence == second.fence
    with pytest.raises(UsageError, match="several leases"):
        break_lock(scene.ledger, 2)
    assert break_lock(scene.ledger, 2, "web") == second
    assert scene.ledger.leases() == [db]
