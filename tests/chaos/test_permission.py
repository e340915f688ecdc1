"""No write starts once a run was stopped, ran out of time or lost its lease: not even one that was already waiting.

The service answers 429 for seconds, so that at any moment some writes wait for their turn. What is looked at is the
moment at which a request reaches the service.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rsspot.applier.options import ApplyOptions
from rsspot.errors import Locked
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Holder, Ledger, StepState
from rsspot.testing import SimulatedSpot
from rsspot.utils.clock import utc_now
from rsspot.wire import httpx
from support.amount import amount
from support.scenes import CLOUDSPACE, OpenScene, Scene

SEEDS = range(amount(8, 40))
POOLS = 12


def stack(seed: int) -> str:
    """A cloudspace and a dozen pools of it."""
    chance = random.Random(seed)
    documents = [CLOUDSPACE]
    for number in range(POOLS):
        kind, bid = chance.choice([("SpotNodePool", ', bidPrice: "0.06"'), ("OnDemandNodePool", "")])
        documents.append(
            f"apiVersion: ngpc.rxt.io/v1\nkind: {kind}\nmetadata: {{name: pool-{number}}}\n"
            f"spec: {{cloudSpace: edge, serverClass: gp.vs1.medium-dfw, desired: 1{bid}}}\n"
        )
    return "---\n".join(documents)


class Throttle:
    """Answers a share of the writes of pools with 429, and does something in the middle of it all."""

    def __init__(self, seed: int, happens: Callable[[], None]) -> None:
        self._chance = random.Random(seed)
        self._happens, self._at = happens, self._chance.randrange(1, POOLS)
        self.writes = 0
        self.late = 0
        self.over = False

    async def __call__(self, request: httpx.Request, _: httpx.AsyncBaseTransport) -> httpx.Response | None:
        if request.method == "GET" or request.url.path.startswith("/oauth"):
            return None
        self.late += self.over
        self.writes += 1
        if self.writes == self._at:
            self.over = True
            self._happens()
        if not request.url.path.endswith("/cloudspaces") and self._chance.random() < 0.6:
            headers = {"Retry-After": str(self._chance.randrange(1, 5))}
            return httpx.Response(429, json={"kind": "Status", "code": 429, "message": "slow down"}, headers=headers)
        return None


def throttled(open_scene: OpenScene, seed: int, happens: Callable[[], None]) -> tuple[Scene, Throttle]:
    throttle = Throttle(seed, happens)
    return open_scene(throttle), throttle


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("outcome", ["cancelled", "deadline"])
async def test_no_write_starts_after_a_stop(open_scene: OpenScene, seed: int, outcome: str) -> None:
    """Also not one that was told to come back later; the next run makes what is missing, once."""
    manner = ApplyOptions(parallel=8, wait="accepted")
    scene, throttle = throttled(open_scene, seed, lambda: manner.stop.ask(outcome))
    recap = await scene.apply(stack(seed), manner)
    assert throttle.late == 0
    assert recap.outcome == outcome
    run = scene.ledger.runs()[0].id
    open_now = [step for step in scene.ledger.steps(run) if step.state in (StepState.INTENT, StepState.PENDING)]
    assert not open_now, "what was certainly not sent is closed"
    await assert_converges(open_scene(), stack(seed))


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_write_starts_after_a_take_over(spot_api: SimulatedSpot, open_scene: OpenScene, seed: int) -> None:
    """A run that slept while another took the lease ends as locked out, with its recap, and sends nothing more."""
    scene, throttle = throttled(open_scene, seed, lambda: take_over(spot_api))
    with pytest.raises(Locked):
        await scene.apply(stack(seed), ApplyOptions(parallel=8, wait="accepted"))
    assert throttle.late == 0
    assert scene.ledger.runs()[0].outcome is not None
    give_back(spot_api)
    await assert_converges(open_scene(), stack(seed))


def take_over(spot_api: SimulatedSpot) -> None:
    """Hold the lease as a run on another machine does once it has expired."""
    with_ledger(spot_api, lambda ledger, scope: ledger.acquire(scope, SOMEBODY, utc_now() + timedelta(hours=1), 60))


def give_back(spot_api: SimulatedSpot) -> None:
    """Let that run end."""

    def release(ledger: Ledger, scope: str) -> None:
        lease = ledger.current_lease(scope)
        assert lease is not None
        ledger.release(lease)

    with_ledger(spot_api, release)


SOMEBODY = Holder("somebody", "elsewhere", 1)


def with_ledger(spot_api: SimulatedSpot, act: Callable[[Ledger, str], Any]) -> None:
    ledger = open_ledger(spot_api.client().config.state_path)
    act(ledger, ledger.runs()[0].scope)
    ledger.close()


async def assert_converges(scene: Scene, text: str) -> None:
    """One more run, in which nobody meddles, ends well, and leaves nothing to do."""
    assert (await scene.apply(text)).outcome == "ok"
    plan = await scene.plan(text)
    assert plan.empty
    assert not scene.ledger.open_steps(plan.scope)
