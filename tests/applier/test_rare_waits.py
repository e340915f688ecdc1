"""What a wait comes to when an object goes, cannot be read, or is no longer waited for."""

from __future__ import annotations

import asyncio

import pytest

from rsspot.applier.events import RunOutcome, StepEnded
from rsspot.applier.lookout import Lookout
from rsspot.applier.options import ApplyOptions, CancelToken
from rsspot.errors import AuthError
from rsspot.resources.registry import kinds
from rsspot.resources.waiting import POLL
from rsspot.state.ledger.protocol import StepState
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from support.answers import answering, status
from support.registering import STACK as MACHINES
from support.scenes import CLOUDSPACE, STACK, WORKERS, Act, OpenScene, Scene

MANY = CLOUDSPACE + "".join(WORKERS.replace("workers", f"pool-{number}") for number in range(9))
"""More pools than are looked at one by one."""


async def test_an_object_that_is_deleted_while_it_is_waited_for_has_failed(
    spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """Its create was done."""

    def answer() -> httpx.Response | None:
        return status(404) if spot_api.requests("POST") else None

    scene = open_scene(answering("GET", "cloudspaces/edge", answer, executed=False))
    recap = await scene.apply(CLOUDSPACE)
    (event,) = scene.of(StepEnded)
    assert (event.state, event.readiness, event.detail) == ("done", "failed", "deleted while it was waited for")
    assert recap.outcome == "partial"


@pytest.mark.parametrize("text", [CLOUDSPACE + WORKERS, MANY], ids=["one by one", "by a list"])
async def test_an_object_that_may_not_be_read_any_more_is_still_in_progress(open_scene: OpenScene, text: str) -> None:
    """Nobody knows better; what was sent is done."""
    refusing = [False]

    def answer() -> httpx.Response | None:
        return status(403) if refusing[0] else None

    scene = open_scene(answering("GET", "spotnodepools", answer, executed=False))
    plan = await scene.plan(text)
    refusing[0] = True
    recap = await scene.run(plan)
    details = {event.detail for event in scene.of(StepEnded) if "spotnodepool" in event.address}
    assert details == {"could not be looked at: no"}
    assert (recap.outcome, recap.counts["failed"]) == ("partial", 0)


async def test_a_wait_outlasts_reads_that_fail_for_a_while(open_scene: OpenScene) -> None:
    """Longer than the transport does."""
    scene = open_scene()
    await scene.apply(STACK, ApplyOptions(wait="none"))
    plan = await scene.plan(STACK)
    assert plan.pending
    waiting = open_scene(
        answering("GET", "spotnodepools", lambda: status(503) if fails.pop() else None, executed=False)
    )
    fails = [False] * 100 + [True] * 5
    assert (await waiting.run(plan)).outcome == "ok"
    assert len(fails) < 100


async def test_machines_of_a_group_that_does_not_get_ready_are_not_registered(
    spot_api: SimulatedSpot, scene: Scene
) -> None:
    """Their step says how far the group came."""
    spot_api.faults.say("vmcloudspaces: stuck always")
    text = MACHINES.replace("EXEC", "[/bin/sh]")
    group, pool, _ = text.split("---")
    await scene.apply(f"{group}---{pool}", ApplyOptions(wait="none"))
    recap = await scene.apply(text, ApplyOptions(wait_timeout=POLL))
    (event,) = [each for each in scene.of(StepEnded) if each.verb == "expand"]
    assert (event.state, recap.counts["registered"]) == (StepState.FAILED, 0)
    assert event.detail.startswith("vmcloudspace/vms: ")
    assert event.detail.endswith(f", not ready in {POLL:g} s")


@pytest.mark.parametrize(
    ("text", "reads"), [(CLOUDSPACE, "cloudspaces/edge"), (MANY, "spotnodepools")], ids=["one by one", "by a list"]
)
async def test_a_token_that_is_refused_while_waiting_ends_the_run(open_scene: OpenScene, text: str, reads: str) -> None:
    """With its own code; what was made stays made."""
    refusing = [False]

    def answer() -> httpx.Response | None:
        return status(401) if refusing[0] else None

    scene = open_scene(answering("GET", reads, answer, executed=False))
    plan = await scene.plan(text)
    refusing[0] = True
    with pytest.raises(AuthError):
        await scene.run(plan)
    assert scene.events[-1].outcome is RunOutcome.UNAUTHENTICATED  # type: ignore[union-attr]
    assert {step.state for step in scene.ledger.steps(scene.ledger.runs()[0].id)} == {StepState.DONE}


def looks_that_hang(looked: asyncio.Event) -> Act:
    """Lets a look at the cloudspace go without an answer for ever. looked: set once the first one does"""

    async def hang(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "GET" and request.url.path.endswith("/cloudspaces/edge"):
            looked.set()
            await asyncio.Event().wait()

    return hang


async def test_a_wait_for_what_was_there_is_abandoned(open_scene: OpenScene) -> None:
    """At the second wish; nothing is in doubt, since nothing was sent."""
    stop, looked = CancelToken(), asyncio.Event()
    await open_scene().apply(CLOUDSPACE, ApplyOptions(wait="none"))
    scene = open_scene(looks_that_hang(looked))
    running = asyncio.create_task(scene.apply(CLOUDSPACE, ApplyOptions(stop=stop)))
    await looked.wait()
    stop.abandon()
    recap = await running
    assert (recap.outcome, recap.counts["waiting"], recap.counts["unknown"]) == ("cancelled", 1, 0)


async def test_whoever_looks_when_the_looking_ends_is_let_go(open_scene: OpenScene) -> None:
    """Whether the read was under way or had not begun."""
    looked = asyncio.Event()
    client = open_scene(looks_that_hang(looked)).client
    lookout, kind = Lookout(client.documents, client.clock), kinds()["CloudSpace"]
    looks = [asyncio.create_task(lookout.look(kind, "edge"))]
    await looked.wait()
    looks.append(asyncio.create_task(lookout.look(kind, "other")))
    await asyncio.sleep(0)
    await lookout.close()
    ended = await asyncio.gather(*looks, return_exceptions=True)
    assert [type(each) for each in ended] == [asyncio.CancelledError] * 2


async def test_a_wait_that_is_cancelled_from_outside_has_no_result(open_scene: OpenScene) -> None:
    """As by a script that gives up: it is told to nobody, and the lease is given back."""
    looked = asyncio.Event()
    await open_scene().apply(CLOUDSPACE, ApplyOptions(wait="none"))
    scene = open_scene(looks_that_hang(looked))
    running = asyncio.create_task(scene.apply(CLOUDSPACE))
    await looked.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not scene.of(StepEnded)
    assert (await open_scene().apply(CLOUDSPACE)).outcome == "ok"


def test_the_first_wish_to_stop_counts() -> None:
    """And whoever listens hears it once, and once more when it becomes that to stop at once."""
    stop, heard = CancelToken(), []
    assert not stop.is_heard
    stop.listen(lambda: heard.append((stop.outcome, stop.abandoned)))
    stop.ask(RunOutcome.DEADLINE)
    stop.ask(RunOutcome.CANCELLED)
    assert stop.is_heard
    stop.abandon()
    stop.abandon()
    assert heard == [(RunOutcome.DEADLINE, False), (RunOutcome.DEADLINE, True)]
