"""A machine is tried again from the question that failed, and what was answered is not asked again."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rsspot.errors import Cancelled
from rsspot.services.registrations.questions import Terms
from rsspot.services.registrations.registrar import RegistrationRetry
from rsspot.services.registrations.registrars.protocol import RegistrarFailed
from rsspot.services.registrations.walk import register
from rsspot.simulator.clock import ManualClock
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Ledger
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus, worker_of_this_process
from rsspot.utils.clock import utc_now
from rsspot.utils.process import identity_of, name_of
from support.scripted_registrar import NO, SILENCE, TOKEN, ScriptedRegistrar, hang

S = RegistrationStatus
EXPIRED, LASTING = "2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
MACHINE = RegistrationRecord("key", "u1", "org", "vms", "omni", vm_name="vm-1")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger with one machine."""
    opened = open_ledger(tmp_path / "state.db")
    opened.discover(MACHINE)
    yield opened
    opened.close()


def terms(ledger: Ledger, registrar: ScriptedRegistrar, **changed: Any) -> Terms:
    """The terms of one worker, by a clock that only sleeping moves."""
    made = Terms(ledger, registrar, ManualClock(), worker_of_this_process(), lambda: None, machine={})
    return replace(made, **changed)


def at(ledger: Ledger, status: RegistrationStatus, expires: str | None, reached: RegistrationStatus) -> None:
    """Put the machine into a status that it has from `reached`, with a token."""
    path = [S.TOKEN_ISSUED, S.SUBMITTED]
    for each in path[: path.index(reached) + 1]:
        ledger.advance("key", each, token_id="t0", token_expires_at=expires)
    if status is S.FAILED:
        ledger.advance("key", S.FAILED, last_error="no")


@pytest.mark.parametrize("failure", [NO, SILENCE])
@pytest.mark.parametrize("question", ["issue_token", "submit", "confirm"])
async def test_only_the_question_that_failed_is_asked_again(ledger: Ledger, question: str, failure: Exception) -> None:
    """Within the run, and on record with what became of each attempt."""
    registrar = ScriptedRegistrar(**{question: [failure, failure]})
    assert (await register("key", terms(ledger, registrar))).status is S.REGISTERED
    plain = ["issue_token", "submit", "confirm"]
    where = plain.index(question)
    assert registrar.questions == [*plain[:where], question, question, *plain[where:]]
    asked = [each for each in ledger.questions("key") if each.question == question]
    assert [each.attempt for each in asked] == [1, 2, 3]
    assert [each.answered for each in asked] == [failure is NO, failure is NO, True]
    assert ledger.progress("key").failures == 0


@pytest.mark.parametrize("failure", [NO, SILENCE])
async def test_a_question_that_changes_something_keeps_its_idempotency_key(ledger: Ledger, failure: Exception) -> None:
    """A registrar that did what it was asked recognizes it; one that reads must not remember."""
    registrar = ScriptedRegistrar(issue_token=[failure], submit=[failure], confirm=[failure])
    await register("key", terms(ledger, registrar))
    assert len(set(registrar.keys("issue_token"))) == len(set(registrar.keys("submit"))) == 1
    assert len(set(registrar.keys("confirm"))) == 2
    assert len({each["idempotencyKey"] for each in registrar.asked}) == 4
    assert [each["attempt"] for each in registrar.asked] == [1, 2] * 3


async def test_a_lost_ledger_arrives_at_the_same_keys(ledger: Ledger, tmp_path: Path) -> None:
    """So that a registrar that remembers does not register a machine twice even then."""
    first, second = ScriptedRegistrar(), ScriptedRegistrar()
    await register("key", terms(ledger, first))
    empty = open_ledger(tmp_path / "another.db")
    empty.discover(MACHINE)
    await register("key", terms(empty, second))
    empty.close()
    assert first.keys("submit") == second.keys("submit")


# Tokens


@pytest.mark.parametrize("status", [S.TOKEN_ISSUED, S.FAILED])
@pytest.mark.parametrize(("expires", "again"), [(EXPIRED, True), ("soon", True), (LASTING, False), (None, False)])
async def test_an_expired_token_is_never_submitted(
    ledger: Ledger, status: RegistrationStatus, expires: str | None, again: bool
) -> None:
    """Another one is issued, and its questions are others than those about the first."""
    at(ledger, status, expires, S.TOKEN_ISSUED)
    registrar = ScriptedRegistrar(issue_token=[{"tokenId": "t9"}])
    record = await register("key", terms(ledger, registrar))
    assert registrar.questions == (["issue_token", "submit", "confirm"] if again else ["submit", "confirm"])
    assert record.token_id == ("t9" if again else "t0")
    assert ledger.progress("key").generation == 1 + again
    if again:
        # The second token does not say when it expires: the time of the first one is not its own.
        assert record.token_expires_at is None


async def test_a_token_that_expired_after_it_was_submitted_does_not_matter(ledger: Ledger) -> None:
    """The machine used it in time: it is only asked whether it did."""
    at(ledger, S.FAILED, EXPIRED, S.SUBMITTED)
    registrar = ScriptedRegistrar(confirm=[SILENCE])
    await register("key", terms(ledger, registrar))
    assert registrar.questions == ["confirm", "confirm"]


async def test_a_machine_that_did_not_use_its_token_in_time_begins_from_the_start(ledger: Ledger) -> None:
    """It can no longer join with it."""
    at(ledger, S.FAILED, EXPIRED, S.SUBMITTED)
    registrar = ScriptedRegistrar(confirm=[NO])
    await register("key", terms(ledger, registrar))
    assert registrar.questions == ["confirm", "issue_token", "submit", "confirm"]


@pytest.mark.parametrize("expires", [EXPIRED, "soon", "2999-01-01T00:00:00"])
async def test_a_token_that_is_of_no_use_is_a_failure(ledger: Ledger, expires: str) -> None:
    """A registrar that issues such tokens would be asked for ever."""
    bad = {"tokenId": "t1", "tokenExpiresAt": expires}
    registrar = ScriptedRegistrar(issue_token=[bad] * 9)
    with pytest.raises(RegistrarFailed, match="issued a token that has expired already"):
        await register("key", terms(ledger, registrar))
    assert registrar.questions == ["issue_token"] * 5


# Limits


async def test_attempts_are_further_and_further_apart(ledger: Ledger) -> None:
    """Up to a limit, after which the machine stays failed until somebody retries it."""
    clock, registrar = ManualClock(), ScriptedRegistrar(submit=[NO] * 8)
    began = clock.monotonic()
    with pytest.raises(
        RegistrarFailed, match="failed 5 times, and is tried again only after `registrations retry`: no"
    ):
        await register("key", terms(ledger, registrar, clock=clock))
    assert clock.monotonic() - began == 2 + 4 + 8 + 16
    with pytest.raises(RegistrarFailed):
        await register("key", terms(ledger, registrar, clock=clock))
    assert registrar.questions.count("submit") == 5
    assert ledger.retry("key").status is S.FAILED
    await register("key", terms(ledger, registrar, clock=clock))
    assert registrar.questions.count("submit") == 9
    assert registrar.questions.count("issue_token") == 1


async def test_a_pause_is_bounded_and_outlives_its_run(ledger: Ledger) -> None:
    """The next run waits for the rest of it; a clock that was set back does not make it wait longer."""
    retry, clock = RegistrationRetry(limit=30, backoffSeconds=200), ManualClock()
    assert [retry.pause(failures) for failures in (1, 2, 3, 1000)] == [200, 300, 300, 300]
    asked = ledger.ask("key", "issue_token", str, "somebody")
    ledger.fail(asked, "refused: no", "no", retry_at=clock.now() + timedelta(seconds=100))
    await register("key", terms(ledger, ScriptedRegistrar(), clock=clock, retry=retry))
    assert clock.monotonic() == pytest.approx(100, abs=1)


async def test_a_retry_from_the_start_takes_another_token(ledger: Ledger) -> None:
    """With questions that no registrar remembers."""
    first, second = ScriptedRegistrar(confirm=[NO] * 9), ScriptedRegistrar()
    with pytest.raises(RegistrarFailed):
        await register("key", terms(ledger, first))
    ledger.retry("key", anew=True)
    await register("key", terms(ledger, second))
    assert second.questions == ["issue_token", "submit", "confirm"]
    assert not {*second.keys("submit")} & {*first.keys("submit")}


async def test_the_history_is_bounded_and_counts_on(ledger: Ledger) -> None:
    """However often a machine is tried."""
    registrar = ScriptedRegistrar(submit=[NO] * 40)
    await register("key", terms(ledger, registrar, retry=RegistrationRetry(limit=100, backoffSeconds=0)))
    asked = [each.attempt for each in ledger.questions("key") if each.question == "submit"]
    assert asked == list(range(22, 42))


# Workers


async def test_a_claim_outlives_the_longest_question(ledger: Ledger) -> None:
    """Whatever `timeoutSeconds` is."""
    claimed: list[str] = []

    async def look(_: object) -> dict[str, Any]:
        record = ledger.registration("key")
        assert record is not None and record.claimed_until is not None
        claimed.append(record.claimed_until)
        return TOKEN

    await register("key", terms(ledger, ScriptedRegistrar(issue_token=[look]), timeout=86_400))
    assert claimed[0] > (utc_now() + timedelta(seconds=86_400)).isoformat()


async def test_another_worker_waits_for_a_machine_that_is_taken(ledger: Ledger) -> None:
    """And then has nothing to do."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def slow(_: object) -> dict[str, Any]:
        begun.set()
        await ended.wait()
        return TOKEN

    first, second = ScriptedRegistrar(issue_token=[slow]), ScriptedRegistrar()
    one = asyncio.create_task(register("key", terms(ledger, first)))
    await begun.wait()

    def permit() -> None:
        ended.set()

    two = asyncio.create_task(register("key", terms(ledger, second, permit=permit)))
    assert [(await one).status, (await two).status] == [S.REGISTERED] * 2
    assert second.questions == [] and len(first.questions) == 3


async def test_a_machine_that_is_taken_for_too_long_is_left(ledger: Ledger) -> None:
    """By the clock of the run."""
    ledger.claim_registrations("another", key="key", ttl=600)
    with pytest.raises(RegistrarFailed, match="another worker is currently registering"):
        await register("key", terms(ledger, ScriptedRegistrar()))


async def test_a_stop_ends_a_question_that_hangs_and_counts_no_failure(ledger: Ledger) -> None:
    """It is on record as not answered, and is the next one to be asked."""
    stopped = False

    def permit() -> None:
        if stopped:
            raise Cancelled("stopped")

    async def stop(question: Any) -> dict[str, Any]:
        nonlocal stopped
        stopped = True
        return await hang(question)

    registrar = ScriptedRegistrar(submit=[stop])
    with pytest.raises(Cancelled):
        await register("key", terms(ledger, registrar, permit=permit))
    record = ledger.registration("key")
    assert record is not None and (record.status, record.claimed_by) == (S.TOKEN_ISSUED, None)
    assert ledger.questions("key")[-1].outcome == "unanswered: stopped while it was asked"
    assert ledger.progress("key").failures == 0
    await register("key", terms(ledger, registrar))
    assert registrar.questions == ["issue_token", "submit", "submit", "confirm"]
    assert len(set(registrar.keys("submit"))) == 1


async def test_what_a_killed_worker_left_running_is_ended_first(ledger: Ledger) -> None:
    """So that the old program does not run beside its successor, and is the one that was on record."""
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    try:
        asked = ledger.ask("key", "issue_token", str, "a worker that is no more")
        ledger.asked_by(asked, name_of(left.pid))
        registrar = ScriptedRegistrar()
        await register("key", terms(ledger, registrar))
        assert left.wait(60) == -9
    finally:
        left.kill()
        left.wait()
    assert ledger.questions("key")[0].outcome == "unanswered: rsspot ended while it was asked"


async def test_a_process_of_another_number_is_left_alone(ledger: Ledger) -> None:
    """The number may be somebody else's by now."""
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    try:
        place, _, started = identity_of(other.pid).partition(".")
        wrong = (f"{place}.{int(started) + 1}", f"0123456789ab.{started}", "")
        for identity in (f"{other.pid}#{each}" for each in wrong):
            asked = ledger.ask("key", "issue_token", str, "a worker that is no more")
            ledger.asked_by(asked, identity)
        await register("key", terms(ledger, ScriptedRegistrar()))
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


async def test_find_is_asked_each_time_a_machine_begins(ledger: Ledger) -> None:
    """And what it finds is not registered again."""
    found = {"registered": True, "tokenId": "t7"}
    registrar = ScriptedRegistrar(find=[{}, SILENCE, found], issue_token=[NO])
    record = await register("key", terms(ledger, registrar, find=True))
    assert registrar.questions == ["find", "issue_token", "find", "find"]
    assert (record.status, record.token_id) == (S.REGISTERED, "t7")
    assert len(set(registrar.keys("find"))) == 3
