"""A machine that is gone is retired once two reads apart agree, and one that comes back is registered anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rsspot.applier.events import Recap
from rsspot.manifests.parse import load
from rsspot.planner.change import Action
from rsspot.planner.options import PlanOptions
from rsspot.planner.plan import Plan
from rsspot.simulator.apiserver.store import Object
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus
from rsspot.testing import SimulatedSpot
from rsspot.workflows.reconcile import apply_plan, make_plan
from support.registering import STACK, Runs
from support.scripted_registrar import SERVICES, Service

S = RegistrationStatus
CLUSTER = "retiring"


class Pruning(Runs):
    """Runs that prune, and machines that come and go."""

    def __init__(self, spot: SimulatedSpot, folder: Path) -> None:
        super().__init__(spot, folder)
        self._spot = spot

    async def plan(self) -> Plan:
        """The plan of the manifest, with --prune."""
        prune = PlanOptions(prune=True)
        return await make_plan(self.client, self.client.ledger, load([self.file]), stack="vms", options=prune)

    async def planned(self) -> list[tuple[Action, str]]:
        """What a plan would do with which machine."""
        return [(change.action, change.address.rpartition("/")[2]) for change in (await self.plan()).changes]

    @property
    def group(self) -> Object:
        """The VM cloudspace."""
        (group,) = self._spot.world.store.objects("vmcloudspaces")
        return group

    @property
    def servers(self) -> dict[str, Any]:
        """The machines that are listed."""
        return dict(self.group["status"]["assignedServers"])

    def list_servers(self, servers: dict[str, Any]) -> None:
        """List these machines from now on."""
        bids = self.group["status"]["bids"]
        won = {name: {**bid, "wonCount": len(servers)} for name, bid in bids.items()}
        self._spot.world.set_status("vmcloudspaces", self.group, assignedServers=servers, bids=won)

    def record(self, uid: str) -> RegistrationRecord:
        """What the ledger knows of a machine."""
        return next(each for each in self.client.ledger.registrations() if each.vm_uid == uid)


@pytest.fixture
async def runs(spot_api: SimulatedSpot, tmp_path: Path) -> Pruning:
    """Two registered machines."""
    SERVICES[CLUSTER] = Service(lambda *_: "answer")
    made = Pruning(spot_api, tmp_path)
    stack = STACK.replace("{exec: EXEC}", "{entryPoint: support.scripted_registrar:service}")
    made.file.write_text(stack.replace("omniCluster: first", f"omniCluster: {CLUSTER}"))
    assert (await made.apply()).outcome == "ok"
    assert len(made.servers) == 2
    return made


async def test_a_machine_that_flaps_stays_registered(runs: Pruning, spot_api: SimulatedSpot) -> None:
    """One read that misses it changes nothing, and when it is there again that read is forgotten."""
    before = runs.servers
    gone, *_ = sorted(before)
    for _ in range(3):
        runs.list_servers({uid: each for uid, each in before.items() if uid != gone})
        assert await runs.planned() == []
        assert (await runs.apply()).outcome == "ok"
        spot_api.advance(3600)
        runs.list_servers(before)
        assert await runs.planned() == []
        assert (await runs.apply()).outcome == "ok"
    assert runs.record(gone).status is S.REGISTERED
    assert sum(SERVICES[CLUSTER].joined.values()) == 2


async def test_a_machine_that_two_reads_apart_miss_is_retired(runs: Pruning, spot_api: SimulatedSpot) -> None:
    """At once, and then there is nothing left to be done."""
    gone, *_ = sorted(runs.servers)
    runs.list_servers({uid: each for uid, each in runs.servers.items() if uid != gone})
    assert "is missing; it goes once a later apply misses it too" in "".join((await runs.plan()).notes)
    assert (await runs.apply()).outcome == "ok"
    spot_api.advance(30)
    assert await runs.planned() == []
    spot_api.advance(31)
    assert await runs.planned() == [(Action.DELETE, gone)]
    began = spot_api.clock.monotonic()
    assert (await runs.apply()).outcome == "ok"
    assert spot_api.clock.monotonic() - began < 10
    assert runs.record(gone).status is S.SKIPPED
    assert await runs.planned() == []


async def test_a_plan_notes_nothing(runs: Pruning, spot_api: SimulatedSpot) -> None:
    """However often it misses a machine."""
    gone, *_ = sorted(runs.servers)
    runs.list_servers({uid: each for uid, each in runs.servers.items() if uid != gone})
    for _ in range(3):
        assert await runs.planned() == []
        spot_api.advance(3600)
    assert runs.client.ledger.progress(runs.record(gone).registration_key).missing_since is None


async def test_a_machine_that_is_back_when_it_would_be_retired_stays(runs: Pruning, spot_api: SimulatedSpot) -> None:
    """A plan may be older than its apply."""
    before = runs.servers
    gone, *_ = sorted(before)
    runs.list_servers({uid: each for uid, each in before.items() if uid != gone})
    await runs.apply()
    spot_api.advance(61)
    plan = await runs.plan()
    assert [change.action for change in plan.changes] == [Action.DELETE]
    runs.list_servers(before)
    events = [event async for event in apply_plan(runs.client, runs.client.ledger, plan)]
    assert isinstance(events[-1], Recap) and events[-1].outcome == "failed"
    assert "the machine is there again" in str(events)
    assert runs.record(gone).status is S.REGISTERED
    assert await runs.planned() == []


@pytest.mark.parametrize("retired", [True, False])
async def test_a_machine_that_was_gone_and_is_back_is_registered_anew(
    runs: Pruning, spot_api: SimulatedSpot, retired: bool
) -> None:
    """Whether it was retired in between or not, and with questions that are not those about the old one."""
    before = runs.servers
    gone, *_ = sorted(before)
    runs.list_servers({uid: each for uid, each in before.items() if uid != gone})
    await runs.apply()
    spot_api.advance(61)
    if retired:
        await runs.apply()
    else:
        # An apply of a plan without --prune.
        plan = await Runs.plan(runs)
        assert plan.empty
        assert [event async for event in apply_plan(runs.client, runs.client.ledger, plan)]
    runs.list_servers(before)
    assert await runs.planned() == [(Action.CREATE, gone)]
    assert (await runs.apply()).outcome == "ok"
    record = runs.record(gone)
    assert record.status is S.REGISTERED
    assert SERVICES[CLUSTER].joined[record.registration_key] == 2
    assert await runs.planned() == []


async def test_without_the_manifest_machines_are_retired_at_once(runs: Pruning) -> None:
    """Their author no longer wants them registered; nothing has to be proven."""
    runs.file.write_text(runs.file.read_text().rpartition("---")[0])
    assert [action for action, _ in await runs.planned()] == [Action.DELETE] * 2
    assert (await runs.apply()).outcome == "ok"
    assert await runs.planned() == []


async def test_a_machine_that_is_skipped_by_hand_is_not_planned(runs: Pruning, spot_api: SimulatedSpot) -> None:
    """Neither to be registered, nor, while it is there, to be retired."""
    key = runs.record(sorted(runs.servers)[0]).registration_key
    ledger = runs.client.ledger
    assert ledger.retire(key)
    ledger.pass_over(key)
    assert await runs.planned() == []
    assert (await runs.apply()).outcome == "ok"
    assert SERVICES[CLUSTER].joined[key] == 1
    ledger.retry(key)
    assert [action for action, _ in await runs.planned()] == [Action.CREATE]
