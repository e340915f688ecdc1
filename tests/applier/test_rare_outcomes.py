"""What a step comes to when an answer, an object or a read is not as it nearly always is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from rsspot.applier.events import RunOutcome, StepEnded
from rsspot.applier.options import ApplyOptions, CancelToken
from rsspot.applier.step import MOST_SENDS
from rsspot.constants import ON_REMOVE_ANNOTATION
from rsspot.errors import AuthError
from rsspot.resources.waiting import POLL
from rsspot.state.ledger.protocol import StepState
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from support.scenes import CLOUDSPACE, STACK, WORKERS, Act, OpenScene, Scene, births, living

NEWER = CLOUDSPACE.replace("1.31.1", "1.32.0")
MANY = CLOUDSPACE + "".join(WORKERS.replace("workers", f"pool-{number}") for number in range(9))
"""More pools than are looked at one by one."""


def status(code: int) -> httpx.Response:
    return httpx.Response(code, json={"kind": "Status", "code": code, "message": "no"})


def ended(scene: Scene) -> dict[str, StepEnded]:
    """How each step ended, by its verb and the last part of its address."""
    return {f"{event.verb} {event.address.rpartition('/')[2]}": event for event in scene.of(StepEnded)}


def answering(method: str, plural: str, answer: Callable[[], httpx.Response | None], *, executed: bool) -> Act:
    """Gives answers of its own to some requests, also to those that the service carried out."""

    async def act(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response | None:
        if request.method != method or f"/{plural}" not in request.url.path:
            return None
        said = answer()
        if said is not None and executed:
            await inner.handle_async_request(request)
        return said

    return act


def once(response: httpx.Response) -> Callable[[], httpx.Response | None]:
    """This answer to the first request, and the usual ones after that."""
    answers = [response]
    return lambda: answers.pop() if answers else None


# Writes


@pytest.mark.parametrize("executed", [True, False])
async def test_an_accepted_create_without_an_object_is_looked_up(
    spot_api: SimulatedSpot, open_scene: OpenScene, executed: bool
) -> None:
    """It is made once, whether the answer was true or not."""
    scene = open_scene(answering("POST", "cloudspaces", once(httpx.Response(201, json={})), executed=executed))
    recap = await scene.apply(CLOUDSPACE)
    assert (recap.outcome, recap.counts["created"], recap.resent) == ("ok", 1, int(not executed))
    assert list(births(spot_api.world, "cloudspaces").values()) == [1]


@pytest.mark.parametrize("executed", [True, False])
async def test_an_accepted_patch_without_an_object_is_looked_up(open_scene: OpenScene, executed: bool) -> None:
    """It is sent again only if the object does not show it."""
    await open_scene().apply(CLOUDSPACE)
    scene = open_scene(answering("PATCH", "cloudspaces", once(httpx.Response(200, json={})), executed=executed))
    recap = await scene.apply(NEWER)
    assert (recap.outcome, recap.counts["updated"], recap.resent) == ("ok", 1, int(not executed))


async def test_a_patch_that_loses_every_race_has_failed(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Nothing of it can have arrived, so it is not in doubt."""
    await scene.apply(CLOUDSPACE)
    spot_api.faults.say("PATCH cloudspaces: 409 always")
    recap = await scene.apply(NEWER)
    (event,) = scene.of(StepEnded)
    assert (event.state, recap.exit_code) == (StepState.FAILED, 1)
    assert f"each of the {MOST_SENDS} times" in event.detail


# Deletes


async def test_an_object_that_is_still_being_deleted_at_the_end_has_failed(
    spot_api: SimulatedSpot, scene: Scene
) -> None:
    """It was accepted; the next run waits for it again."""
    await scene.apply()
    spot_api.faults.say("ondemandnodepools: stuck always")
    await scene.apply(CLOUDSPACE + WORKERS, ApplyOptions(wait_timeout=POLL))
    assert ended(scene)["delete base"].detail == "accepted, and still being deleted"
    spot_api.faults.clear()
    assert (await scene.apply(CLOUDSPACE + WORKERS)).outcome == "ok"


def in_world(spot_api: SimulatedSpot, plural: str, change: Callable[[dict[str, object]], None]) -> None:
    """Change every object of a plural, as somebody else does."""
    for live in living(spot_api.world, plural):
        change(live)
        spot_api.world.store.put(plural, live)


async def test_an_object_that_is_protected_after_the_plan_stays(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Protection is asked for again at the last moment."""
    await scene.apply()
    plan = await scene.plan(CLOUDSPACE + WORKERS)

    def protect(live: dict[str, object]) -> None:
        metadata = live["metadata"]
        assert isinstance(metadata, dict)
        metadata.setdefault("annotations", {})[ON_REMOVE_ANNOTATION] = "protect"

    in_world(spot_api, "ondemandnodepools", protect)
    await scene.run(plan)
    assert ended(scene)["delete base"].detail == "it is protected by now"
    assert living(spot_api.world, "ondemandnodepools")


async def test_a_delete_that_is_refused_after_a_doubt_is_judged_by_the_object(
    spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """Meanwhile it became another stack's, which is the reason that is told."""
    await open_scene().apply()
    answers = [403, 503]

    def answer() -> httpx.Response:
        code = answers.pop()
        if code == 403:
            in_world(spot_api, "ondemandnodepools", lambda live: live["metadata"]["labels"].clear())  # type: ignore[index]
        return status(code)

    scene = open_scene(answering("DELETE", "ondemandnodepools", answer, executed=False))
    await scene.apply(CLOUDSPACE + WORKERS)
    event = ended(scene)["delete base"]
    assert (event.state, "belongs to no stack now" in event.detail) == (StepState.REFUSED, True)


# Waits


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


async def test_a_token_that_is_refused_while_waiting_ends_the_run(open_scene: OpenScene) -> None:
    """With its own code; what was made stays made."""
    refusing = [False]

    def answer() -> httpx.Response | None:
        return status(401) if refusing[0] else None

    scene = open_scene(answering("GET", "cloudspaces/edge", answer, executed=False))
    plan = await scene.plan(CLOUDSPACE)
    refusing[0] = True
    with pytest.raises(AuthError):
        await scene.run(plan)
    assert scene.events[-1].outcome is RunOutcome.UNAUTHENTICATED  # type: ignore[union-attr]
    assert scene.ledger.steps(scene.ledger.runs()[0].id)[0].state is StepState.DONE


async def test_a_wait_for_what_was_there_is_abandoned(open_scene: OpenScene) -> None:
    """At the second wish; nothing is in doubt, since nothing was sent."""
    stop, looked = CancelToken(), asyncio.Event()
    await open_scene().apply(CLOUDSPACE, ApplyOptions(wait="none"))

    async def hang(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "GET" and request.url.path.endswith("/cloudspaces/edge"):
            looked.set()
            await asyncio.Event().wait()

    scene = open_scene(hang)
    running = asyncio.create_task(scene.apply(CLOUDSPACE, ApplyOptions(stop=stop)))
    await looked.wait()
    stop.abandon()
    recap = await running
    assert (recap.outcome, recap.counts["waiting"], recap.counts["unknown"]) == ("cancelled", 1, 0)


def test_the_first_wish_to_stop_counts() -> None:
    """And whoever listens hears it once."""
    stop, heard = CancelToken(), []
    assert not stop.is_heard
    stop.listen(lambda: heard.append(stop.outcome))
    stop.ask(RunOutcome.DEADLINE)
    stop.ask(RunOutcome.CANCELLED)
    assert stop.is_heard
    assert heard == [RunOutcome.DEADLINE]
