"""`rsspot registrations`: how far machines are, under any name of theirs, and changes by hand that last."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Ledger
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus
from rsspot.utils.clock import utc_now
from support.shell import Command

S = RegistrationStatus
MACHINE = RegistrationRecord("aaaa-key", "1111-uid", "org-sandbox000000001", "vms", "omni", vm_name="vm-red")
OTHER = replace(MACHINE, registration_key="bbbb-key", vm_uid="2222-uid", vm_name="vm-blue")


@pytest.fixture
def ledger(rsspot: Command, tmp_path: Path) -> Iterator[Ledger]:
    """The ledger of the sandbox: one machine failed when it was submitted, the other one is registered."""
    rsspot("regions list")
    opened = open_ledger(tmp_path / "sandbox" / "state.db")
    for machine in (MACHINE, OTHER):
        opened.discover(machine)
    asked = opened.ask("aaaa-key", "issue_token", str, "worker")
    opened.answer(asked, S.TOKEN_ISSUED, token_id="t1")
    asked = opened.ask("aaaa-key", "submit", str, "worker")
    for _ in range(5):
        opened.fail(asked, "unanswered: silence", "the registrar was silent", retry_at=utc_now() + timedelta(hours=1))
        opened.resume("aaaa-key")
    opened.advance("aaaa-key", S.FAILED)
    for status in (S.TOKEN_ISSUED, S.SUBMITTED, S.REGISTERED):
        opened.advance("bbbb-key", status)
    yield opened
    opened.close()


def test_a_list_tells_how_far_each_machine_is(rsspot: Command, ledger: Ledger) -> None:
    """With the last question about it, and whether that was answered."""
    rows = {each["vm_name"]: each for each in json.loads(rsspot("registrations list -o json"))}
    assert (rows["vm-red"]["status"], rows["vm-red"]["failures"]) == ("failed", 5)
    assert rows["vm-red"]["last_question"] == "submit #1 unanswered"
    assert rows["vm-blue"]["status"] == "registered"
    assert rsspot("registrations list --status failed -o name") == "vms/vm-red\n"
    assert "did you mean 'failed'?" in rsspot("registrations list --status faild", 3)


@pytest.mark.parametrize(
    "name", ["vm-red", "vms/vm-red", "vmregistration/vms/1111-uid", "1111-uid", "aaaa-key", "vm-r", "aaaa", "vms/vm-re"]
)
def test_a_machine_goes_by_any_name_of_its(rsspot: Command, ledger: Ledger, name: str) -> None:
    """And by how one begins."""
    shown = json.loads(rsspot(f"registrations show {name} -o json"))
    assert shown["machine"]["registration_key"] == "aaaa-key"
    assert shown["asked"] == {"issue_token": 1, "submit": 1}
    assert [each["answered"] for each in shown["questions"]] == [True, False]


@pytest.mark.parametrize(
    ("name", "why", "code"),
    [("vm-", "is the name of 2 machines", 3), ("vm-rad", "did you mean 'vm-red'?", 1), ("zz", "registrations list", 1)],
)
def test_a_name_of_none_or_of_several_is_refused(
    rsspot: Command, ledger: Ledger, name: str, why: str, code: int
) -> None:
    """With the way out; and nothing is changed, also where other names are right."""
    assert why in rsspot(f"registrations show {name}", code)
    rsspot(f"registrations retry vm-red {name}", code)
    assert ledger.progress("aaaa-key").failures == 5


def test_a_table_shows_what_was_asked(rsspot: Command, ledger: Ledger) -> None:
    """Below what is known of the machine."""
    shown = rsspot("registrations show vm-red")
    assert "last error: the registrar was silent" in shown
    assert "submit" in shown and "unanswered: silence" in shown


def test_a_retry_allows_further_attempts(rsspot: Command, ledger: Ledger) -> None:
    """From where it failed, or with --anew from the start."""
    rsspot("registrations retry vm-red")
    progress, record = ledger.progress("aaaa-key"), ledger.registration("aaaa-key")
    assert (progress.failures, progress.retry_at, progress.reached) == (0, None, S.TOKEN_ISSUED)
    assert record is not None and record.status is S.FAILED
    rsspot("registrations retry vm-red --anew")
    record = ledger.registration("aaaa-key")
    assert record is not None and (record.status, record.token_id) == (S.DISCOVERED, "t1")
    assert ledger.progress("aaaa-key").generation == 2
    assert "vm-blue is registered" in rsspot("registrations retry vm-blue", 1)


def test_a_skipped_machine_stays_skipped_until_it_is_retried(rsspot: Command, ledger: Ledger) -> None:
    """It is listed as an object, so that no plan wants to register it."""
    rsspot("registrations skip vm-red")
    assert ledger.progress("aaaa-key").passed_over
    assert "aaaa-key" in rsspot("vmregistrations list -o json")
    assert "vm-blue is registered" in rsspot("registrations skip vm-blue", 1)
    rsspot("registrations retry vm-red")
    record = ledger.registration("aaaa-key")
    assert record is not None and record.status is S.DISCOVERED and not ledger.progress("aaaa-key").passed_over


def test_a_machine_that_a_worker_is_at_is_left_to_it(rsspot: Command, ledger: Ledger) -> None:
    """By name, and until when."""
    ledger.claim_registrations("elsewhere", key="aaaa-key", ttl=600)
    assert "vm-red is being registered by elsewhere until" in rsspot("registrations skip vm-red", 1)


def test_retiring_asks_and_keeps_the_record(rsspot: Command, ledger: Ledger) -> None:
    """Without a terminal only --yes does."""
    assert "add --yes" in rsspot("registrations retire vm-blue", 5)
    rsspot("registrations retire vm-blue --yes")
    record = ledger.registration("bbbb-key")
    assert record is not None and record.status is S.SKIPPED
    assert "vm-red is failed, not registered" in rsspot("registrations retire vm-red --yes", 3)
