"""A small stack, and a scene in which it is planned and applied: what the fault and applier tests share."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from rsspot.applier.events import Event, Recap
from rsspot.applier.options import ApplyOptions
from rsspot.client.async_client import AsyncSpotClient
from rsspot.manifests.manifest import ManifestSet
from rsspot.manifests.parse import load
from rsspot.planner.options import PlanOptions
from rsspot.planner.plan import Plan
from rsspot.simulator.world import World
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Ledger
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from rsspot.workflows.reconcile import apply_plan, make_plan

Act = Callable[[httpx.Request, httpx.AsyncBaseTransport], Awaitable[httpx.Response | None]]
"""What to do with a request on its way: an answer, or None for the usual one."""
NAMESPACE = "org-sandbox000000001"
PLURALS = ("cloudspaces", "spotnodepools", "ondemandnodepools")

CLOUDSPACE = """
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {region: us-central-dfw-1, kubernetesVersion: 1.31.1, webhook: https://example.com/first-secret}
"""
WORKERS = """
---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {name: workers}
spec: {cloudSpace: edge, serverClass: gp.vs1.medium-dfw, desired: 2, bidPrice: "0.06"}
"""
BASE = """
---
apiVersion: ngpc.rxt.io/v1
kind: OnDemandNodePool
metadata: {name: base}
spec: {cloudSpace: edge, serverClass: gp.vs1.medium-dfw, desired: 1}
"""
STACK = CLOUDSPACE + WORKERS + BASE
CHANGED = CLOUDSPACE.replace("1.31.1", "1.32.0") + WORKERS.replace("gp.vs1.medium", "gp.vs1.large")
"""An update of the cloudspace, a replacement of the spot pool, and no on-demand pool."""


class Scene:
    """One client, one ledger and a folder of manifests."""

    def __init__(self, client: AsyncSpotClient, ledger: Ledger, folder: Path) -> None:
        self.client, self.ledger, self.folder = client, ledger, folder
        self.events: list[Event] = []

    def manifests(self, text: str) -> ManifestSet:
        """The manifests that a text holds."""
        file = self.folder / "stack.yaml"
        file.write_text(text)
        return load([file], environ={})

    async def plan(self, text: str = STACK, *, stack: str | None = None, **options: Any) -> Plan:
        """What would be done for a text; pruning unless told otherwise."""
        allowed = PlanOptions(**{"prune": True, "most_deletes": 100, **options})
        return await make_plan(self.client, self.ledger, self.manifests(text), options=allowed, stack=stack)

    async def run(self, plan: Plan, manner: ApplyOptions | None = None) -> Recap:
        """Apply a plan, keep its events and give its recap."""
        self.events = []
        async with aclosing(apply_plan(self.client, self.ledger, plan, manner)) as events:
            async for event in events:
                self.events.append(event)
        recap = self.events[-1]
        assert isinstance(recap, Recap)
        return recap

    async def apply(self, text: str = STACK, manner: ApplyOptions | None = None, **options: Any) -> Recap:
        """Plan and apply a text."""
        return await self.run(await self.plan(text, **options), manner)

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of one class."""
        return [event for event in self.events if isinstance(event, kind)]


class Meddler(httpx.AsyncBaseTransport):
    """Does something of its own with chosen requests on their way; `act` gives the answer or None for the usual one."""

    def __init__(self, inner: httpx.AsyncBaseTransport, act: Act) -> None:
        self.inner, self._act = inner, act
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = await self._act(request, self.inner)
        return answer if answer is not None else await self.inner.handle_async_request(request)


def births(world: World, plural: str) -> Counter[str]:
    """How often an object of each name came into being, over all of a world's time."""
    return Counter(change.place[1] for change in world.store.changes(plural, NAMESPACE, 0) if change.type == "ADDED")


def living(world: World, plural: str) -> list[dict[str, Any]]:
    """The objects of a plural that live and are not being deleted."""
    found = world.store.objects(plural, NAMESPACE)
    return [body for body in found if not body["metadata"].get("deletionTimestamp")]


OpenScene = Callable[..., Scene]


@pytest.fixture
async def open_scene(spot_api: SimulatedSpot, tmp_path: Path) -> AsyncIterator[OpenScene]:
    """Makes scenes in one world: `act` meddles with requests, `wrap` puts something around the ledger."""
    opened: list[tuple[AsyncSpotClient, Ledger]] = []

    def scene_with(act: Act | None = None, wrap: Callable[[Ledger], Ledger] = lambda ledger: ledger) -> Scene:
        config = spot_api.client().config
        transport = Meddler(spot_api.transport, act) if act else spot_api.transport
        client = AsyncSpotClient(resolved=config, transport=transport, clock=spot_api.clock)
        ledger = open_ledger(config.state_path)
        opened.append((client, ledger))
        return Scene(client, wrap(ledger), tmp_path)

    yield scene_with
    for client, ledger in opened:
        await client.aclose()
        ledger.close()


@pytest.fixture
def scene(open_scene: OpenScene) -> Scene:
    """A scene in which nobody meddles."""
    return open_scene()
