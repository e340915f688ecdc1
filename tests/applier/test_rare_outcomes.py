"""What a write comes to when an answer or an object is not as it nearly always is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from rsspot.applier.events import StepEnded
from rsspot.applier.options import ApplyOptions
from rsspot.applier.step import MOST_SENDS
from rsspot.constants import ON_REMOVE_ANNOTATION
from rsspot.planner.change import Action
from rsspot.resources.waiting import POLL
from rsspot.state.ledger.protocol import StepState
from rsspot.testing import SimulatedSpot
from rsspot.utils.serialization import Document
from rsspot.wire import httpx
from support.answers import answering, once, status
from support.scenes import CLOUDSPACE, WORKERS, OpenScene, Scene, births, living

NEWER = CLOUDSPACE.replace("1.31.1", "1.32.0")


def ended(scene: Scene) -> dict[str, StepEnded]:
    """How each step ended, by its verb and the last part of its address."""
    return {f"{event.verb} {event.address.rpartition('/')[2]}": event for event in scene.of(StepEnded)}


NOTHING: Document = {}
A_NAME: Document = {"metadata": {"name": "edge"}}
"""What is no object, and what is not one that the service has."""


@pytest.mark.parametrize("said", [NOTHING, A_NAME], ids=["nothing", "a name"])
@pytest.mark.parametrize("executed", [True, False])
async def test_an_accepted_create_without_an_object_is_looked_up(
    spot_api: SimulatedSpot, open_scene: OpenScene, executed: bool, said: Document
) -> None:
    """It is made once, whether the answer was true or not."""
    scene = open_scene(answering("POST", "cloudspaces", once(httpx.Response(201, json=said)), executed=executed))
    recap = await scene.apply(CLOUDSPACE)
    assert (recap.outcome, recap.counts["created"], recap.resent) == ("ok", 1, int(not executed))
    assert list(births(spot_api.world, "cloudspaces").values()) == [1]


@pytest.mark.parametrize("said", [NOTHING, A_NAME], ids=["nothing", "a name"])
@pytest.mark.parametrize("executed", [True, False])
async def test_an_accepted_patch_without_an_object_is_looked_up(
    open_scene: OpenScene, executed: bool, said: Document
) -> None:
    """It is sent again only if the object does not show it."""
    await open_scene().apply(CLOUDSPACE)
    scene = open_scene(answering("PATCH", "cloudspaces", once(httpx.Response(200, json=said)), executed=executed))
    recap = await scene.apply(NEWER)
    assert (recap.outcome, recap.counts["updated"], recap.resent) == ("ok", 1, int(not executed))


@pytest.mark.parametrize(
    ("method", "text", "said"), [("POST", CLOUDSPACE, "never showed up"), ("PATCH", NEWER, "does not show it")]
)
async def test_a_write_that_is_accepted_each_time_and_never_seen_is_in_doubt(
    open_scene: OpenScene, method: str, text: str, said: str
) -> None:
    """Who answers so is no service, and nobody can say what became of the requests."""
    if method == "PATCH":
        await open_scene().apply(CLOUDSPACE)
    scene = open_scene(answering(method, "cloudspaces", lambda: httpx.Response(200, json=A_NAME), executed=False))
    recap = await scene.apply(text)
    (event,) = scene.of(StepEnded)
    assert (event.state, recap.exit_code) == (StepState.UNKNOWN, 11)
    assert event.detail.endswith(f"{MOST_SENDS} times and {said}")


async def test_a_made_object_without_a_uid_is_owned_by_its_name(open_scene: OpenScene) -> None:
    """It cannot be told from a later one of its name, which is no reason to forget it."""

    async def act(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response | None:
        if request.method == "POST" and request.url.path.endswith("/cloudspaces"):
            await inner.handle_async_request(request)
            raise httpx.ReadError("lost")
        if request.method != "GET" or not request.url.path.endswith("/cloudspaces/edge"):
            return None
        answer = await inner.handle_async_request(request)
        found = json.loads(await answer.aread())
        found.get("metadata", {}).pop("uid", None)
        return httpx.Response(answer.status_code, json=found)

    scene = open_scene(act)
    plan = await scene.plan(CLOUDSPACE)
    assert (await scene.run(plan)).outcome == "ok"
    (owned,) = scene.ledger.owned(plan.scope).values()
    assert (owned.address, owned.uid) == ("cloudspace/edge", None)


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


async def test_protection_that_an_outdated_read_did_not_show_keeps_an_object(
    spot_api: SimulatedSpot, scene: Scene
) -> None:
    """The DELETE names the version that was read, is a conflict, and the object is read again."""
    await scene.apply()
    plan = await scene.plan(CLOUDSPACE + WORKERS)
    (pool,) = living(spot_api.world, "ondemandnodepools")
    kind = scene.client.ondemand_nodepools.kind
    protected = {"metadata": {"annotations": {ON_REMOVE_ANNOTATION: "protect"}}}
    await scene.client.documents(kind).patch(pool["metadata"]["name"], protected)
    spot_api.faults.say(f"GET {pool['metadata']['name']}: stale")
    recap = await scene.run(plan)
    assert (recap.counts["refused"], ended(scene)["delete base"].detail) == (1, "it is protected by now")
    assert len(spot_api.requests("DELETE")) == 1
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


async def test_a_refused_delete_is_done_if_an_earlier_one_was_carried_out(
    spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """The object is on its way out when the refusal of the second request is judged."""
    await open_scene().apply()
    codes = [403, 503]

    async def act(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response | None:
        if request.method != "DELETE":
            return None
        code = codes.pop()
        if code == 403:
            await inner.handle_async_request(request)
        return status(code)

    scene = open_scene(act)
    recap = await scene.apply(CLOUDSPACE + WORKERS)
    assert (recap.outcome, recap.counts["deleted"], recap.resent) == ("ok", 1, 1)
    assert not living(spot_api.world, "ondemandnodepools")


async def test_what_this_run_changed_is_not_deleted_by_it(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Though a plan that was tampered with says so of one very object."""
    await scene.apply(CLOUDSPACE)
    plan = await scene.plan(NEWER)
    (update,) = plan.changes
    assert update.base is not None
    base = replace(update.base, digest=None)
    doomed = replace(update, address="cloudspace/doomed", action=Action.DELETE, edits=(), base=base)
    recap = await scene.run(replace(plan, changes=(update, doomed)), ApplyOptions(parallel=1))
    assert (recap.counts["updated"], recap.counts["refused"]) == (1, 1)
    assert ended(scene)["delete doomed"].detail == "this very run made it, or found it to be as desired"
    assert not spot_api.requests("DELETE")
