"""A run registers the machines of a group a few at a time, and begins no more once it is stopped."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rsspot.applier.events import Recap
from rsspot.applier.options import ApplyOptions, CancelToken
from rsspot.manifests.parse import load
from rsspot.state.ledger.registrations import RegistrationStatus
from rsspot.testing import SimulatedSpot
from rsspot.utils.serialization import Document
from rsspot.workflows.reconcile import apply_plan, make_plan
from support.registering import STACK

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
