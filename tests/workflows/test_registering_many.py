"""A run registers the machines of a group a few at a time, and begins no more once it is stopped."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from rsspot.applier.events import Recap
from rsspot.applier.options import ApplyOptions, CancelToken
from rsspot.manifests.parse import load
from rsspot.state.ledger.registrations import RegistrationStatus
from rsspot.testing import SimulatedSpot
from rsspot.utils.serialization import Document, at_path
from rsspot.wire import httpx
from rsspot.workflows.reconcile import apply_plan, make_plan
from support.registering import STACK
from support.scenes import OpenScene

MACHINES = 12
AT_A_TIME = 3
HERE = __name__


class Busy:
    """What the function below was asked. stop: asked for at the question of this number"""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = self.most = 0
        self.stop_at = 0
        self.stop = CancelToken()


busy = Busy()


async def answer(message: Document) -> Document:
    """Answers after a moment."""
    busy.asked.append(f"{message['ask']} {message['registrationKey']}")
    busy.now += 1
    busy.most = max(busy.most, busy.now)
    if len(busy.asked) == busy.stop_at:
        busy.stop.ask()
    for _ in range(3):
        await asyncio.sleep(0)
    busy.now -= 1
    return {}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A group of machines to be registered."""
    global busy
    busy = Busy()
    file = tmp_path / "stack.yaml"
    stack = STACK.replace("{exec: EXEC}", f"{{entryPoint: '{HERE}:answer'}}")
    file.write_text(stack.replace("desired: 2", f"desired: {MACHINES}"))
    return file


async def applied(spot: SimulatedSpot, manifest: Path) -> Recap:
    """The recap of an apply."""
    client, options = spot.client(), ApplyOptions(parallel=AT_A_TIME, stop=busy.stop)
    plan = await make_plan(client, client.ledger, load([manifest]), stack="vms")
    events = [event async for event in apply_plan(client, client.ledger, plan, options)]
    assert isinstance(events[-1], Recap)
    return events[-1]


async def test_a_few_machines_are_registered_at_a_time(spot_api: SimulatedSpot, manifest: Path) -> None:
    """As many as steps are."""
    assert (await applied(spot_api, manifest)).outcome == "ok"
    assert busy.most == AT_A_TIME
    assert len(busy.asked) == len(set(busy.asked)) == 3 * MACHINES


async def test_a_stopped_run_begins_no_further_question(spot_api: SimulatedSpot, manifest: Path) -> None:
    """Those that were asked are on record, and the next run asks the others."""
    busy.stop_at = 10
    assert (await applied(spot_api, manifest)).outcome == "cancelled"
    assert len(busy.asked) == 10
    busy.stop, busy.stop_at = CancelToken(), 0
    assert (await applied(spot_api, manifest)).outcome == "ok"
    assert len(busy.asked) == len(set(busy.asked)) == 3 * MACHINES
    records = spot_api.client().ledger.registrations()
    assert [each.status for each in records] == [RegistrationStatus.REGISTERED] * MACHINES


async def test_a_machine_that_a_read_left_out_is_registered_too(open_scene: OpenScene, manifest: Path) -> None:
    """The group is ready, and the read after that shows it as it was a moment before."""
    looks = 0

    async def late(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response | None:
        nonlocal looks
        if request.method != "GET" or "/vmcloudspaces/" not in request.url.path:
            return None
        response = await inner.handle_async_request(request)
        group = json.loads(await response.aread())
        servers = at_path(group, ("status", "assignedServers")) or {}
        looks += sum(bool(each.get("ipAddress")) for each in servers.values()) == MACHINES
        if looks != 2:
            return httpx.Response(200, json=group)
        servers.pop(min(servers))
        return httpx.Response(200, json=group)

    scene = open_scene(late)
    plan = await make_plan(scene.client, scene.client.ledger, load([manifest]), stack="vms")
    events = [event async for event in apply_plan(scene.client, scene.client.ledger, plan)]
    assert isinstance(events[-1], Recap) and events[-1].outcome == "ok"
    assert looks > 2
    assert len({each.rpartition(" ")[2] for each in busy.asked}) == MACHINES
