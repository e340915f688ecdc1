"""The ledger: what it allows, what it refuses, and what it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from rsspot.errors import Locked, StateError
from rsspot.models.refs import Ref
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.postgres import PostgresLedger
from rsspot.state.ledger.protocol import CLOSED, Holder, Lease, Ledger, OwnedObject, StepRecord, StepState
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus
from rsspot.state.ledger.rules import LEGAL, is_doubtful
from support.holders import holder_that_ended, this_holder
from support.ledger_backends import beside
from support.postgres import shared_server

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ELSEWHERE = Holder("one", "elsewhere", 1)
FAR = datetime(2200, 1, 1, tzinfo=UTC)
EDGE = Ref("CloudSpace", "edge")
MACHINE = RegistrationRecord("key", "uid", "org", "group", "omni", vm_name="vm", payload={"ipAddress": "10.0.0.1"})
PATHS = {
    RegistrationStatus.DISCOVERED: (),
    RegistrationStatus.TOKEN_ISSUED: ("token_issued",),
    RegistrationStatus.SUBMITTED: ("token_issued", "submitted"),
    RegistrationStatus.REGISTERED: ("token_issued", "submitted", "registered"),
    RegistrationStatus.FAILED: ("failed",),
    RegistrationStatus.SKIPPED: ("skipped",),
}
"""The status changes that bring a new machine to each status."""

BACKENDS = ("path", "sqlite", "postgresql")
"""Every test of this file runs for all of them."""


def opened(backend: str, folder: Path) -> Ledger:
    """The ledger of a test, once more if it is open. That of a server goes by the times that tests give."""
    if backend == "postgresql":
        return PostgresLedger(beside(shared_server().url("ledger")))
    return open_ledger({"path": "{}/state.db", "sqlite": "sqlite://{}/state.db"}[backend].format(folder))


@pytest.fixture(params=BACKENDS)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger of each backend."""
    if request.param == "postgresql":
        open_ledger(shared_server().fresh()).close()
    with closing(opened(request.param, tmp_path)) as made:
        yield made


def begun(ledger: Ledger, lease: Lease | None = None) -> int:
    """Start a run with two steps."""
    lease = lease or ledger.acquire("scope", ELSEWHERE, NOW, 60)
    steps = [StepRecord(number, f"cloudspace/{number}", Ref("CloudSpace", str(number)), "create") for number in (0, 1)]
    return ledger.begin(lease, "apply", {"digest": "sha256:1"}, steps)


# Steps


def test_a_run_is_recorded_from_intent_to_end(ledger: Ledger) -> None:
    """Steps, attempts, owned objects and the outcome."""
    run = begun(ledger)
    assert ledger.intend(run, 0) == 1
    assert [each.step.seq for each in ledger.open_steps("scope")] == [0]
    ledger.answered(run, 0, 1, "OutcomeUnknown: reset")
    assert ledger.intend(run, 0) == 2
    ledger.answered(run, 0, 2, "ok")
    ledger.settle(run, 0, StepState.DONE, owned=OwnedObject(EDGE, "cloudspace/edge", "u", {"spec/region": "dfw"}))
    ledger.ready(run, 0, "ready")
    ledger.settle(run, 1, StepState.SKIPPED, detail="because")
    ledger.finish(run, "ok")
    assert [(step.state, step.readiness, step.detail) for step in ledger.steps(run)] == [
        (StepState.DONE, "ready", ""),
        (StepState.SKIPPED, "", "because"),
    ]
    assert [(each.number, each.outcome) for each in ledger.attempts(run)] == [(1, "OutcomeUnknown: reset"), (2, "ok")]
    assert ledger.owned("scope")[EDGE].applied == {"spec/region": "dfw"}
    assert not ledger.open_steps("scope") and not ledger.unfinished_runs("scope")


@pytest.mark.parametrize(("closed", "then"), list(product(sorted(CLOSED), StepState)))
def test_a_closed_step_never_opens_or_changes(ledger: Ledger, closed: StepState, then: StepState) -> None:
    """Neither a new state nor a new attempt is accepted."""
    run = begun(ledger)
    ledger.settle(run, 0, closed)
    with pytest.raises(StateError, match="is already closed"):
        ledger.settle(run, 0, then)
    with pytest.raises(StateError, match="is already closed"):
        ledger.intend(run, 0)
    assert ledger.steps(run)[0].state is closed
    assert ledger.attempts(run) == []


def test_an_unknown_step_stays_open_until_it_is_settled(ledger: Ledger) -> None:
    """Even after its run is closed."""
    run = begun(ledger)
    ledger.intend(run, 0)
    ledger.settle(run, 0, StepState.UNKNOWN)
    ledger.finish(run, "unknown")
    assert [each.step.state for each in ledger.open_steps("scope")] == [StepState.UNKNOWN]
    ledger.settle(run, 0, StepState.FAILED)
    assert ledger.open_steps("scope") == []


def test_nothing_is_owned_if_the_step_is_refused(ledger: Ledger) -> None:
    """The step and the owned object are written in one transaction."""
    run = begun(ledger)
    ledger.settle(run, 0, StepState.DONE)
    with pytest.raises(StateError):
        ledger.settle(run, 0, StepState.DONE, owned=OwnedObject(EDGE, "cloudspace/edge", "u"))
    assert ledger.owned("scope") == {}


def test_an_object_that_is_gone_is_no_longer_owned(ledger: Ledger) -> None:
    """This affects only its own stack."""
    run = begun(ledger)
    ledger.settle(run, 0, StepState.DONE, owned=OwnedObject(EDGE, "cloudspace/edge", "u"))
    other = begun(ledger, ledger.acquire("other", ELSEWHERE, NOW, 60))
    ledger.settle(other, 0, StepState.DONE, gone=EDGE)
    assert EDGE in ledger.owned("scope")
    ledger.settle(run, 1, StepState.DONE, gone=EDGE)
    assert ledger.owned("scope") == {}


def test_attempts_and_runs_keep_their_first_outcome(ledger: Ledger) -> None:
    """A later outcome is ignored."""
    run = begun(ledger)
    attempt = ledger.intend(run, 0)
    ledger.answered(run, 0, attempt, "first")
    ledger.answered(run, 0, attempt, "second")
    ledger.finish(run, "ok")
    ledger.finish(run, "failed")
    assert [each.outcome for each in ledger.attempts(run)] == ["first"]
    assert [each.outcome for each in ledger.runs("scope")] == ["ok"]


def test_runs_are_listed_newest_first_and_by_scope(ledger: Ledger) -> None:
    """A scope lists only its own runs."""
    first, second = begun(ledger), begun(ledger, ledger.acquire("other", ELSEWHERE, NOW, 60))
    assert [run.id for run in ledger.runs()] == [second, first]
    assert [run.id for run in ledger.runs("scope")] == [first]
    assert ledger.unfinished_runs("other") == [second]


# Two stacks at once

POOL = StepRecord(0, "spotnodepool/edge/web", Ref("SpotNodePool", "web"), "create", parent="cloudspace/edge")
GROUND = StepRecord(0, "cloudspace/edge", EDGE, "delete")


def started(ledger: Ledger, scope: str, step: StepRecord, now: datetime = FAR) -> tuple[Lease, int]:
    """A run of one step that goes on for as long as a test needs."""
    lease = ledger.acquire(scope, ELSEWHERE, now, 60)
    return lease, ledger.begin(lease, "apply", {"digest": "sha256:1"}, [step])


@pytest.mark.parametrize(("first", "second"), [(POOL, GROUND), (GROUND, POOL)], ids=["made in it", "deleted"])
def test_what_one_stack_makes_and_what_another_deletes_it_in_exclude_each_other(
    ledger: Ledger, first: StepRecord, second: StepRecord
) -> None:
    """Whichever run begins first; the other one begins nothing."""
    lease, run = started(ledger, "host/acme/one", first)
    with pytest.raises(Locked, match="cloudspace/edge"):
        started(ledger, "host/acme/two", second)
    assert [each.id for each in ledger.runs()] == [run]
    ledger.settle(run, 0, StepState.DONE, lease=lease)
    started(ledger, "host/acme/three", second)


@pytest.mark.parametrize("over", ["finished", "released", "expired", "another account", "taken over"])
def test_a_run_that_is_over_excludes_nobody(ledger: Ledger, over: str) -> None:
    """Nor does one of another account, or one that was killed."""
    lease, run = started(ledger, "host/acme/one", GROUND, NOW if over == "expired" else FAR)
    if over == "finished":
        ledger.finish(run, "ok")
    elif over == "released":
        ledger.release(lease)
    elif over == "taken over":
        ledger.acquire("host/acme/one", this_holder(), FAR, 60, abandoned=lease)
    started(ledger, "host/other/two" if over == "another account" else "host/acme/two", POOL)


def test_two_stacks_may_change_the_same_ground(ledger: Ledger) -> None:
    """Nothing goes down."""
    started(ledger, "host/acme/one", POOL)
    started(ledger, "host/acme/two", replace(POOL, address="spotnodepool/edge/db", ref=Ref("SpotNodePool", "db")))


# Leases


def test_a_lease_excludes_others_until_it_expires(ledger: Ledger) -> None:
    """Each later holder has a higher fence."""
    first = ledger.acquire("scope", ELSEWHERE, NOW, 60)
    with pytest.raises(Locked, match="process 1 on elsewhere"):
        ledger.acquire("scope", Holder("two", "here", 2), NOW + timedelta(seconds=59), 60)
    second = ledger.acquire("scope", Holder("two", "here", 2), NOW + timedelta(seconds=60), 60)
    assert (first.fence, second.fence) == (1, 2)
    assert not ledger.holds(first)
    assert ledger.holds(second)
    with pytest.raises(Locked, match="taken over"):
        ledger.renew(first, NOW, 60)
    ledger.release(first)
    assert ledger.holds(second)
    assert ledger.current_lease("scope") == second


def test_an_expired_lease_that_nobody_took_over_can_be_renewed(ledger: Ledger) -> None:
    """Its fence shows that nothing happened meanwhile, whatever any clock says."""
    lease = ledger.acquire("scope", ELSEWHERE, NOW, 60)
    late = NOW + timedelta(hours=1)
    renewed = ledger.renew(lease, late, 60)
    assert (renewed.fence, renewed.expires_at) == (lease.fence, late + timedelta(seconds=60))
    assert ledger.holds(lease) and ledger.holds(renewed)
    with pytest.raises(Locked):
        ledger.acquire("scope", Holder("two", "here", 2), late, 60)


def test_an_abandoned_lease_is_taken_over_unless_it_was_renewed(ledger: Ledger) -> None:
    """Whatever the time is: who asks like this does not trust the clock."""
    first = ledger.acquire("scope", ELSEWHERE, NOW, 60)
    renewed = ledger.renew(first, NOW + timedelta(seconds=1), 60)
    two = Holder("two", "here", 2)
    for now in (NOW - timedelta(days=1), NOW, NOW + timedelta(days=1)):
        with pytest.raises(Locked):
            ledger.acquire("scope", two, now, 60, abandoned=first)
    second = ledger.acquire("scope", two, NOW, 60, abandoned=renewed)
    assert (ledger.holds(renewed), ledger.holds(second), second.fence) == (False, True, 2)


def test_a_released_lease_is_free_even_if_another_was_watched(ledger: Ledger) -> None:
    """Its holder ended while it was watched."""
    lease = ledger.acquire("scope", ELSEWHERE, NOW, 60)
    ledger.release(lease)
    assert ledger.current_lease("scope") is None
    assert ledger.acquire("scope", Holder("two", "here", 2), NOW, 60, abandoned=lease).fence == 2


@pytest.mark.parametrize(("seconds", "doubtful"), [(-3600, True), (0, False), (59, False), (60, True), (3600, True)])
def test_the_clock_is_believed_only_within_the_time_of_a_lease(seconds: float, doubtful: bool) -> None:
    """Expired, or to last longer than any: then one of the clocks may be wrong."""
    lease = Lease("scope", ELSEWHERE, 1, NOW + timedelta(seconds=60))
    assert is_doubtful(lease, Holder("two", "here", 2), NOW + timedelta(seconds=seconds), 60) is doubtful


def test_no_lease_and_that_of_a_dead_process_leave_no_doubt() -> None:
    """Nothing is watched then."""
    mine = this_holder()
    dead = Lease("scope", holder_that_ended(), 1, NOW)
    assert not is_doubtful(None, mine, NOW, 60)
    assert not is_doubtful(dead, mine, NOW, 60)


def test_a_living_process_of_this_machine_keeps_its_lease(ledger: Ledger) -> None:
    """Until the lease expires."""
    holder = this_holder()
    ledger.acquire("scope", holder, NOW, 60)
    with pytest.raises(Locked):
        ledger.acquire("scope", replace(holder, name="again"), NOW, 60)


@pytest.mark.parametrize("released", [False, True], ids=["and goes on", "and ended"])
def test_whoever_lost_the_lease_intends_and_closes_nothing(ledger: Ledger, released: bool) -> None:
    """It is looked at in the transaction of each write, so that nothing can come between."""
    lost = ledger.acquire("scope", ELSEWHERE, NOW, 60)
    run = begun(ledger, lost)
    ledger.intend(run, 1, lease=lost)
    other = ledger.acquire("scope", this_holder(), NOW, 60, abandoned=lost)
    if released:
        ledger.release(other)
    before = ledger.steps(run), ledger.attempts(run), ledger.runs()
    for write in (
        lambda: ledger.intend(run, 0, lease=lost),
        lambda: ledger.settle(run, 1, StepState.DONE, owned=OwnedObject(EDGE, "cloudspace/edge", "u"), lease=lost),
    ):
        with pytest.raises(Locked, match="was lost"):
            write()
    assert (ledger.steps(run), ledger.attempts(run), ledger.runs()) == before
    assert ledger.owned("scope") == {}


def test_a_renewed_lease_is_the_same_one(ledger: Ledger) -> None:
    """What was begun with it goes on."""
    lease = ledger.acquire("scope", ELSEWHERE, NOW, 60)
    run = begun(ledger, lease)
    ledger.renew(lease, NOW + timedelta(seconds=30), 60)
    assert ledger.intend(run, 0, lease=lease) == 1


def test_steps_are_skipped_together(ledger: Ledger) -> None:
    """Those that were begun stay as they are."""
    run = begun(ledger)
    ledger.intend(run, 0)
    ledger.skip(run, {0: "too late", 1: "because"})
    assert [(step.state, step.detail) for step in ledger.steps(run)] == [
        (StepState.INTENT, ""),
        (StepState.SKIPPED, "because"),
    ]


def test_a_lease_that_a_person_holds_does_not_expire(ledger: Ledger) -> None:
    """Whatever the time is, and whoever watched it."""
    held = ledger.acquire("scope", ELSEWHERE, NOW, 60, reason="restoring")
    assert not is_doubtful(held, this_holder(), NOW + timedelta(days=1), 60)
    for abandoned in (None, held):
        with pytest.raises(Locked, match="held by one: restoring"):
            ledger.acquire("scope", this_holder(), NOW + timedelta(days=1), 60, abandoned=abandoned)
    assert ledger.leases() == [held]
    ledger.release(held)
    assert ledger.leases() == []


def test_leases_of_stacks_are_independent(ledger: Ledger) -> None:
    """Their fences are independent too."""
    assert ledger.acquire("a", ELSEWHERE, NOW, 60).fence == 1
    assert ledger.acquire("b", ELSEWHERE, NOW, 60).fence == 1


def test_a_released_lease_is_free_and_its_fence_keeps_counting(ledger: Ledger) -> None:
    """A fence is never issued twice."""
    ledger.release(ledger.acquire("scope", ELSEWHERE, NOW, 60))
    assert ledger.acquire("scope", ELSEWHERE, NOW, 60).fence == 2


# Registrations


def bring_to(ledger: Ledger, status: RegistrationStatus) -> None:
    """Add a machine and bring it to a status, with a token if one is issued on the way."""
    ledger.discover(MACHINE)
    for step in PATHS[status]:
        ledger.advance("key", RegistrationStatus(step), token_id="t1" if step == "token_issued" else None)


@pytest.mark.parametrize(("before", "after"), list(product(RegistrationStatus, RegistrationStatus)))
def test_only_legal_status_changes_are_allowed(
    ledger: Ledger, before: RegistrationStatus, after: RegistrationStatus
) -> None:
    """An illegal change is refused and changes nothing."""
    bring_to(ledger, before)
    if after in LEGAL[before]:
        assert ledger.advance("key", after).status is after
        return
    known = ledger.registration("key")
    with pytest.raises(StateError, match=f"from {before} to {after}"):
        ledger.advance("key", after, last_error="no")
    assert ledger.registration("key") == known


def test_a_token_id_is_never_erased(ledger: Ledger) -> None:
    """A failure, a restart and a new discovery all keep it."""
    bring_to(ledger, RegistrationStatus.TOKEN_ISSUED)
    for status in (RegistrationStatus.FAILED, RegistrationStatus.DISCOVERED):
        assert ledger.advance("key", status, last_error="no").token_id == "t1"
    assert ledger.discover(MACHINE).token_id == "t1"
    known = ledger.registration("key")
    assert known is not None and (known.token_id, known.last_error) == ("t1", "no")


def test_retiring_keeps_the_record(ledger: Ledger) -> None:
    """The ledger still shows that the machine was registered once."""
    bring_to(ledger, RegistrationStatus.REGISTERED)
    assert [each.registration_key for each in ledger.registered("org")] == ["key"]
    assert ledger.retire("key")
    known = ledger.registration("key")
    assert known is not None and (known.status, known.token_id) == (RegistrationStatus.SKIPPED, "t1")
    assert ledger.registered("org") == [] and len(ledger.registrations("org")) == 1
    assert not ledger.retire("key") and not ledger.retire("unknown")


def test_an_unknown_machine_cannot_be_advanced(ledger: Ledger) -> None:
    """It has no status that could change."""
    with pytest.raises(StateError, match="from unknown"):
        ledger.advance("key", RegistrationStatus.TOKEN_ISSUED)


def test_registrations_of_organizations_are_separate(ledger: Ledger) -> None:
    """Machines with the same name in two organizations are different machines."""
    ledger.discover(MACHINE)
    ledger.discover(replace(MACHINE, registration_key="other", org_id="other"))
    assert [each.registration_key for each in ledger.registrations("other")] == ["other"]
    assert len(ledger.registrations()) == 2


def test_a_note_changes_the_payload_alone(ledger: Ledger) -> None:
    """Whatever the machine has become since its record was read, also while a worker has claimed it."""
    bring_to(ledger, RegistrationStatus.SUBMITTED)
    ledger.claim_registrations("worker", ttl=60)
    before = ledger.registration("key")
    noted = ledger.note("key", {"ipAddress": "10.0.0.2", "by": "script"})
    assert before is not None
    assert noted == ledger.registration("key") == replace(before, payload={"ipAddress": "10.0.0.2", "by": "script"})
    assert ledger.note("key", {"more": [1]}).payload == {**noted.payload, "more": [1]}
    with pytest.raises(StateError):
        ledger.note("unknown", {"by": "script"})
    assert ledger.registration("unknown") is None


ORDER = {status: number for number, status in enumerate(PATHS) if number < 4}
"""The statuses on the way to a registered machine, and where on it they are."""


@pytest.mark.parametrize(("before", "after"), list(product(RegistrationStatus, RegistrationStatus)))
def test_what_is_learned_never_sets_a_machine_back(
    ledger: Ledger, before: RegistrationStatus, after: RegistrationStatus
) -> None:
    """The other facts are stored all the same."""
    bring_to(ledger, before)
    learned = ledger.learn("key", {"status": after, "last_error": "e"})
    assert learned == ledger.registration("key")
    assert learned.last_error == "e" and learned.payload == MACHINE.payload
    if before is RegistrationStatus.REGISTERED:
        assert learned.status is (RegistrationStatus.SKIPPED if after is RegistrationStatus.SKIPPED else before)
    elif after is RegistrationStatus.DISCOVERED:
        assert learned.status is before
    elif before in ORDER and after in ORDER:
        assert ORDER[learned.status] == max(ORDER[before], ORDER[after])
    else:
        assert learned.status is after


def test_an_unknown_machine_can_be_learned_of(ledger: Ledger) -> None:
    """With any status. A fact that no record has is a mistake of the program, and changes nothing."""
    assert ledger.learn("key", {"vm_uid": "uid", "status": RegistrationStatus.SUBMITTED}).vm_uid == "uid"
    with pytest.raises(TypeError, match="nonsense"):
        ledger.learn("key", {"nonsense": 1, "vm_uid": "other"})
    known = ledger.registration("key")
    assert known is not None and (known.vm_uid, known.status) == ("uid", RegistrationStatus.SUBMITTED)


def test_two_openings_learn_at_the_same_time(ledger: Ledger, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Each note and each status is one step: none is lost, none is undone."""
    ledger.discover(MACHINE)
    statuses = tuple(ORDER)

    def work(worker: int) -> None:
        with closing(opened(request.node.callspec.params["ledger"], tmp_path)) as own:
            for number in range(10):
                own.note("key", {f"{worker}.{number}": number})
                own.learn("key", {"status": statuses[(worker + number) % 4]})

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, range(2)))
    known = ledger.registration("key")
    assert known is not None and known.status is RegistrationStatus.REGISTERED
    assert len(known.payload) == len(MACHINE.payload) + 20
