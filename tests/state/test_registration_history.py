"""What was asked about machines, and how far they are: bounded, and changed all or nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from rsspot.errors import StateError
from rsspot.models.absence import Absence
from rsspot.state.ledger.protocol import Ledger
from rsspot.state.ledger.registration_history import MOST_KEPT
from rsspot.state.ledger.registration_progress import RegistrationProgress, absence, sighted
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus, worker_of_this_process
from rsspot.state.ledger.rules import has_ended
from rsspot.utils.clock import utc_now
from rsspot.utils.process import end_group, identity_of, name_of
from support.ledger_backends import databases, ledger_in

S = RegistrationStatus
MACHINE = RegistrationRecord("key", "uid", "org", "vms", "omni", vm_name="vm-1")
WAY = (S.TOKEN_ISSUED, S.SUBMITTED, S.REGISTERED)
NOW = utc_now()


@pytest.fixture
def ledger(backend: str, tmp_path: Path) -> Ledger:
    """A ledger with one machine."""
    opened = ledger_in(databases.new(tmp_path / "state.db"))
    opened.discover(MACHINE)
    return opened


def status(ledger: Ledger) -> RegistrationStatus:
    """How far the machine is."""
    record = ledger.registration("key")
    assert record is not None
    return record.status


def test_an_answer_and_its_status_are_one_step(ledger: Ledger) -> None:
    """An answer that leads nowhere is not on record either."""
    asked = ledger.ask("key", "submit", str, "worker")
    with pytest.raises(StateError, match="cannot go from discovered to registered"):
        ledger.answer(asked, S.REGISTERED)
    assert ledger.questions("key")[0].outcome is None
    assert ledger.answer(asked, *WAY, token_id="t1").token_id == "t1"
    assert ledger.questions("key")[0].answered


def test_a_failure_is_one_step_too(ledger: Ledger) -> None:
    """It cannot be counted for a machine that another worker has by now."""
    asked = ledger.ask("key", "submit", str, "worker")
    ledger.claim_registrations("another", key="key", ttl=60)
    with pytest.raises(StateError, match="is being registered by another"):
        ledger.fail(asked, "refused: no", "no", retry_at=NOW)
    assert (status(ledger), ledger.progress("key").failures) == (S.DISCOVERED, 0)
    assert ledger.questions("key")[0].outcome is None


def test_an_outcome_is_never_replaced(ledger: Ledger) -> None:
    """The first one is what happened."""
    asked = ledger.ask("key", "submit", str, "worker")
    ledger.end_question(asked, "refused: no")
    ledger.end_question(asked, "answered")
    ledger.asked_by(asked, "process")
    (found,) = ledger.questions("key")
    assert (found.outcome, found.process) == ("refused: no", None)


def test_only_the_latest_attempts_are_kept(ledger: Ledger) -> None:
    """Of each question; the numbers count on."""
    for _ in range(MOST_KEPT + 5):
        ledger.ask("key", "submit", "key-{}".format, "worker")
    ledger.ask("key", "confirm", str, "worker")
    found = ledger.questions("key")
    assert [each.attempt for each in found] == [*range(6, MOST_KEPT + 6), 1]
    assert found[0].idempotency_key == "key-6"


@pytest.mark.parametrize("reached", [S.DISCOVERED, S.TOKEN_ISSUED, S.SUBMITTED])
def test_a_failed_machine_resumes_where_it_failed(ledger: Ledger, reached: RegistrationStatus) -> None:
    """Whoever marked it as failed, a script too; failing twice does not forget where."""
    for each in WAY[: (S.DISCOVERED, *WAY).index(reached)]:
        ledger.advance("key", each, token_id="t1")
    ledger.advance("key", S.FAILED)
    assert ledger.resume("key").status is reached
    ledger.advance("key", S.FAILED)
    assert ledger.resume("key").status is reached


def test_a_machine_of_another_cluster_begins_with_other_keys(ledger: Ledger) -> None:
    """What failed with the first cluster does not count."""
    ledger.advance("key", S.FAILED)
    ledger.discover(replace(MACHINE, omni_cluster="second"))
    assert ledger.progress("key") == RegistrationProgress(generation=2)


def test_a_registered_machine_is_neither_resumed_nor_restarted(ledger: Ledger) -> None:
    """It can only be retired."""
    for each in WAY:
        ledger.advance("key", each)
    for change in (ledger.resume, ledger.restart, ledger.retry, ledger.pass_over):
        with pytest.raises(StateError):
            change("key")
    assert status(ledger) is S.REGISTERED


def test_a_machine_that_is_passed_over_can_be_retired(ledger: Ledger) -> None:
    """It is listed like a registered one, so its end must be possible too."""
    ledger.pass_over("key")
    assert ledger.progress("key").passed_over and status(ledger) is S.SKIPPED
    assert ledger.retire("key") and not ledger.progress("key").passed_over
    assert not ledger.retire("key")


def test_a_forgotten_machine_leaves_nothing(ledger: Ledger) -> None:
    """Neither questions nor progress."""
    ledger.ask("key", "submit", str, "worker")
    ledger.pass_over("key")
    ledger.forget_registration("key")
    assert (ledger.questions("key"), ledger.progresses()) == ([], {})


def test_two_reads_apart_show_that_a_machine_is_gone() -> None:
    """Two at once do not, nor do two with one between them that found it."""
    progress = RegistrationProgress()
    assert absence(progress, NOW) is Absence.NONE
    progress = sighted(progress, NOW, found=False)
    assert absence(progress, NOW + timedelta(seconds=59)) is Absence.BRIEF
    assert absence(progress, NOW + timedelta(seconds=60)) is Absence.LONG
    assert absence(sighted(progress, NOW + timedelta(seconds=1), found=False), NOW) is Absence.BRIEF
    assert absence(sighted(progress, NOW + timedelta(seconds=60), found=False), NOW) is Absence.GONE
    assert absence(sighted(progress, NOW, found=True), NOW + timedelta(days=1)) is Absence.NONE


def test_only_a_machine_that_is_gone_is_retired_for_a_new_one(ledger: Ledger) -> None:
    """However often it is asked for."""
    for each in WAY:
        ledger.advance("key", each)
    ledger.sighted(missing=["key"], now=NOW)
    assert not ledger.retire_gone("key")
    ledger.sighted(missing=["key"], now=NOW + timedelta(seconds=60))
    assert ledger.retire_gone("key") and status(ledger) is S.SKIPPED
    assert not ledger.retire_gone("key")


def test_a_process_is_told_from_all_others() -> None:
    """From one of its number in another container, or at another time."""
    assert not has_ended(worker_of_this_process())
    assert not has_ended(f"{socket.gethostname()}#{2**22 + 5}#0123456789ab.1#1")
    assert has_ended(f"{socket.gethostname()}#{2**22 + 5}#{identity_of(os.getpid())}#1")
    ended = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    identity = name_of(ended.pid)
    ended.wait()
    assert not end_group(identity)
    assert name_of(os.getpid()) == name_of(os.getpid()) != identity
