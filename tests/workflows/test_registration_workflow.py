"""A script that registers machines: each one once, whoever else is at it, and whatever becomes of the workers."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rsspot import PlanRefused, RegistrationRecord, RegistrationStatus, RegistrationWorkflow, SpotClient, StateError
from rsspot.services.vms.schemas import VMCloudSpace
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Ledger
from rsspot.state.ledger.registrations import worker_of_this_process
from rsspot.testing import SimulatedSpot
from support.registering import STACK, Registrar, Runs

ORGANIZATION = "org-sandbox000000001"
MACHINES = 6
ENDS_WITHIN = 60.0
S = RegistrationStatus
CLAIMS_AND_ENDS = """
import sys
from pathlib import Path
from rsspot.state.ledger import open_ledger
from rsspot.workflows.registration import RegistrationWorkflow
ledger = open_ledger(Path(sys.argv[1]))
workflow = RegistrationWorkflow(ledger, organization=sys.argv[2], omni_cluster="omni")
print(len(workflow.claim(limit=100)))
for record in workflow.claim(limit=1):
    workflow.token_issued(record, token_id="of-the-dead")
sys.stdout.flush()
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger in a file."""
    opened = open_ledger(tmp_path / "state.db")
    yield opened
    opened.close()


def group(count: int, name: str = "vms", **servers: Any) -> VMCloudSpace:
    """A VM cloudspace that has delivered so many machines, and others as told."""
    delivered = {
        f"u{number:03d}": {"ipAddress": f"10.0.0.{number}", "displayName": f"vm-{number}", "nodePoolName": "pool"}
        for number in range(count)
    }
    return VMCloudSpace.model_validate(
        {
            "metadata": {"name": name},
            "spec": {"region": "us-central-dfw-2", "vmSshKeyRef": {"name": "key"}},
            "status": {"assignedServers": delivered | servers},
        }
    )


def workflow(ledger: Ledger, worker: str | None = "script", **options: Any) -> RegistrationWorkflow:
    """The workflow of one worker."""
    return RegistrationWorkflow(
        ledger, **{"organization": ORGANIZATION, "omni_cluster": "omni", "worker": worker} | options
    )


def walked(flow: RegistrationWorkflow, record: RegistrationRecord) -> RegistrationRecord:
    """A machine walked to its end."""
    return flow.registered(flow.submitted(flow.token_issued(record, token_id="t1", expires_at="2030-01-01T00:00:00Z")))


# Which machines


def test_machines_with_an_address_are_candidates(ledger: Ledger) -> None:
    """The others are not there yet; nothing is noted by looking."""
    groups = [group(2, bare={"displayName": "x"}, empty={"ipAddress": ""}), group(1, "more"), group(0, "none")]
    found = workflow(ledger).candidates(groups)
    assert [(each.vmcloudspace, each.vm_uid, each.ip_address) for each in found] == [
        ("vms", "u000", "10.0.0.0"),
        ("vms", "u001", "10.0.0.1"),
        ("more", "u000", "10.0.0.0"),
    ]
    assert (found[0].vm_name, found[0].vmpool, found[0].record) == ("vm-0", "pool", None)
    assert len({each.registration_key for each in found}) == 3
    assert ledger.registrations() == []


def test_a_group_without_a_status_has_no_machines(ledger: Ledger) -> None:
    """It was made a moment ago."""
    bare = {"metadata": {"name": "vms"}, "spec": {"region": "r", "vmSshKeyRef": {"name": "key"}}}
    for status in (None, {}, {"assignedServers": None}):
        assert workflow(ledger).candidates([VMCloudSpace.model_validate({**bare, "status": status})]) == []


def test_a_machine_without_a_name_goes_by_its_identity(ledger: Ledger) -> None:
    """It has to be called something."""
    (found,) = workflow(ledger).candidates([group(0, u9={"ipAddress": "10.0.0.9"})])
    assert (found.vm_name, found.vmpool) == ("u9", None)


def test_discovering_again_changes_nothing(ledger: Ledger) -> None:
    """Neither a status nor what was learned."""
    flow = workflow(ledger)
    first = flow.discover([group(3)])
    assert [each.status for each in first] == [S.DISCOVERED] * 3
    (record,) = flow.claim()
    flow.token_issued(record, token_id="t1")
    again = {each.registration_key: each for each in flow.discover([group(3)])}
    assert len(again) == len(ledger.registrations()) == 3
    assert (again[record.registration_key].status, again[record.registration_key].token_id) == (S.TOKEN_ISSUED, "t1")
    assert again[record.registration_key].claimed_by == "script"
    assert flow.discover([group(3)]) == list(again.values())


def test_a_machine_is_noted_with_what_is_known_of_it(ledger: Ledger) -> None:
    """And no more."""
    (record,) = workflow(ledger).discover([group(1)])
    assert (record.org_id, record.omni_cluster, record.vmcloudspace) == (ORGANIZATION, "omni", "vms")
    assert (record.vm_uid, record.vm_name, record.vmpool) == ("u000", "vm-0", "pool")
    assert record.payload == {"ipAddress": "10.0.0.0"}


def test_a_registered_machine_is_never_a_candidate_again(ledger: Ledger) -> None:
    """However often the groups are looked at, and whoever looks."""
    flow = workflow(ledger)
    flow.discover([group(2)])
    done = walked(flow, flow.claim()[0])
    for looker in (flow, workflow(ledger, "another"), workflow(ledger, omni_cluster="second")):
        assert done.registration_key not in {each.registration_key for each in looker.candidates([group(2)])}
        looker.discover([group(2)])
    known = ledger.registration(done.registration_key)
    assert known is not None
    assert (known.status, known.omni_cluster, known.token_id) == (S.REGISTERED, "omni", "t1")
    assert done.registration_key not in {each.registration_key for each in flow.claim(limit=10)}


# From state to state


def test_a_machine_walks_to_its_end(ledger: Ledger) -> None:
    """Keeping what each step learned; at the end it is free."""
    flow = workflow(ledger)
    flow.discover([group(1)])
    (record,) = flow.claim()
    assert (record.claimed_by, record.status) == ("script", S.DISCOVERED)
    record = flow.token_issued(record, token_id="t1", expires_at="2030-01-01T00:00:00Z")
    record = flow.submitted(record)
    assert (record.status, record.claimed_by) == (S.SUBMITTED, "script")
    record = flow.registered(record)
    assert (record.status, record.token_id, record.token_expires_at) == (S.REGISTERED, "t1", "2030-01-01T00:00:00Z")
    assert (record.claimed_by, record.claimed_until) == (None, None)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_failure_keeps_the_token_and_the_reason(ledger: Ledger, after: int) -> None:
    """Wherever it happens; and the machine may be taken up again, by anybody."""
    flow = workflow(ledger)
    flow.discover([group(1)])
    (record,) = flow.claim()
    for step in (lambda each: flow.token_issued(each, token_id="t1"), flow.submitted)[:after]:
        record = step(record)
    failed = flow.failed(record, "the cluster manager said no")
    assert (failed.status, failed.last_error) == (S.FAILED, "the cluster manager said no")
    assert failed.token_id == ("t1" if after else None)
    assert failed.claimed_by is None
    other = workflow(ledger, "other")
    (again,) = other.claim()
    assert again.registration_key == failed.registration_key
    assert walked(other, again).status is S.REGISTERED


def test_a_skipped_machine_is_not_claimed(ledger: Ledger) -> None:
    """Nobody wants it registered."""
    flow = workflow(ledger)
    flow.discover([group(1)])
    (record,) = flow.claim()
    assert flow.skipped(record).status is S.SKIPPED
    flow.discover([group(1)])
    assert flow.claim(limit=10) == []


@pytest.mark.parametrize(
    ("steps", "illegal"),
    [
        ([], "submitted"),
        ([], "registered"),
        (["token_issued"], "registered"),
        (["token_issued"], "skipped"),
        (["token_issued", "submitted"], "skipped"),
        (["token_issued", "submitted", "registered"], "token_issued"),
        (["token_issued", "submitted", "registered"], "submitted"),
        (["token_issued", "submitted", "registered"], "registered"),
        (["token_issued", "submitted", "registered"], "failed"),
        (["failed"], "submitted"),
        (["failed"], "registered"),
        (["skipped"], "submitted"),
    ],
)
def test_no_step_is_left_out_or_taken_back(ledger: Ledger, steps: list[str], illegal: str) -> None:
    """And what was tried changes nothing."""
    flow = workflow(ledger)
    flow.discover([group(1)])
    (record,) = flow.claim()
    moves: dict[str, Any] = {
        "token_issued": lambda each: flow.token_issued(each, token_id="t1"),
        "submitted": flow.submitted,
        "registered": flow.registered,
        "failed": lambda each: flow.failed(each, "no"),
        "skipped": flow.skipped,
    }
    for step in steps:
        record = moves[step](record)
    with pytest.raises(StateError, match="a registration cannot go from"):
        moves[illegal](record)
    assert ledger.registration(record.registration_key) == record


@pytest.mark.parametrize("got_to", ["token_issued", "submitted", "failed", "skipped"])
def test_a_new_token_begins_anew(ledger: Ledger, got_to: str) -> None:
    """Whatever somebody began and left: the new token counts from then on, and each step is taken again."""
    flow = workflow(ledger)
    flow.discover([group(1)])
    (record,) = flow.claim()
    record = flow.skipped(record) if got_to == "skipped" else flow.token_issued(record, token_id="t1")
    if got_to == "submitted":
        record = flow.submitted(record)
    elif got_to == "failed":
        record = flow.failed(record, "no")
    record = flow.token_issued(record, token_id="t2")
    assert (record.status, record.token_id) == (S.TOKEN_ISSUED, "t2")
    with pytest.raises(StateError, match="a registration cannot go from"):
        flow.registered(record)
    done = flow.registered(flow.submitted(record))
    assert (done.status, done.token_id) == (S.REGISTERED, "t2")


def test_a_machine_of_another_worker_cannot_be_moved(ledger: Ledger) -> None:
    """Not even by who knows of it."""
    flow, other = workflow(ledger), workflow(ledger, "other")
    flow.discover([group(1)])
    (record,) = flow.claim()
    with pytest.raises(StateError, match="vm-0 is being registered by script until"):
        other.token_issued(record, token_id="t2")
    with pytest.raises(StateError):
        other.failed(record, "mine")
    assert ledger.registration(record.registration_key) == record


def test_a_machine_that_is_not_known_cannot_be_moved(ledger: Ledger) -> None:
    """It has to be discovered first."""
    record = RegistrationRecord("key", "uid", ORGANIZATION, "vms", "omni")
    with pytest.raises(StateError, match="from unknown"):
        workflow(ledger).token_issued(record, token_id="t1")


# Claims


def test_twenty_workers_never_share_a_machine(tmp_path: Path) -> None:
    """However they ask: through one ledger or each through its own."""
    with_machines = open_ledger(tmp_path / "state.db")
    workflow(with_machines).discover([group(60)])
    own = [open_ledger(tmp_path / "state.db") for _ in range(10)]
    ledgers = own + [with_machines] * 10
    together = threading.Barrier(20)

    def work(number: int) -> list[str]:
        flow, done = workflow(ledgers[number], f"worker-{number}"), []
        together.wait()
        while claimed := flow.claim(limit=2):
            done += [walked(flow, record).registration_key for record in claimed]
        return done

    with ThreadPoolExecutor(20) as pool:
        done = [key for keys in pool.map(work, range(20)) for key in keys]
    assert len(done) == len(set(done)) == 60
    assert {each.status for each in with_machines.registrations()} == {S.REGISTERED}
    for each in (*own, with_machines):
        each.close()


def test_who_asks_again_gets_its_own_again_for_longer(ledger: Ledger) -> None:
    """A worker that lost count does not lose its machines."""
    flow, other = workflow(ledger, claim_seconds=60), workflow(ledger, "other")
    flow.discover([group(3)])
    first = flow.claim(limit=2)
    again = workflow(ledger, claim_seconds=600).claim(limit=2)
    assert [each.registration_key for each in again] == [each.registration_key for each in first]
    assert all((b.claimed_until or "") > (a.claimed_until or "") for a, b in zip(first, again, strict=True))
    assert len(other.claim(limit=10)) == 1
    assert other.claim(limit=0) == []


def test_a_claim_that_ran_out_is_anybodys(ledger: Ledger) -> None:
    """And who was too slow is told when it comes back."""
    slow, other = workflow(ledger, "slow", claim_seconds=-1.0), workflow(ledger, "other")
    slow.discover([group(1)])
    (record,) = slow.claim()
    (taken,) = other.claim()
    assert taken.registration_key == record.registration_key
    with pytest.raises(StateError, match="is being registered by other"):
        slow.token_issued(record, token_id="t1")


def test_machines_of_other_organizations_and_clusters_are_not_claimed(ledger: Ledger) -> None:
    """A workflow is about one of each."""
    workflow(ledger, organization="org-else").discover([group(1)])
    workflow(ledger, omni_cluster="second").discover([group(1, "more")])
    flow = workflow(ledger)
    flow.discover([group(1, "ours")])
    assert [each.vmcloudspace for each in flow.claim(limit=10)] == ["ours"]


def test_a_worker_is_its_process_unless_it_has_a_name(ledger: Ledger) -> None:
    """So that the claims of one that was killed can be told from those of one that lives."""
    flow = workflow(ledger, worker=None)
    flow.discover([group(1)])
    (claimed,) = flow.claim()
    host, pid, _ = worker_of_this_process().rsplit("#", 2)
    assert str(claimed.claimed_by).startswith(f"{host}#{pid}#")
    assert workflow(ledger, worker=None).claim() == []


def test_the_loop_of_the_documentation_goes_on_where_it_was_stopped(ledger: Ledger) -> None:
    """A script that was killed between two steps must not stop at the same machine for ever."""
    flow = workflow(ledger)
    flow.discover([group(3)])
    first, second, third = flow.claim(limit=3)
    flow.token_issued(first, token_id="t1")
    flow.submitted(flow.token_issued(second, token_id="t2"))
    flow.failed(third, "no")
    for record in flow.claim(limit=10):
        begun = flow.token_issued(record, token_id="again")
        flow.registered(flow.submitted(begun))
    assert {each.status for each in ledger.registrations()} == {RegistrationStatus.REGISTERED}


def test_a_worker_that_died_loses_its_claims_at_once(ledger: Ledger, tmp_path: Path) -> None:
    """And what it had done is not done again."""
    flow = workflow(ledger)
    flow.discover([group(3)])
    program = [sys.executable, "-c", CLAIMS_AND_ENDS, str(tmp_path / "state.db"), ORGANIZATION]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout == "3\n", ended.stderr
    claimed = flow.claim(limit=10)
    assert len(claimed) == 3
    (begun,) = (each for each in claimed if each.status is S.TOKEN_ISSUED)
    assert begun.token_id == "of-the-dead"
    assert flow.registered(flow.submitted(begun)).token_id == "of-the-dead"


# A script and an apply


@pytest.fixture
async def delivered(spot_api: SimulatedSpot, registrar: Registrar, tmp_path: Path) -> Runs:
    """Six machines that are there, and a manifest that wants them registered."""
    runs = Runs(spot_api, tmp_path)
    stack = STACK.replace("EXEC", json.dumps(registrar.refusing())).replace("desired: 2", f"desired: {MACHINES}")
    runs.file.write_text(stack.rpartition("---")[0])
    assert (await runs.apply()).outcome == "ok"
    spot_api.advance(1000)
    runs.file.write_text(stack)
    return runs


def script_of(runs: Runs, worker: str = "script") -> RegistrationWorkflow:
    """A script that works beside the applies of a stack."""
    return RegistrationWorkflow(runs.client.ledger, organization=ORGANIZATION, omni_cluster="first", worker=worker)


def confirmed(registrar: Registrar) -> Counter[str]:
    """How often an apply had each machine registered, by its key."""
    return Counter(each["registrationKey"] for each in registrar.asked if each["ask"] == "confirm")


async def test_a_script_and_a_manifest_call_a_machine_by_one_key(delivered: Runs, registrar: Registrar) -> None:
    """So that either knows what the other has done."""
    (machines,) = await delivered.client.vm_cloudspaces.list()
    keys = {each.registration_key for each in script_of(delivered).candidates([machines])}
    plan = await delivered.plan()
    assert {change.ref.name for change in plan.changes if change.ref.kind == "VMRegistration"} == keys
    assert (await delivered.apply()).outcome == "ok"
    assert confirmed(registrar) == Counter(keys)
    assert {each.registration_key for each in delivered.client.ledger.registrations()} == keys
    assert script_of(delivered).candidates([machines]) == []


async def test_what_a_script_has_registered_is_not_registered_by_an_apply(
    delivered: Runs, registrar: Registrar
) -> None:
    """The machines belong to no stack, so it is refused; the registrar is not even asked."""
    groups, script = await delivered.client.vm_cloudspaces.list(), script_of(delivered)
    script.discover(groups)
    done = [walked(script, record) for record in script.claim(limit=MACHINES)]
    assert len(done) == MACHINES
    with pytest.raises(PlanRefused, match="exists already and belongs to no stack"):
        await delivered.apply()
    assert registrar.asked == []


async def test_an_apply_leaves_a_machine_to_the_script_that_is_at_it(delivered: Runs, registrar: Registrar) -> None:
    """It says so, and does the rest."""
    groups, script = await delivered.client.vm_cloudspaces.list(), script_of(delivered)
    script.discover(groups)
    (record,) = script.claim()
    assert (await delivered.apply()).outcome == "partial"
    assert record.registration_key not in confirmed(registrar)
    assert len(confirmed(registrar)) == MACHINES - 1
    assert walked(script, record).status is S.REGISTERED
    assert script.claim(limit=MACHINES) == []


async def test_an_apply_and_a_script_at_the_same_time_register_each_machine_once(
    delivered: Runs, registrar: Registrar
) -> None:
    """Whoever comes first has it, and together they leave none out."""
    groups, script = await delivered.client.vm_cloudspaces.list(), script_of(delivered)
    ledger, done = delivered.client.ledger, []
    script.discover(groups)
    held, enough = script.claim(limit=2), time.monotonic() + ENDS_WITHIN

    def work() -> None:
        """The first two at leisure, once the apply has begun; then what is left, one at a time."""
        while not confirmed(registrar) and time.monotonic() < enough:
            time.sleep(0.005)
        done.extend(walked(script, record).registration_key for record in held)
        while len(ledger.registered(ORGANIZATION)) < MACHINES and time.monotonic() < enough:
            done.extend(walked(script, record).registration_key for record in script.claim())
            time.sleep(0.02)

    _, recap = await asyncio.gather(asyncio.to_thread(work), delivered.apply())
    assert recap.outcome in ("ok", "partial")
    by_apply = confirmed(registrar)
    assert Counter(done) + by_apply == Counter(each.registration_key for each in ledger.registrations())
    assert len(ledger.registered(ORGANIZATION)) == MACHINES
    assert len(done) >= 2 and by_apply


def test_a_synchronous_client_has_all_that_a_script_needs(spot_api: SimulatedSpot) -> None:
    """Its ledger too, as the manual has it."""
    config = spot_api.client().config
    with SpotClient(resolved=config, transport=spot_api.transport, clock=spot_api.clock) as spot:
        spot.vm_cloudspaces.create("vms", {"region": "us-central-dfw-2", "vmSshKeyRef": {"name": "key"}})
        pool = {"vmCloudSpace": "vms", "serverClass": "gp.vs2.medium-dfw2", "desired": 2, "bidPrice": "0.03"}
        spot.vm_pools.create("runners", pool)
        spot.vm_pools.wait("runners")
        spot_api.advance(1000)
        flow = RegistrationWorkflow(spot.ledger, organization=ORGANIZATION, omni_cluster="prod")
        flow.discover(spot.vm_cloudspaces.list())
        for record in flow.claim(limit=10):
            walked(flow, record)
        assert [each.status for each in spot.ledger.registrations()] == [S.REGISTERED] * 2
        assert flow.candidates(spot.vm_cloudspaces.list()) == []
