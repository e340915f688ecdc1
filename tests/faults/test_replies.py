"""Whatever becomes of a reply, a write happens once, and its outcome is read, not guessed."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from rsspot.applier.events import StepEnded
from rsspot.errors import AuthError, Forbidden
from rsspot.planner.codec import dump_plan
from rsspot.state.ledger.protocol import StepState
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from support.scenes import CLOUDSPACE, NAMESPACE, PLURALS, STACK, WORKERS, OpenScene, Scene, births, living

NEWER = STACK.replace("1.31.1", "1.32.0")
FEWER = STACK[: STACK.rindex("---")]


def status(code: int, message: str, **headers: str) -> httpx.Response:
    """An answer of Kubernetes."""
    return httpx.Response(code, json={"kind": "Status", "code": code, "message": message}, headers=headers)


def is_for(request: httpx.Request, method: str, plural: str) -> bool:
    """Whether a request is a method on a kind."""
    return request.method == method and f"/{plural}" in request.url.path


@pytest.mark.parametrize("plural", PLURALS)
@pytest.mark.parametrize("when", ["reset-before", "reset-after"])
async def test_a_create_without_a_reply_ends_as_one_object(
    spot_api: SimulatedSpot, scene: Scene, when: str, plural: str
) -> None:
    """It does not matter whether the create was carried out before the line broke."""
    spot_api.faults.add(when, "POST", f"/{plural}$")
    recap = await scene.apply()
    assert (recap.outcome, recap.counts["created"], recap.counts["failed"]) == ("ok", 3, 0)
    assert list(births(spot_api.world, plural).values()) == [1]
    assert (await scene.plan()).empty


@pytest.mark.parametrize("when", ["reset-before", "reset-after"])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_a_patch_or_delete_without_a_reply_is_done_once(
    spot_api: SimulatedSpot, scene: Scene, method: str, when: str
) -> None:
    """Reading tells whether it has to be sent again."""
    await scene.apply()
    spot_api.faults.add(when, method)
    before = len(spot_api.requests(method))
    recap = await scene.apply(NEWER if method == "PATCH" else FEWER)
    assert recap.outcome == "ok"
    assert len(spot_api.requests(method)) - before == (1 if when == "reset-after" else 2)


@pytest.mark.parametrize("code", [408, 500, 502, 503, 504])
async def test_a_create_answered_with_5xx_and_not_executed_is_sent_again_after_a_read(
    spot_api: SimulatedSpot, scene: Scene, code: int
) -> None:
    """Between two POSTs of a name there is always a GET of it."""
    spot_api.faults.add("status", "POST", "/cloudspaces$", status=code)
    assert (await scene.apply(CLOUDSPACE)).outcome == "ok"
    path = f"/apis/ngpc.rxt.io/v1/namespaces/{NAMESPACE}/cloudspaces"
    about = [each for each in spot_api.requests() if each[1].startswith(path)]
    first, second = [at for at, each in enumerate(about) if each == ("POST", path)]
    assert ("GET", f"{path}/edge") in about[first:second]


@pytest.mark.parametrize("code", [500, 502, 504])
async def test_a_create_answered_with_5xx_and_executed_is_not_sent_again(
    spot_api: SimulatedSpot, open_scene: OpenScene, code: int
) -> None:
    """A gateway may give up while the service goes on."""

    async def executed(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response | None:
        if not is_for(request, "POST", "cloudspaces"):
            return None
        await inner.handle_async_request(request)
        return status(code, "the gateway gave up")

    assert (await open_scene(executed).apply(CLOUDSPACE)).outcome == "ok"
    assert len(spot_api.requests("POST")) == 1


@pytest.mark.parametrize("body", [b"", b"<html>ok</html>", b'"ok"'])
async def test_a_create_whose_2xx_cannot_be_read_is_looked_up(
    spot_api: SimulatedSpot, open_scene: OpenScene, body: bytes
) -> None:
    """A success that does not show the object is not taken for it."""

    async def garbled(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response | None:
        if not is_for(request, "POST", "cloudspaces"):
            return None
        await inner.handle_async_request(request)
        return httpx.Response(201, content=body, request=request)

    assert (await open_scene(garbled).apply(CLOUDSPACE)).outcome == "ok"
    assert list(births(spot_api.world, "cloudspaces").values()) == [1]


async def test_a_throttled_create_is_repeated_and_never_before_its_time(
    spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """429 means not executed: the same request goes out again, when the service said."""
    sent: list[float] = []

    async def throttle(request: httpx.Request, _: httpx.AsyncBaseTransport) -> httpx.Response | None:
        if not is_for(request, "POST", "cloudspaces"):
            return None
        sent.append(spot_api.clock.time())
        return status(429, "slow down", **{"Retry-After": "7"}) if len(sent) < 3 else None

    assert (await open_scene(throttle).apply(CLOUDSPACE)).outcome == "ok"
    assert len(sent) == 3
    assert all(later - earlier >= 7 for earlier, later in pairwise(sent))


async def test_a_throttled_create_that_is_to_wait_too_long_fails_at_once(spot_api: SimulatedSpot, scene: Scene) -> None:
    """An hour is not waited for, and not cut short either."""
    spot_api.faults.add("status", "POST", "/cloudspaces$", status=429, retry_after=3600, times=100)
    began = spot_api.clock.time()
    recap = await scene.apply(CLOUDSPACE)
    assert (recap.outcome, recap.counts["failed"]) == ("failed", 1)
    assert len(spot_api.requests("POST")) == 1
    assert spot_api.clock.time() - began < 60


async def test_a_patch_of_an_object_that_was_bumped_meanwhile_is_read_and_sent_again(
    spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """A controller's noise moves the version and not what was approved."""
    bumps = 2

    async def bump(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        nonlocal bumps
        if request.method == "PATCH" and bumps:
            bumps -= 1
            live = spot_api.world.store.get("cloudspaces", NAMESPACE, "edge")
            assert live is not None
            spot_api.world.store.put("cloudspaces", live)

    scene = open_scene(bump)
    await scene.apply()
    assert (await scene.apply(NEWER)).outcome == "ok"
    assert len(spot_api.requests("PATCH")) == 3
    versions = [each.outcome for each in scene.ledger.attempts(scene.ledger.runs()[0].id)]
    assert ["Conflict" in str(each) for each in versions] == [True, True, False]


async def test_a_quota_answer_after_a_lost_create_is_settled_by_reading(
    spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """The quota may be full because of the very create whose reply was lost."""
    posts = 0

    async def forgetful(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response | None:
        nonlocal posts
        if is_for(request, "POST", "cloudspaces"):
            posts += 1
            if posts == 1:
                await inner.handle_async_request(request)
                raise httpx.ReadError("reset", request=request)
            return status(403, "exceeded quota: cloudspaces")
        if posts == 1 and is_for(request, "GET", "cloudspaces/edge"):
            return status(404, "not visible yet")
        return None

    recap = await open_scene(forgetful).apply(CLOUDSPACE)
    assert (posts, recap.outcome, recap.counts["created"]) == (2, "ok", 1)


@pytest.mark.parametrize(("times", "outcome"), [(2, "ok"), (5, "partial")])
async def test_a_create_that_met_a_quota_being_counted_is_sent_again(
    spot_api: SimulatedSpot, open_scene: OpenScene, times: int, outcome: str
) -> None:
    """A conflict, not a refusal: another create was counted at the same moment."""
    left = times

    async def contend(request: httpx.Request, _: httpx.AsyncBaseTransport) -> httpx.Response | None:
        nonlocal left
        if not is_for(request, "POST", "spotnodepools") or not left:
            return None
        left -= 1
        return status(409, 'Operation cannot be fulfilled on resourcequotas "pools": the object has been modified')

    scene = open_scene(contend)
    recap = await scene.apply(CLOUDSPACE + WORKERS)
    assert recap.outcome == outcome
    assert sum(births(spot_api.world, "spotnodepools").values()) == (outcome == "ok")


async def test_a_quota_answer_to_a_first_create_is_final(spot_api: SimulatedSpot, scene: Scene) -> None:
    """A definite no is not tried again."""
    spot_api.faults.add("status", "POST", "/cloudspaces$", status=403, times=9)
    assert (await scene.apply(CLOUDSPACE)).outcome == "failed"
    assert len(spot_api.requests("POST")) == 1


async def test_a_delete_answered_with_404_is_done(spot_api: SimulatedSpot, open_scene: OpenScene) -> None:
    """Somebody else was faster, which is as good."""

    async def faster(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> None:
        if request.method == "DELETE":
            await inner.handle_async_request(httpx.Request("DELETE", request.url, headers=request.headers))
            spot_api.advance(60)

    scene = open_scene(faster)
    await scene.apply()
    recap = await scene.apply(FEWER)
    assert (recap.outcome, recap.counts["deleted"]) == ("ok", 1)


async def test_a_patch_answered_with_404_is_refused_as_stale(spot_api: SimulatedSpot, open_scene: OpenScene) -> None:
    """What was approved was a change of an object that is no longer there."""

    async def vanish(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "PATCH":
            for plural in PLURALS:
                for body in spot_api.world.store.objects(plural, NAMESPACE):
                    spot_api.world.store.remove(plural, body)

    scene = open_scene(vanish)
    await scene.apply(CLOUDSPACE)
    recap = await scene.apply(CLOUDSPACE.replace("1.31.1", "1.32.0"))
    assert (recap.outcome, recap.exit_code) == ("stale", 6)


async def test_a_moved_object_is_refused_with_the_difference_and_without_its_secrets(
    spot_api: SimulatedSpot, scene: Scene
) -> None:
    """The difference names the field and its value now, unless it is a secret."""
    await scene.apply(CLOUDSPACE)
    plan = await scene.plan(CLOUDSPACE.replace("1.31.1", "1.32.0").replace("first", "second"))
    theirs = {"kubernetesVersion": "1.33.0", "webhook": "https://example.com/third-secret"}
    await scene.client.cloudspaces.patch("edge", theirs)
    recap = await scene.run(plan)
    assert (recap.outcome, recap.exit_code, recap.counts["refused"]) == ("stale", 6, 1)
    (ended,) = scene.of(StepEnded)
    assert "kubernetesVersion is now '1.33.0'" in ended.detail
    assert "spec/webhook is now (secret)" in ended.detail
    assert "-secret" not in ended.detail
    assert len(spot_api.requests("PATCH")) == 1


async def test_a_name_that_somebody_took_is_refused_and_left_alone(spot_api: SimulatedSpot, scene: Scene) -> None:
    """An object of our name that is of no stack is not ours, however alike it is."""
    plan = await scene.plan(CLOUDSPACE)
    spec = plan.changes[0].body["spec"]
    await scene.client.cloudspaces.create("edge", spec)
    recap = await scene.run(plan)
    assert (recap.outcome, recap.counts["refused"]) == ("stale", 1)
    (live,) = living(spot_api.world, "cloudspaces")
    assert "labels" not in live["metadata"]
    assert not scene.ledger.owned(plan.scope)


async def test_a_create_that_cannot_even_be_looked_up_is_unknown(spot_api: SimulatedSpot, scene: Scene) -> None:
    """The reply was lost and reading fails: nobody may say that it failed. The next run finds out."""
    plan = await scene.plan(CLOUDSPACE)
    spot_api.faults.add("reset-after", "POST", "/cloudspaces$")
    spot_api.faults.add("status", "GET", "/cloudspaces/edge$", status=503, times=1000)
    recap = await scene.run(plan)
    assert (recap.outcome, recap.exit_code, recap.counts["unknown"]) == ("unknown", 11, 1)
    assert [left.step.state for left in scene.ledger.open_steps(plan.scope)] == [StepState.UNKNOWN]
    spot_api.faults.script.clear()
    assert (await scene.apply(CLOUDSPACE)).outcome == "ok"
    assert not scene.ledger.open_steps(plan.scope)
    assert list(births(spot_api.world, "cloudspaces").values()) == [1]


async def test_an_expired_page_token_starts_the_list_again(spot_api: SimulatedSpot, open_scene: OpenScene) -> None:
    """Halves of two lists are never put together."""
    for number in range(501):
        body = {"metadata": {"name": f"c{number:03}", "namespace": NAMESPACE}, "spec": {}}
        spot_api.world.store.put("cloudspaces", body)
    dawdled = 0

    async def dawdle(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        nonlocal dawdled
        if "continue" in request.url.params and not dawdled:
            dawdled += 1
            spot_api.advance(400)

    client = open_scene(dawdle).client
    names = [each["metadata"]["name"] for each in await client.cloudspaces.documents.list()]
    assert names == [f"c{number:03}" for number in range(501)]
    assert len([each for each in spot_api.requests("GET") if each[1].endswith("/cloudspaces")]) == 4


async def test_401_refreshes_the_token_once(spot_api: SimulatedSpot, scene: Scene) -> None:
    """A token that was revoked is replaced; a second 401 is believed."""
    await scene.client.regions.list()
    spot_api.faults.add("status", "GET", "/regions", status=401)
    assert await scene.client.regions.list()
    tokens = [each for each in spot_api.transport.carried if each[1].startswith("/oauth")]
    assert len(tokens) == 2
    spot_api.faults.add("status", "GET", "/regions", status=401, times=2)
    with pytest.raises(AuthError):
        await scene.client.regions.list()
    assert len([each for each in spot_api.transport.carried if each[1].startswith("/oauth")]) == 3


async def test_403_never_refreshes_the_token(spot_api: SimulatedSpot, scene: Scene) -> None:
    """A right that is missing does not come with another token."""
    await scene.client.regions.list()
    carried = len(spot_api.transport.carried)
    spot_api.faults.add("status", "GET", "/regions", status=403)
    with pytest.raises(Forbidden):
        await scene.client.regions.list()
    assert len(spot_api.transport.carried) == carried + 1


@pytest.mark.parametrize("code", [403, 503])
async def test_a_kind_that_cannot_be_listed_leaves_the_plan_incomplete(
    spot_api: SimulatedSpot, scene: Scene, code: int
) -> None:
    """Nothing of that kind is deleted, and the reason is told."""
    await scene.apply()
    spot_api.faults.add("status", "GET", "/spotnodepools$", status=code, times=1000)
    plan = await scene.plan(CLOUDSPACE)
    assert not plan.complete
    assert set(plan.incomplete) == {"SpotNodePool"}
    assert [(change.ref.kind, change.action) for change in plan.changes] == [("OnDemandNodePool", "delete")]
    assert json.loads(json.dumps(dump_plan(plan)))["incompleteReasons"]["SpotNodePool"]
