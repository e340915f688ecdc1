"""Claims on machine registrations: one worker per machine, legal status changes only, and no data is lost."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rsspot.errors import StateError
from rsspot.state.database import Database
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Ledger
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus
from rsspot.state.ledger.rules import LEGAL, OPEN
from rsspot.state.ledger.sql import SqlLedger
from rsspot.state.ledger.sqlite import SqliteLedger
from support.ledger_backends import BACKENDS, databases, ledger_in
from support.postgres import shared_server

MACHINE = RegistrationRecord("key", "uid", "org", "group", "omni", vm_name="vm", payload={"ipAddress": "10.0.0.1"})
TOKEN_ISSUED, SUBMITTED = RegistrationStatus.TOKEN_ISSUED, RegistrationStatus.SUBMITTED
REGISTERED, FAILED, SKIPPED = RegistrationStatus.REGISTERED, RegistrationStatus.FAILED, RegistrationStatus.SKIPPED
CLAIMER = """
import sys
from rsspot.state.ledger.registrations import RegistrationStatus
from rsspot.state.ledger import open_ledger
ledger, me = open_ledger(sys.argv[1]), sys.argv[2]
while machines := ledger.claim_registrations(me, ttl=600, limit=3):
    for machine in machines:
        for status in ("token_issued", "submitted", "registered"):
            ledger.advance(machine.registration_key, RegistrationStatus(status), worker=me, token_id=me)
        print(machine.registration_key)
"""


@pytest.fixture
def ledger(backend: str, tmp_path: Path) -> SqlLedger:
    """A ledger of each backend."""
    return ledger_in(databases.new(tmp_path / "state.db"))


@pytest.fixture(params=BACKENDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger of each backend is to be, for many to open it."""
    return str(tmp_path / "state.db") if request.param == "sqlite" else shared_server().fresh()


def machines(ledger: Ledger, *keys: str, **changes: Any) -> None:
    """Add machines to the ledger."""
    for key in keys:
        ledger.discover(replace(MACHINE, registration_key=key, **changes))


def claimed(ledger: Ledger, worker: str, *, ttl: float = 600, **filters: Any) -> list[str]:
    """Claim machines for a worker and return their keys."""
    return [each.registration_key for each in ledger.claim_registrations(worker, ttl=ttl, **filters)]


def known(ledger: SqlLedger, key: str = "key") -> RegistrationRecord:
    """An existing record."""
    record = ledger.registration(key)
    assert record is not None
    return record


def test_twenty_threads_share_a_hundred_machines(place: str) -> None:
    """Each machine goes to exactly one thread, and none is left."""
    keys = [f"m{number:03}" for number in range(100)]
    first = open_ledger(place)
    first.put_registrations(replace(MACHINE, registration_key=key) for key in keys)

    def work(number: int) -> list[str]:
        own = open_ledger(place)
        got: list[str] = []
        while more := set(claimed(own, f"w{number}", limit=len(got) + 1)) - set(got):
            got.extend(more)
        own.close()
        return got

    with ThreadPoolExecutor(20) as threads:
        shares = list(threads.map(work, range(20)))
    assert Counter(key for share in shares for key in share) == Counter(keys)
    assert {key: each.claimed_by for each in first.registrations() if (key := each.registration_key)} == {
        key: f"w{number}" for number, share in enumerate(shares) for key in share
    }
    first.close()


def test_processes_register_each_machine_once(place: str) -> None:
    """Several processes claim and register machines at the same time."""
    ledger = open_ledger(place)
    keys = [f"m{number}" for number in range(40)]
    machines(ledger, *keys)
    command = [sys.executable, "-c", CLAIMER, place]
    workers = [
        subprocess.Popen([*command, f"w{number}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for number in range(5)
    ]
    outputs = [worker.communicate(timeout=60) for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 5, outputs
    done = {f"w{number}": out.split() for number, (out, _) in enumerate(outputs)}
    assert Counter(key for share in done.values() for key in share) == Counter(keys)
    assert {each.status for each in ledger.registrations()} == {REGISTERED}
    assert all(each.registration_key in done[str(each.token_id)] for each in ledger.registrations())
    ledger.close()


def test_a_claim_excludes_others_until_it_is_released(ledger: SqlLedger) -> None:
    """Only the claimant can release it."""
    machines(ledger, "key")
    assert claimed(ledger, "me") == ["key"]
    assert claimed(ledger, "you") == []
    ledger.release_registration("key", "you")
    assert claimed(ledger, "you") == []
    ledger.release_registration("key", "me")
    assert known(ledger).claimed_by is known(ledger).claimed_until is None
    assert claimed(ledger, "you") == ["key"]


def test_an_expired_claim_can_be_taken_by_any_worker(ledger: SqlLedger) -> None:
    """A stopped worker does not keep its machine forever. It cannot change the machine once another has claimed it."""
    machines(ledger, "key")
    assert claimed(ledger, "dead", ttl=0) == ["key"]
    assert claimed(ledger, "heir") == ["key"]
    with pytest.raises(StateError, match="vm is being registered by heir until"):
        ledger.advance("key", TOKEN_ISSUED, worker="dead")
    ledger.release_registration("key", "dead")
    assert known(ledger).claimed_by == "heir"
    assert ledger.advance("key", TOKEN_ISSUED, worker="heir").status is TOKEN_ISSUED


def test_a_claimant_that_asks_again_extends_its_claim(ledger: SqlLedger) -> None:
    """It gets the same machine, for longer."""
    machines(ledger, "key")
    (first,) = ledger.claim_registrations("me", ttl=60)
    (second,) = ledger.claim_registrations("me", ttl=600)
    assert first.claimed_until is not None and second.claimed_until is not None
    assert second.claimed_until > first.claimed_until
    assert known(ledger) == second


def test_only_the_claimant_changes_the_status_of_a_claimed_machine(ledger: SqlLedger) -> None:
    """Callers without a worker name are refused too. A refusal changes nothing."""
    machines(ledger, "key")
    ledger.claim_registrations("me", ttl=600)
    before = known(ledger)
    for worker in ("you", None, "", "ME"):
        with pytest.raises(StateError, match="is being registered by me"):
            ledger.advance("key", TOKEN_ISSUED, worker=worker, token_id="stolen")
    assert known(ledger) == before
    ledger.advance("key", TOKEN_ISSUED, worker="me")
    ledger.release_registration("key", "me")
    assert ledger.advance("key", SUBMITTED, worker="you").status is SUBMITTED


@pytest.mark.parametrize("status", RegistrationStatus)
def test_only_unfinished_machines_can_be_claimed(ledger: SqlLedger, status: RegistrationStatus) -> None:
    """These include machines whose registration failed or was interrupted."""
    ledger.put_registrations([replace(MACHINE, status=status)])
    assert claimed(ledger, "me") == (["key"] if status in OPEN else [])


def test_a_worker_can_filter_and_limit_what_it_claims(ledger: SqlLedger) -> None:
    """By organization, cluster, key and number. Machines that were updated longest ago come first."""
    machines(ledger, "a", "b", org_id="one")
    machines(ledger, "c", "d", org_id="two", omni_cluster="other")
    ages = {"a": "4", "b": "2", "c": "3", "d": "1"}
    ledger.put_registrations([replace(known(ledger, key), updated_at=f"202{age}") for key, age in ages.items()])
    assert claimed(ledger, "w1", organization="one") == ["b"]
    assert claimed(ledger, "w2", omni_cluster="other", limit=9) and known(ledger, "a").claimed_by is None
    assert claimed(ledger, "w3", key="c") == [] and claimed(ledger, "w3", key="gone") == []
    assert claimed(ledger, "w3", organization="one", omni_cluster="other", limit=9) == []
    assert claimed(ledger, "w4", limit=9) == ["a"]
    assert claimed(ledger, "w5", limit=0) == []


def test_values_that_are_not_given_are_never_erased(ledger: SqlLedger) -> None:
    """Token, expiry, error and payload survive every status change and every discovery."""
    machines(ledger, "key")
    ledger.advance("key", TOKEN_ISSUED, token_id="t1", token_expires_at="2027-01-01T00:00:00Z", last_error="before")
    recorded = {"token_id": "t1", "token_expires_at": "2027-01-01T00:00:00Z", "last_error": "before"}
    statuses = (FAILED, RegistrationStatus.DISCOVERED, TOKEN_ISSUED, SUBMITTED, REGISTERED, SKIPPED)
    for status in statuses:
        record = ledger.advance("key", status)
        assert {name: getattr(record, name) for name in recorded} == recorded, status
        assert record.payload == MACHINE.payload
    again = ledger.discover(replace(MACHINE, payload={}))
    assert (again.status, again.token_id, again.payload) == (SKIPPED, "t1", MACHINE.payload)
    assert ledger.advance("key", RegistrationStatus.DISCOVERED, token_id="t2").token_id == "t2"


def test_records_are_stored_unchecked_all_or_none(ledger: SqlLedger) -> None:
    """They replace existing records, even if the status change would be illegal."""
    machines(ledger, "key")
    complete = replace(
        MACHINE,
        vmpool="pool",
        token_id="t",
        token_expires_at="2027-01-01T00:00:00Z",
        status=REGISTERED,
        last_error="e",
        payload={"a": [1, "ü"]},
        updated_at="2026-01-01T00:00:00.000+00:00",
    )
    ledger.put_registrations([complete])
    assert known(ledger) == complete
    broken = replace(MACHINE, registration_key="bad", vm_uid=None)  # type: ignore[arg-type]
    with pytest.raises(StateError):
        ledger.put_registrations([replace(MACHINE, registration_key="new"), replace(complete, status=FAILED), broken])
    assert ledger.registrations() == [complete]
    ledger.put_registrations([])
    assert ledger.registrations() == [complete]


def test_stored_records_leave_local_claims_alone(ledger: SqlLedger) -> None:
    """Records from another machine contain nothing about the workers of this one."""
    machines(ledger, "key")
    (claimed,) = ledger.claim_registrations("w", ttl=60)
    ledger.put_registrations([replace(MACHINE, registration_key="key", token_id="t")])
    assert known(ledger).token_id == "t"
    assert (known(ledger).claimed_by, known(ledger).claimed_until) == ("w", claimed.claimed_until)


def test_a_record_without_a_time_gets_the_current_one(ledger: SqlLedger) -> None:
    """The column must not be empty."""
    ledger.put_registrations([MACHINE])
    assert known(ledger).updated_at


def test_forgetting_deletes_one_record(ledger: SqlLedger) -> None:
    """It returns whether there was one."""
    machines(ledger, "a", "b")
    assert ledger.forget_registration("a") and not ledger.forget_registration("a")
    assert [each.registration_key for each in ledger.registrations()] == ["b"]


class Moves(RuleBasedStateMachine):
    """Two workers change one machine at random, in the ledger and in a model of it."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = self.opened()
        self.status: RegistrationStatus | None = None
        self.token: str | None = None
        self.claimant: str | None = None

    def opened(self) -> Ledger:
        """An empty ledger."""
        return SqliteLedger(Database(None))

    def teardown(self) -> None:
        self.ledger.close()

    @rule()
    def discover(self) -> None:
        self.ledger.discover(MACHINE)
        self.status = self.status or RegistrationStatus.DISCOVERED

    @rule(worker=st.sampled_from(["a", "b"]), ttl=st.sampled_from([600.0, -1.0]))
    def claim(self, worker: str, ttl: float) -> None:
        free = self.status in OPEN and self.claimant in {None, worker}
        assert bool(self.ledger.claim_registrations(worker, ttl=ttl)) == free
        if free:
            self.claimant = worker if ttl > 0 else None

    @rule(worker=st.sampled_from(["a", "b"]))
    def release(self, worker: str) -> None:
        self.ledger.release_registration("key", worker)
        self.claimant = None if self.claimant == worker else self.claimant

    @rule(
        status=st.sampled_from(RegistrationStatus),
        worker=st.sampled_from(["a", "b", None]),
        token=st.sampled_from([None, "t1", "t2"]),
    )
    def advance(self, status: RegistrationStatus, worker: str | None, token: str | None) -> None:
        allowed = self.status is not None and status in LEGAL[self.status] and self.claimant in {None, worker}
        try:
            self.ledger.advance("key", status, worker=worker, token_id=token)
        except StateError:
            assert not allowed
            return
        assert allowed
        self.status, self.token = status, token or self.token
        # A finished registration has no claimant.
        self.claimant = self.claimant if status in OPEN else None

    @rule()
    def forget(self) -> None:
        assert self.ledger.forget_registration("key") == (self.status is not None)
        self.status = self.token = self.claimant = None

    @invariant()
    def ledger_and_model_agree(self) -> None:
        record = self.ledger.registration("key")
        actual = (record.status, record.token_id) if record else (None, None)
        assert actual == (self.status, self.token)


class MovesOnServer(Moves):
    """The same in a ledger on a server."""

    def opened(self) -> Ledger:
        return open_ledger(shared_server().fresh())


TestMoves, TestMovesOnServer = Moves.TestCase, MovesOnServer.TestCase
TestMoves.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
TestMovesOnServer.settings = settings(max_examples=10, stateful_step_count=20, deadline=None)
