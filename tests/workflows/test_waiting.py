"""Waiting for what manifests declare, without changing it, and every way in which it can end."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from rsspot.applier.events import Event, Recap, StepEnded
from rsspot.applier.options import ApplyOptions, CancelToken
from rsspot.errors import TransportError
from rsspot.testing import SimulatedSpot
from rsspot.workflows.waiting import await_declared
from support.scenes import CLOUDSPACE, STACK, WORKERS, Scene

RICH = WORKERS.replace("workers", "rich").replace("desired: 2", "desired: 120").replace("0.06", "0.52")
"""A pool that outbids the others and has all servers of its class."""
NOW = ApplyOptions(wait="none")


async def waited(scene: Scene, text: str, *, gone: bool = False, **options: object) -> tuple[Recap, list[StepEnded]]:
    """The recap, and how each object ended."""
    events: list[Event] = []
    manner = ApplyOptions(**options)  # type: ignore[arg-type]
    waiting = await_declared(scene.client, scene.ledger, scene.manifests(text), manner, gone=gone)
    async with aclosing(waiting) as happening:
        events = [event async for event in happening]
    recap = events[-1]
    assert isinstance(recap, Recap)
    return recap, [event for event in events if isinstance(event, StepEnded)]


async def test_what_an_apply_did_not_wait_for_is_waited_for(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Nothing is sent but reads, one list a kind and look where there are several."""
    await scene.apply(STACK, NOW)
    writes = len(spot_api.requests("POST", "PATCH", "DELETE"))
    recap, ended = await waited(scene, STACK)
    assert (recap.outcome, {event.readiness for event in ended}, len(ended)) == ("ok", {"ready"}, 3)
    assert len(spot_api.requests("POST", "PATCH", "DELETE")) == writes


async def test_what_does_not_exist_is_not_ready(scene: Scene) -> None:
    """It is told at once."""
    recap, ended = await waited(scene, CLOUDSPACE)
    assert (recap.outcome, recap.exit_code, recap.counts["waiting"]) == ("partial", 7, 1)
    assert "there is no such object" in ended[0].detail


async def test_a_pool_that_is_outbid_is_told_with_the_price(scene: Scene) -> None:
    """Bid and market stand beside each other."""
    await scene.apply(CLOUDSPACE + RICH)
    await scene.apply(CLOUDSPACE + WORKERS + RICH, NOW)
    recap, ended = await waited(scene, CLOUDSPACE + WORKERS + RICH)
    (lost,) = [event for event in ended if event.readiness == "outbid"]
    assert (recap.outcome, recap.exit_code) == ("partial", 7)
    assert "won 0 of 2: the market price is above the bid (bid 0.06, market price 0.06)" in lost.detail


async def test_what_does_not_change_is_stuck_with_its_time(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Long before the time to wait is up."""
    spot_api.faults.say("spotnodepools: stuck always")
    await scene.apply(CLOUDSPACE + WORKERS, NOW)
    recap, ended = await waited(scene, CLOUDSPACE + WORKERS, wait_timeout=100_000)
    (stuck,) = [event for event in ended if event.readiness == "stuck"]
    assert "unchanged since 20" in stuck.detail
    assert (recap.outcome, recap.exit_code) == ("partial", 7)


async def test_what_is_getting_on_when_the_time_is_up_has_a_code_of_its_own(scene: Scene) -> None:
    """Nothing is known to be wrong."""
    await scene.apply(CLOUDSPACE, NOW)
    recap, ended = await waited(scene, CLOUDSPACE, wait_timeout=10)
    assert (recap.outcome, recap.exit_code, ended[0].readiness) == ("deadline", 9, "timeout")


async def test_no_free_server_is_told_as_such(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Once nothing has changed for a while: until then, a bid may win servers from others."""
    await scene.apply(CLOUDSPACE + RICH)
    spot_api.faults.say("spotnodepools: stuck always")
    await scene.apply(CLOUDSPACE + RICH + WORKERS, NOW)
    recap, ended = await waited(scene, CLOUDSPACE + RICH + WORKERS)
    (empty,) = [event for event in ended if event.readiness == "no-capacity"]
    assert "no server of gp.vs1.medium-dfw is free" in empty.detail
    assert recap.exit_code == 7


@pytest.mark.parametrize(("wanted", "outcome"), [("partial", "ok"), ("progressing", "ok"), ("outbid", "partial")])
async def test_a_phase_can_be_chosen(scene: Scene, wanted: str, outcome: str) -> None:
    """A ready pool is partly ready too; one that is not outbid never gets there."""
    await scene.apply(CLOUDSPACE + WORKERS)
    recap, _ = await waited(scene, CLOUDSPACE + WORKERS, wait_for=wanted, wait_timeout=10)
    assert recap.outcome == outcome


async def test_what_is_deleted_is_waited_for_until_it_is_gone(scene: Scene) -> None:
    """And what is not deleted is told as still there."""
    await scene.apply(STACK)
    recap, ended = await waited(scene, STACK, gone=True, wait_timeout=10)
    assert (recap.outcome, {event.readiness for event in ended}) == ("deadline", {"timeout"})
    for cloudspace in await scene.client.cloudspaces.list():
        await scene.client.cloudspaces.delete(cloudspace.name)
    recap, ended = await waited(scene, STACK, gone=True)
    assert (recap.outcome, {event.detail for event in ended}) == ("ok", {"gone"})


async def test_a_kind_that_cannot_be_read_is_an_error(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Nothing is said of what was not seen."""
    await scene.apply(STACK)
    spot_api.faults.say("GET spotnodepools: 403 always")
    with pytest.raises(TransportError, match="spotnodepools could not be read"):
        await waited(scene, STACK)


async def test_a_wish_to_stop_ends_the_wait(scene: Scene) -> None:
    """With the code of whoever asked."""
    await scene.apply(CLOUDSPACE, NOW)
    stop = CancelToken()
    stop.ask()
    recap, _ = await waited(scene, CLOUDSPACE, stop=stop)
    assert (recap.outcome, recap.exit_code) == ("cancelled", 8)
