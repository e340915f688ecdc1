"""What an apply makes of ledgers, markets and objects that it cannot read as usual."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rsspot.applier.events import Settled, StepEnded
from rsspot.applier.lookout import Lookout
from rsspot.applier.market import ServerMarket
from rsspot.errors import StateError
from rsspot.models.refs import Ref
from rsspot.planner.codec import dump_plan
from rsspot.resources.kind import Phase, Readiness
from rsspot.resources.registry import kinds
from rsspot.simulator.clock import ManualClock
from rsspot.state.ledger.protocol import Holder, StepRecord, StepState
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from support.answers import status
from support.scenes import CLOUDSPACE, WORKERS, OpenScene, Scene

POOLS = CLOUDSPACE + WORKERS
NEWER = CLOUDSPACE.replace("1.31.1", "1.32.0")


def left_open(scene: Scene, scope: str, plan: dict[str, Any], step: StepRecord) -> None:
    """What a killed run left: one step that may have been sent."""
    lease = scene.ledger.acquire(scope, Holder("killed", "elsewhere", 1), ManualClock().now(), 60)
    scene.ledger.intend(scene.ledger.begin(lease, "apply", plan, [step]), step.seq)
    scene.ledger.release(lease)


# Recovery


async def test_a_step_of_an_unknown_kind_is_left_to_the_version_that_made_it(
    spot_api: SimulatedSpot, scene: Scene
) -> None:
    """Nothing is sent meanwhile."""
    plan = await scene.plan(CLOUDSPACE)
    left_open(scene, plan.scope, dump_plan(plan), StepRecord(0, "gadget/edge", Ref("Gadget", "edge"), "create"))
    with pytest.raises(StateError, match="unknown kind: 'Gadget'"):
        await scene.run(plan)
    assert not spot_api.requests("POST", "PATCH", "DELETE")


async def test_a_patch_whose_plan_cannot_be_read_is_told_by_the_next_plan(scene: Scene) -> None:
    """The ledger alone does not say what it was to change."""
    await scene.apply(CLOUDSPACE)
    plan = await scene.plan(NEWER)
    step = StepRecord(0, "cloudspace/edge", Ref("CloudSpace", "edge"), "patch")
    left_open(scene, plan.scope, {"digest": "d"}, step)
    recap = await scene.run(plan)
    (settled,) = scene.of(Settled)
    assert "cannot be told" in settled.detail
    assert (recap.outcome, recap.counts["updated"]) == ("ok", 1)


# Steps


async def test_a_patch_whose_object_may_not_be_read_has_failed(open_scene: OpenScene) -> None:
    """Nothing of it was sent."""
    await open_scene().apply(CLOUDSPACE)
    refusing = [False]

    async def act(request: httpx.Request, _: httpx.AsyncBaseTransport) -> httpx.Response | None:
        return status(403) if refusing[0] and request.url.path.endswith("/cloudspaces/edge") else None

    scene = open_scene(act)
    plan = await scene.plan(NEWER)
    refusing[0] = True
    recap = await scene.run(plan)
    (event,) = scene.of(StepEnded)
    assert (event.state, recap.exit_code) == (StepState.FAILED, 1)


@pytest.mark.parametrize(
    ("labels_are_read", "state", "detail"),
    [(True, StepState.REFUSED, "belongs to no stack"), (False, StepState.UNKNOWN, "cannot be looked up")],
)
async def test_a_lost_create_without_its_label_is_ours_only_if_no_object_shows_labels(
    open_scene: OpenScene, labels_are_read: bool, state: StepState, detail: str
) -> None:
    """The cloudspace shows its label, so somebody else made a pool without one, unless that cannot be told."""

    async def act(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response | None:
        if request.method == "POST" and request.url.path.endswith("/spotnodepools"):
            body = json.loads(request.content)
            del body["metadata"]["labels"]
            headers = {name: value for name, value in request.headers.items() if name != "content-length"}
            await inner.handle_async_request(httpx.Request("POST", request.url, json=body, headers=headers))
            raise httpx.ReadError("lost")
        return status(403) if "labelSelector" in str(request.url) and not labels_are_read else None

    scene = open_scene(act)
    await scene.apply(POOLS)
    (event,) = [each for each in scene.of(StepEnded) if "/workers" in each.address]
    assert (event.state, detail in event.detail) == (state, True)


async def test_an_object_in_an_odd_state_is_in_progress(open_scene: OpenScene) -> None:
    """It is waited for until the time is up."""

    async def act(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response | None:
        if request.method != "GET" or not request.url.path.endswith("/cloudspaces/edge"):
            return None
        answer = await inner.handle_async_request(request)
        found = json.loads(await answer.aread())
        return httpx.Response(200, json={**found, "spec": [1]})

    scene = open_scene(act)
    recap = await scene.apply(CLOUDSPACE)
    (event,) = scene.of(StepEnded)
    assert "in a state this version does not know" in event.detail
    assert recap.counts["waiting"] == 1


# Markets


@pytest.mark.parametrize(
    ("spec", "phase", "note"),
    [
        ({"serverClass": "gp.vs1.medium-dfw", "bidPrice": "0.01"}, Phase.OUTBID, "(bid 0.01, market price "),
        ({"serverClass": "gp.vs1.medium-dfw", "bidPrice": "cheap"}, Phase.OUTBID, "(bid cheap, market price "),
        ({"serverClass": "no-such-class", "bidPrice": "0.01"}, Phase.OUTBID, "seen"),
        ({"bidPrice": "0.01"}, Phase.OUTBID, "seen"),
        ({"serverClass": "gp.vs1.medium-dfw"}, Phase.PROGRESSING, "seen"),
        ({"serverClass": "gp.vs1.medium-dfw"}, Phase.PARTIAL, "seen"),
    ],
)
async def test_a_market_explains_what_it_can(scene: Scene, spec: dict[str, str], phase: Phase, note: str) -> None:
    """What cannot be read adds nothing."""
    client = scene.client
    market = ServerMarket(kinds()["SpotNodePool"], kinds(), Lookout(client.documents, client.clock))
    explained = await market.explain({"spec": spec}, Readiness(phase, "seen"))
    assert explained.phase is phase
    assert note in explained.note


async def test_a_market_that_may_not_be_read_explains_nothing(open_scene: OpenScene) -> None:
    """The wait has its result all the same."""

    async def refuse(request: httpx.Request, _: httpx.AsyncBaseTransport) -> httpx.Response | None:
        return status(403) if "/serverclasses" in request.url.path else None

    client = open_scene(refuse).client
    market = ServerMarket(kinds()["SpotNodePool"], kinds(), Lookout(client.documents, client.clock))
    seen = Readiness(Phase.OUTBID, "seen")
    assert await market.explain({"spec": {"serverClass": "gp.vs1.medium-dfw", "bidPrice": "0.01"}}, seen) == seen
