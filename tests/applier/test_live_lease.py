"""The lease on a live object: two ledgers that know nothing of each other, and one apply of a stack at a time."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest

from rsspot.applier.events import RunOutcome
from rsspot.applier.lease import RENEW_EVERY, TTL
from rsspot.applier.live_lease import MARGIN, Carrier, hold_on
from rsspot.cli.app import run
from rsspot.constants import LEASE_ANNOTATION
from rsspot.errors import Locked, NotFound
from rsspot.planner.plan import Plan
from rsspot.resources.registry import kinds
from rsspot.state.database import Database
from rsspot.state.ledger.sqlite import SqliteLedger
from rsspot.testing import SimulatedSpot
from rsspot.workflows.live_locks import break_lock_on, carrier_of, hold_lock_on, lock_on
from support.paced import Paced
from support.scenes import CLOUDSPACE, STACK, OpenScene, Scene

NAMED = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: web}\nspec: {lease: cloudspace/edge}\n---\n"


@pytest.fixture
async def scene(open_scene: OpenScene) -> Scene:
    """A stack whose cloudspace is there."""
    opened = open_scene()
    assert (await opened.apply(NAMED + CLOUDSPACE)).outcome is RunOutcome.OK
    return opened


def carrier(scene: Scene) -> Carrier:
    """The cloudspace."""
    return carrier_of(scene.client, "cloudspace/edge", "spot/acme/web")


async def annotation(scene: Scene) -> dict[str, Any]:
    """What the cloudspace carries."""
    live = await carrier(scene).look()
    carried: dict[str, Any] = json.loads(live["metadata"]["annotations"][LEASE_ANNOTATION])
    return carried


async def write(scene: Scene, text: str) -> None:
    """Have the cloudspace carry this."""
    patch = {"metadata": {"annotations": {LEASE_ANNOTATION: text}}}
    await scene.client.documents(kinds()["CloudSpace"]).patch("edge", patch)


async def elsewhere(scene: Scene, who: str = "elsewhere") -> None:
    """Make the lease on the object one of another machine."""
    held = await annotation(scene)
    held["holder"] |= {"host": who, "name": who}
    await write(scene, json.dumps(held))


async def test_two_that_share_no_ledger_exclude_each_other(scene: Scene) -> None:
    """The second one is refused, and takes the lease once the first one is done."""
    clock = Paced()
    async with hold_on(carrier(scene), clock) as first:
        assert first is not None
        await elsewhere(scene)
        with pytest.raises(Locked, match=r"another apply of spot/acme/web is running \(process \d+ on elsewhere\)"):
            async with hold_on(carrier(scene), clock):
                pytest.fail("both have it")
    assert (await annotation(scene))["holder"]["host"] == "elsewhere"


async def test_a_lease_is_given_back_and_its_fence_stays(scene: Scene) -> None:
    """So the next one has a higher one."""
    fences = []
    for _ in range(3):
        async with hold_on(carrier(scene), Paced()) as held:
            assert held is not None
            fences.append(held.lease.fence)
            held.check()
        assert (await annotation(scene))["holder"] is None
    assert fences == sorted(set(fences))


async def test_of_many_that_ask_at_once_one_has_it(scene: Scene) -> None:
    """The version that was read decides."""
    clock, gate, got = Paced(), asyncio.Event(), []

    async def ask() -> None:
        with suppress(Locked):
            async with hold_on(carrier(scene), clock) as held:
                got.append(held)
                await gate.wait()

    asking = [asyncio.create_task(ask()) for _ in range(6)]
    while not all(each.done() for each in asking) and len([each for each in asking if each.done()]) < 5:
        await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*asking)
    assert len(got) == 1


async def test_a_paused_holder_sends_nothing_when_it_wakes(scene: Scene) -> None:
    """Though nobody has told it yet, and though nobody took over."""
    clock = Paced()
    async with hold_on(carrier(scene), clock) as held:
        assert held is not None
        clock.advance(TTL - MARGIN)
        held.check()
        clock.advance(1)
        with pytest.raises(Locked, match="the lease of spot/acme/web on cloudspace/edge was lost"):
            held.check()


async def test_an_expired_lease_is_watched_for_as_long_as_it_may_be_used(scene: Scene) -> None:
    """Then it is taken over, and its holder is told at its next renewal."""
    clock = Paced()
    async with hold_on(carrier(scene), clock) as first:
        assert first is not None
        await elsewhere(scene)
        clock.advance(TTL + 1)
        began = clock.monotonic()
        waiting = asyncio.create_task(_held_for_a_moment(scene, clock))
        while not waiting.done():
            await clock.let_pass(1)
        assert await waiting > first.lease.fence
        assert clock.monotonic() - began >= TTL
        await first.renew_once()
        assert first.lost
        with pytest.raises(Locked):
            first.check()


async def _held_for_a_moment(scene: Scene, clock: Paced) -> int:
    async with hold_on(carrier(scene), clock) as held:
        assert held is not None
        return held.lease.fence


async def test_a_lease_is_renewed_and_an_object_made_anew_carries_it_on(scene: Scene) -> None:
    """A replacement within the run is no takeover; a broken lease is one."""
    clock = Paced()
    async with hold_on(carrier(scene), clock) as held:
        assert held is not None
        clock.advance(RENEW_EVERY)
        await held.renew_once()
        assert (await annotation(scene))["expiresAt"] == held.lease.expires_at.isoformat()
        await carrier(scene).release(held.lease)
        await held.renew_once()
        assert held.lost


async def test_people_see_hold_and_break_it(scene: Scene) -> None:
    """An apply is refused meanwhile, with the reason."""
    client = scene.client
    assert await lock_on(client, "cloudspace/edge", "web") == []
    lease = await hold_lock_on(client, "cloudspace/edge", "web", "holidays")
    [lock] = await lock_on(client, "cloudspace/edge", "web")
    assert (lock.lease.reason, lock.state.value) == ("holidays", "held")
    changed = (NAMED + CLOUDSPACE).replace("1.33.0", "1.32.0")
    with pytest.raises(Locked, match="holidays"):
        await scene.apply(changed)
    with pytest.raises(NotFound, match="carries no lease with the fence 99"):
        await break_lock_on(client, "cloudspace/edge", "web", 99)
    await break_lock_on(client, "cloudspace/edge", "web", lease.fence)
    assert await lock_on(client, "cloudspace/edge", "web") == []


@pytest.mark.parametrize("text", ["mine", "[1]", '{"holder": {"name": "x"}}'])
async def test_what_another_program_wrote_is_not_taken_over(scene: Scene, text: str) -> None:
    """Nobody knows whether it is in use."""
    await write(scene, text)
    with pytest.raises(Locked, match="cannot read the lease on cloudspace/edge"):
        async with hold_on(carrier(scene), Paced()):
            pytest.fail("it was taken")


async def test_an_apply_that_lost_it_ends_locked(scene: Scene, spot_api: SimulatedSpot) -> None:
    """And a run with another ledger holds the lease while it goes on."""
    other = Scene(scene.client, SqliteLedger(Database(None)), scene.folder)
    plan: Plan = await other.plan(NAMED + STACK)
    assert plan.lease == "cloudspace/edge"
    lease = await hold_lock_on(scene.client, "cloudspace/edge", "web", "mine")
    with pytest.raises(Locked):
        await other.run(plan)
    await break_lock_on(scene.client, "cloudspace/edge", "web", lease.fence)
    assert (await other.run(plan)).outcome is RunOutcome.OK
    assert (await annotation(scene))["holder"] is None


def test_without_a_stack_there_is_no_lease_to_look_at(capsys: pytest.CaptureFixture[str]) -> None:
    """Both options belong together."""
    assert run(["lock", "status", "--on", "cloudspace/edge", "--sandbox"]) == 3
    assert "--on needs --stack" in capsys.readouterr().err
