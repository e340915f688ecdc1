"""Clients whose requests are recorded, with body and headers, and for which a test can replace some responses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rsspot.client.async_client import AsyncSpotClient
from rsspot.config.loader import Resolved
from rsspot.settings import Setting
from rsspot.testing import URL, SimulatedSpot
from rsspot.utils.serialization import Document
from rsspot.wire import httpx

NAMESPACE = "org-sandbox000000001"
REGION = "us-central-dfw-1"
CLOUDSPACE = {"region": REGION, "kubernetesVersion": "1.31.1"}
POOL = {"cloudSpace": "edge", "serverClass": "gp.vs1.medium-dfw", "desired": 2, "bidPrice": "0.06"}
RENTED = {"cloudSpace": "edge", "serverClass": "gp.vs1.medium-dfw", "desired": 1}
AUTOPILOT = {"cloudSpace": "edge", "region": REGION, "vcpu": {"total": 8}, "budgetPerHour": "1.5"}
GROUP = {"region": REGION, "vmSshKeyRef": {"name": "key"}}
MACHINES = {"vmCloudSpace": "vms", "serverClass": "gp.vs1.medium-dfw", "desired": 1, "bidPrice": "0.06"}
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJlZWZiZWVmYmVlZmJlZWZiZWVmYmVlZmJlZWZiZWVmYmVl tests"

Answer = Callable[[httpx.Request], httpx.Response | None]
"""An answer that a test makes up, or None for the service's own."""


class Overheard(httpx.AsyncBaseTransport):
    """Passes requests to a simulated service and records them."""

    def __init__(self, inner: httpx.AsyncBaseTransport, answer: Answer = lambda _: None) -> None:
        self._inner, self._answer = inner, answer
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        # A copy: the one that is on its way may be signed and sent once more.
        self.requests.append(
            httpx.Request(request.method, request.url, headers=request.headers.raw, content=request.content)
        )
        made_up = self._answer(request)
        return made_up if made_up is not None else await self._inner.handle_async_request(request)

    def of(self, *methods: str, path: str = "/apis/") -> list[httpx.Request]:
        """The requests of some methods whose path contains a text."""
        return [each for each in self.requests if each.method in methods and path in each.url.path]

    def bodies(self, *methods: str) -> list[Document]:
        """The JSON bodies of the API requests of some methods."""
        return [json.loads(each.content) for each in self.of(*methods)]


def settings_of(spot: SimulatedSpot, **others: Any) -> Resolved:
    """The settings of a client of a simulated service, with changes; None removes a setting."""
    config = spot.client().config
    changed = {name.replace("__", "."): value for name, value in others.items()}
    kept = {name: each for name, each in config.settings.items() if name not in changed}
    added = {name: Setting(value, "test") for name, value in changed.items() if value is not None}
    return Resolved("simulated", kept | added, config.state_path)


def overhearing(
    spot: SimulatedSpot, answer: Answer = lambda _: None, **settings: Any
) -> tuple[AsyncSpotClient, Overheard]:
    """A client and the requests it sends."""
    wire = Overheard(spot.transport, answer)
    return AsyncSpotClient(resolved=settings_of(spot, **settings), transport=wire, clock=spot.clock), wire


def offline() -> tuple[AsyncSpotClient, Overheard]:
    """A client that must not send anything, and the requests it sends nevertheless."""

    def fail(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"sent: {request.method} {request.url}")

    wire = Overheard(httpx.MockTransport(fail))
    values = {
        "base_url": URL,
        "oauth_url": URL,
        "refresh_token": "t",
        "organization": "sandbox",
        "cache.enabled": False,
    }
    settings = {name: Setting(value, "test") for name, value in values.items()}
    return AsyncSpotClient(resolved=Resolved("offline", settings, Path("/nowhere/state.db")), transport=wire), wire


def uuid_of(number: int) -> str:
    """A wire name for a pool."""
    return f"00000000-0000-4000-8000-{number:012d}"


def put(spot: SimulatedSpot, plural: str, *items: Document) -> None:
    """Store objects directly, bypassing the service's rules."""
    with spot.world.lock, spot.world.store.transaction():
        for item in items:
            metadata = {
                "namespace": NAMESPACE,
                "uid": f"uid-{item['metadata']['name']}",
                "generation": 1,
                **item["metadata"],
            }
            spot.world.store.put(plural, {**item, "metadata": metadata})


def cloudspace(name: str, **rest: Any) -> Document:
    """A cloudspace as the service stores it."""
    frame = {"apiVersion": "ngpc.rxt.io/v1", "kind": "CloudSpace"}
    return {**frame, "metadata": {"name": name}, "spec": {**CLOUDSPACE, "cloud": "default"}, **rest}


def pool(number: int, **spec: Any) -> Document:
    """A spot pool as the service stores it, without the label that names its cloudspace."""
    frame = {"apiVersion": "ngpc.rxt.io/v1", "kind": "SpotNodePool"}
    return {**frame, "metadata": {"name": uuid_of(number)}, "spec": {**POOL, **spec}}
