"""The rules that every ledger asks: whose a lease is, which runs exclude each other, how long a claim holds."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from rsspot.errors import Locked, StateError
from rsspot.models.refs import Ref
from rsspot.state.ledger.protocol import Lease, OpenStep, StepRecord
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus
from rsspot.state.ledger.rules import (
    LEGAL,
    OPEN,
    advanced,
    has_ended,
    is_doubtful,
    later,
    learned,
    others,
    require_apart,
    require_claim,
    require_free,
    require_held,
    require_open,
    returned,
    still_holds,
)
from rsspot.utils.process import identity_of
from support.holders import this_holder

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(seconds=60)
ME = this_holder()
DEAD = replace(ME, name="dead", pid=2**22 + 5, process=identity_of(os.getpid()))
"""A process of this machine with a number that none can have."""
FAR = replace(DEAD, host="elsewhere")
S = RegistrationStatus


def lease(holder: object = FAR, left: timedelta = MINUTE, **fields: object) -> Lease:
    """A lease with some time left."""
    return replace(Lease("host/acme/one", FAR, 7, NOW + left), holder=holder, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("current", "watched", "free"),
    [
        pytest.param(None, None, True, id="released"),
        pytest.param(lease(DEAD), None, True, id="its process has ended"),
        pytest.param(lease(FAR), None, False, id="a process of another machine is not looked up here"),
        pytest.param(lease(DEAD, reason="repair"), None, False, id="a person holds it, whose command has ended"),
        pytest.param(lease(reason="repair"), lease(reason="repair"), False, id="a person holds it, and it was watched"),
        pytest.param(lease(left=-MINUTE, reason="repair"), None, False, id="a person holds it beyond its time"),
        pytest.param(lease(left=timedelta(0)), None, True, id="expired at this very moment"),
        pytest.param(lease(left=timedelta(microseconds=1)), None, False, id="expires in a moment"),
        pytest.param(lease(), lease(), True, id="abandoned, whatever its time says"),
        pytest.param(lease(left=-MINUTE), lease(), False, id="expired, and another one was abandoned"),
    ],
)
def test_when_a_lease_is_free(current: Lease | None, watched: Lease | None, free: bool) -> None:
    """Only when nobody can be using it."""
    if free:
        require_free(current, ME, NOW, watched)
    else:
        with pytest.raises(Locked, match="is held by dead: repair" if current and current.reason else "is running"):
            require_free(current, ME, NOW, watched)


def test_a_refusal_names_the_job_of_the_holder() -> None:
    """Whoever waits for it can look there."""
    with pytest.raises(Locked, match=r"running \(process \d+ on elsewhere, https://ci/7\)"):
        require_free(lease(replace(FAR, job="https://ci/7")), ME, NOW)


@pytest.mark.parametrize(
    ("current", "doubtful"),
    [
        (None, False),
        (lease(DEAD, -MINUTE), False),
        (lease(FAR, -MINUTE), True),
        (lease(FAR, -MINUTE, reason="repair"), False),
        (lease(FAR, timedelta(0)), True),
        (lease(FAR, timedelta(microseconds=1)), False),
        (lease(FAR, MINUTE), False),
        (lease(FAR, MINUTE + timedelta(microseconds=1)), True),
    ],
)
def test_when_a_lease_has_to_be_watched(current: Lease | None, doubtful: bool) -> None:
    """When it has expired, or lasts longer than any: one of the clocks is wrong then."""
    assert is_doubtful(current, ME, NOW, MINUTE.total_seconds()) is doubtful


def test_the_others_are_those_of_the_same_account_that_hold_on() -> None:
    """Not this stack itself, not another account, not one that has expired."""
    two = lease(scope="host/acme/two")
    leases = [
        lease(),
        two,
        lease(scope="host/other/two"),
        lease(scope="host/acme/three", left=timedelta(0)),
    ]
    assert others(leases, "host/acme/one", NOW) == [two]


def test_a_lease_is_the_same_by_its_holder_and_its_fence() -> None:
    """And not by its time, which every renewal moves."""
    held = lease()
    assert still_holds(lease(left=-MINUTE), held)
    assert not still_holds(None, held)
    assert not still_holds(lease(fence=8), held)
    assert not still_holds(lease(replace(FAR, name="two")), held)
    require_held(None, None)
    with pytest.raises(Locked, match="the lease of host/acme/one was lost"):
        require_held(None, held)


def test_a_step_that_does_not_exist_is_not_open() -> None:
    """Nothing is recorded of it."""
    with pytest.raises(StateError, match="step 4 of run 3"):
        require_open(None, 3, 4)


def step(verb: str, name: str, parent: str = "") -> StepRecord:
    """A step on an object."""
    return StepRecord(0, name, Ref("Any", name), verb, parent=parent)


@pytest.mark.parametrize(
    ("mine", "theirs", "message"),
    [
        ([step("delete", "edge")], [step("create", "edge/a", "edge")], "edge is to be deleted"),
        ([step("create", "edge/a", "edge")], [step("delete", "edge")], "is about to delete edge, and edge/a is in it"),
        ([step("create", "edge/a", "edge")], [step("create", "edge")], None),
        ([step("delete", "edge/a", "edge")], [step("delete", "edge")], None),
        ([step("delete", "edge")], [step("patch", "edge")], None),
        ([step("delete", "edge")], [step("create", "west/a", "west")], None),
        ([step("create", "edge")], [step("delete", "west")], None),
        ([step("create", "new"), step("create", "edge/a", "edge")], [step("delete", "edge")], "edge/a is in it"),
    ],
)
def test_when_two_runs_exclude_each_other(
    mine: list[StepRecord], theirs: list[StepRecord], message: str | None
) -> None:
    """When one deletes what the other one makes or changes something in."""
    under_way = [OpenStep(1, each) for each in theirs]
    if message is None:
        require_apart(mine, under_way)
    else:
        with pytest.raises(Locked, match=message):
            require_apart(mine, under_way)


MACHINE = RegistrationRecord("key", "uid", "org", "group", "omni", claimed_by="one", claimed_until="2026-01-01T00:01Z")
BEFORE, AT_THE_END = "2026-01-01T00:00Z", "2026-01-01T00:01Z"


@pytest.mark.parametrize(
    ("record", "worker", "now", "free"),
    [
        (MACHINE, "one", BEFORE, True),
        (MACHINE, "two", BEFORE, False),
        (MACHINE, None, BEFORE, False),
        (MACHINE, "two", AT_THE_END, True),
        (replace(MACHINE, claimed_by=None), "two", BEFORE, True),
        (replace(MACHINE, claimed_until=None), "two", BEFORE, True),
    ],
)
def test_when_a_claim_keeps_others_away(record: RegistrationRecord, worker: str | None, now: str, free: bool) -> None:
    """Until it ends, everybody but its worker; whatever they want to change."""
    if free:
        require_claim(record, worker, now)
        advanced(record, S.FAILED, worker=worker, now=now)
        assert returned(record, S.DISCOVERED, worker=worker, now=now).updated_at == now
        return
    for change in (
        lambda: require_claim(record, worker, now),
        lambda: advanced(record, S.FAILED, worker=worker, now=now),
        lambda: returned(record, S.DISCOVERED, worker=worker, now=now),
    ):
        with pytest.raises(StateError, match="uid is being registered by one until 2026-01-01T00:01Z"):
            change()


@pytest.mark.parametrize("status", S)
def test_a_claim_ends_with_the_last_status(status: RegistrationStatus) -> None:
    """A machine that is finished is nobody's; an unfinished one, or a failed one, stays with its worker."""
    before = next(each for each in S if status in LEGAL[each])
    record = advanced(replace(MACHINE, status=before), status, worker="one", now=BEFORE)
    unfinished = status in (S.DISCOVERED, S.TOKEN_ISSUED, S.SUBMITTED, S.FAILED)
    assert (record.claimed_by, record.claimed_until) == (("one", MACHINE.claimed_until) if unfinished else (None, None))
    assert (status in OPEN) is unfinished


def test_how_a_registration_goes_on() -> None:
    """Step by step, or to a failure; from there again, or to an end that only a new discovery takes back."""
    free = replace(MACHINE, claimed_by=None)
    allowed: dict[str, set[str]] = {before: set() for before in S}
    for before, status in product(S, S):
        with suppress(StateError):
            allowed[before].add(advanced(replace(free, status=before), status, worker="one", now=BEFORE).status)
    assert allowed == {
        "discovered": {"token_issued", "failed", "skipped"},
        "token_issued": {"submitted", "failed"},
        "submitted": {"registered", "failed"},
        "registered": {"skipped"},
        "failed": {"discovered", "token_issued", "skipped"},
        "skipped": {"discovered"},
    }


def test_a_worker_of_another_machine_may_be_running() -> None:
    """Though a process of its number has ended here."""
    assert has_ended(f"{DEAD.host}#{DEAD.pid}#{DEAD.process}#1")
    assert not has_ended(f"elsewhere#{DEAD.pid}#{DEAD.process}#1")
    assert not has_ended("a worker of some other name")


def test_what_is_not_given_is_not_erased() -> None:
    """A later status brings only what is new."""
    first = advanced(MACHINE, S.TOKEN_ISSUED, worker="one", now=BEFORE, token_id="t", token_expires_at="e")
    second = advanced(first, S.FAILED, worker="one", now=BEFORE, last_error="no")
    third = advanced(second, S.TOKEN_ISSUED, worker="one", now=AT_THE_END, token_id="u")
    assert (third.token_id, third.token_expires_at, third.last_error, third.updated_at) == ("u", "e", "no", AT_THE_END)


@pytest.mark.parametrize("record", [None, replace(MACHINE, status=S.REGISTERED)])
def test_no_attempt_begins_for_what_is_unknown_or_registered(record: RegistrationRecord | None) -> None:
    """There is nothing to try again."""
    with pytest.raises(StateError, match=r"a registration cannot go from (unknown|registered) to discovered"):
        returned(record, S.DISCOVERED, worker="one", now=BEFORE)


LATER = {
    S.DISCOVERED: [S.DISCOVERED, S.TOKEN_ISSUED, S.SUBMITTED, S.REGISTERED, S.FAILED, S.SKIPPED],
    S.TOKEN_ISSUED: [S.TOKEN_ISSUED, S.TOKEN_ISSUED, S.SUBMITTED, S.REGISTERED, S.FAILED, S.SKIPPED],
    S.SUBMITTED: [S.SUBMITTED, S.SUBMITTED, S.SUBMITTED, S.REGISTERED, S.FAILED, S.SKIPPED],
    S.REGISTERED: [S.REGISTERED, S.REGISTERED, S.REGISTERED, S.REGISTERED, S.REGISTERED, S.SKIPPED],
    S.FAILED: [S.FAILED, S.TOKEN_ISSUED, S.SUBMITTED, S.REGISTERED, S.FAILED, S.SKIPPED],
    S.SKIPPED: [S.SKIPPED, S.TOKEN_ISSUED, S.SUBMITTED, S.REGISTERED, S.FAILED, S.SKIPPED],
}
"""What comes of a machine of each status when another ledger says each of the statuses, in their order."""


@pytest.mark.parametrize("before", S)
def test_of_two_statuses_the_later_one_counts(before: RegistrationStatus) -> None:
    """Whether it is told alone or with other facts."""
    assert [later(before, each) for each in S] == LATER[before]
    known = replace(MACHINE, status=before)
    assert [learned(known, "key", {"status": each}, now=BEFORE).status for each in S] == LATER[before]


def test_a_fact_without_a_status_leaves_the_status() -> None:
    """And a machine that nobody knew begins with what is told of it."""
    known = learned(replace(MACHINE, status=S.SUBMITTED), "key", {"vm_name": "a"}, now=BEFORE)
    assert (known.status, known.vm_name, known.updated_at, known.vm_uid) == (S.SUBMITTED, "a", BEFORE, "uid")
    new = learned(None, "key", {"vm_uid": "b"}, now=BEFORE)
    assert (new.registration_key, new.status, new.vm_uid, new.org_id) == ("key", S.DISCOVERED, "b", "")
