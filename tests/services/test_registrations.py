"""Machines are registered by a user's program, step by step, and no step is repeated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import NotFound, UsageError
from rsspot.resources.documents import Documents
from rsspot.resources.registry import kinds
from rsspot.services.registrations.registrars.protocol import RegistrarFailed
from rsspot.state.ledger.registrations import RegistrationStatus
from rsspot.testing import SimulatedSpot
from rsspot.utils.serialization import Document
from support.registering import REGISTRAR, STACK, Registrar, Runs


@pytest.fixture
async def registrations(spot_client: AsyncSpotClient) -> Any:
    """The verbs of registered machines."""
    async with spot_client as client:
        yield client.documents(kinds()["VMRegistration"])


def machine(command: list[str]) -> Document:
    """A machine to register, with one attempt."""
    spec = {"vmCloudSpace": "vms", "vmUid": "u1", "vmName": "vm-1", "ipAddress": "10.0.0.1", "omniCluster": "omni"}
    registrar = {"exec": command, "timeoutSeconds": 20}
    return {"metadata": {"name": "key"}, "spec": {**spec, "registrar": registrar, "retry": {"limit": 1}}}


async def test_a_machine_goes_from_discovered_to_registered(registrations: Documents, registrar: Registrar) -> None:
    """Three questions in order, each with the results of the earlier ones."""
    made = await registrations.create(machine(registrar.refusing()))
    assert made["status"]["state"] == "registered"
    assert registrar.questions == ["issue_token", "submit", "confirm"]
    assert [each["tokenId"] for each in registrar.asked] == [None, "t1", "t1"]
    assert registrar.asked[0]["vm"]["ipAddress"] == "10.0.0.1"
    assert [each["metadata"]["name"] for each in await registrations.list()] == ["key"]
    assert (await registrations.get("key"))["spec"]["vmUid"] == "u1"


async def test_a_registered_machine_is_not_registered_again(registrations: Documents, registrar: Registrar) -> None:
    """Creating it again returns the existing record."""
    await registrations.create(machine(registrar.refusing()))
    await registrations.create(machine(registrar.refusing()))
    assert len(registrar.questions) == 3


@pytest.mark.parametrize("question", ["issue_token", "submit", "confirm"])
async def test_a_failure_is_recorded_with_its_reason_and_retried_later(
    registrations: Documents, registrar: Registrar, question: str
) -> None:
    """Until then the machine is not listed as registered."""
    with pytest.raises(RegistrarFailed, match=f"exited with 1: no {question} today"):
        await registrations.create(machine(registrar.refusing(question)))
    known = registrations.context.registrations().registration("key")
    assert known is not None and known.status is RegistrationStatus.FAILED
    assert known.last_error is not None and f"no {question} today" in known.last_error
    assert await registrations.list() == []
    with pytest.raises(NotFound):
        await registrations.get("key")
    registrar.log.unlink()
    with pytest.raises(RegistrarFailed, match="failed once, and is tried again only after"):
        await registrations.create(machine(registrar.refusing()))
    assert registrar.questions == []
    registrations.context.registrations().retry("key")
    assert (await registrations.create(machine(registrar.refusing())))["status"]["state"] == "registered"
    # It goes on with the question that failed.
    assert registrar.questions[0] == question


@pytest.mark.parametrize(
    ("status", "questions"),
    [
        ([], ["issue_token", "submit", "confirm"]),
        ([RegistrationStatus.TOKEN_ISSUED], ["submit", "confirm"]),
        ([RegistrationStatus.TOKEN_ISSUED, RegistrationStatus.SUBMITTED], ["confirm"]),
    ],
)
async def test_an_interrupted_registration_resumes(
    registrations: Documents, registrar: Registrar, status: list[RegistrationStatus], questions: list[str]
) -> None:
    """A token that was issued is not issued again."""
    with pytest.raises(RegistrarFailed):
        await registrations.create(machine(registrar.refusing("issue_token")))
    ledger = registrations.context.registrations()
    ledger.retry("key")
    ledger.advance("key", RegistrationStatus.DISCOVERED)
    for step in status:
        ledger.advance("key", step, token_id="t0" if step is RegistrationStatus.TOKEN_ISSUED else None)
    registrar.log.unlink()
    await registrations.create(machine(registrar.refusing()))
    assert registrar.questions == questions
    if status:
        assert {each["tokenId"] for each in registrar.asked} == {"t0"}


async def test_retiring_keeps_the_record_and_does_not_call_the_registrar(
    registrations: Documents, registrar: Registrar
) -> None:
    """The machine no longer exists."""
    await registrations.create(machine(registrar.refusing()))
    await registrations.delete("key")
    assert len(registrar.questions) == 3
    assert await registrations.list() == []
    known = registrations.context.registrations().registration("key")
    assert known is not None and (known.status, known.token_id) == (RegistrationStatus.SKIPPED, "t1")
    with pytest.raises(NotFound):
        await registrations.delete("key")


async def test_the_token_itself_is_never_stored(registrations: Documents, registrar: Registrar, tmp_path: Path) -> None:
    """Only its id is."""
    await registrations.create(machine(registrar.refusing()))
    assert not any(b"canary-secret" in file.read_bytes() for file in tmp_path.glob("state.db*"))


async def test_patching_and_label_selectors_are_refused(registrations: Documents) -> None:
    """Registrations support neither."""
    with pytest.raises(UsageError):
        await registrations.patch("key", {})
    with pytest.raises(UsageError):
        await registrations.list(labels="a=b")


@pytest.mark.parametrize("end", ["failed", "skipped"])
async def test_a_machine_is_registered_with_the_current_cluster(
    registrations: Documents, registrar: Registrar, end: str
) -> None:
    """The result of an earlier attempt with another cluster is not used."""
    if end == "failed":
        with pytest.raises(RegistrarFailed):
            await registrations.create(machine(registrar.refusing("submit")))
        registrations.context.registrations().retry("key")
    else:
        await registrations.create(machine(registrar.refusing()))
        await registrations.delete("key")
    registrar.log.unlink()
    body = machine(registrar.refusing())
    body["spec"]["omniCluster"] = "another"
    assert (await registrations.create(body))["spec"]["omniCluster"] == "another"
    assert registrar.questions == ["issue_token", "submit", "confirm"]
    assert {each["omniCluster"] for each in registrar.asked} == {"another"}


@pytest.fixture
def runs(spot_api: SimulatedSpot, registrar: Registrar, tmp_path: Path) -> Runs:
    """A manifest that registers two machines."""
    made = Runs(spot_api, tmp_path)
    made.file.write_text(STACK.replace("EXEC", json.dumps(registrar.refusing())))
    return made


async def test_plan_and_apply_move_machines_to_another_cluster(runs: Runs, registrar: Registrar) -> None:
    """Each is retired and registered again; the next plan is empty."""
    assert (await runs.apply()).outcome == "ok"
    registrar.log.unlink()
    runs.file.write_text(runs.file.read_text().replace("omniCluster: first", "omniCluster: second"))
    plan = await runs.plan()
    assert [(change.ref.kind, change.action) for change in plan.changes] == [("VMRegistration", "replace")] * 2
    assert (await runs.apply()).outcome == "ok"
    assert [each["omniCluster"] for each in registrar.asked] == ["second"] * 6
    assert (await runs.plan()).empty


async def test_a_malformed_token_fails_only_its_machine(runs: Runs, registrar: Registrar) -> None:
    """The other machine is registered, and the next run completes the first."""
    first_only = REGISTRAR.replace('"tokenId": "t1"', '"tokenId": 5 if first else "t1"')
    first_only = "from pathlib import Path; import sys; first = not Path(sys.argv[1]).exists()\n" + first_only
    registrar.program.write_text(first_only)
    runs.file.write_text(runs.file.read_text().replace("omniCluster: first", "omniCluster: first, retry: {limit: 1}"))
    recap = await runs.apply()
    assert (recap.outcome, recap.exit_code) == ("partial", 7)
    records = runs.client.ledger.registrations()
    assert sorted(each.status for each in records) == [RegistrationStatus.FAILED, RegistrationStatus.REGISTERED]
    (failed,) = (each for each in records if each.status is RegistrationStatus.FAILED)
    assert "tokenId is not a string" in (failed.last_error or "")
    runs.client.ledger.retry(failed.registration_key)
    assert (await runs.apply()).outcome == "ok"
    assert (await runs.plan()).empty


@pytest.mark.parametrize("known", [True, False])
async def test_a_registrar_that_can_find_is_asked_first(
    registrations: Documents, registrar: Registrar, known: bool
) -> None:
    """So that a runner with an empty ledger does not register machines again."""
    body = machine(registrar.refusing(*(["found"] if known else [])))
    body["spec"]["registrar"]["find"] = True
    made = await registrations.create(body)
    assert made["status"]["state"] == "registered"
    assert registrar.questions == (["find"] if known else ["find", "issue_token", "submit", "confirm"])
