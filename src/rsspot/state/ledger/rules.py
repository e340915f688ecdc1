"""The ledger's rules for steps, leases and registrations, in plain Python. Uses no SQL and no clock.

Every backend calls them inside its transactions, so that all backends refuse the same things with the same messages.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from rsspot.errors import Locked, StateError
from rsspot.state.ledger.protocol import CLOSED, Holder, Lease, OpenStep, StepRecord, StepState
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus
from rsspot.utils.clock import stamp
from rsspot.utils.process import has_ended as process_has_ended

_S = RegistrationStatus
LEGAL: dict[RegistrationStatus, frozenset[RegistrationStatus]] = {
    _S.DISCOVERED: frozenset({_S.TOKEN_ISSUED, _S.FAILED, _S.SKIPPED}),
    _S.TOKEN_ISSUED: frozenset({_S.SUBMITTED, _S.FAILED}),
    _S.SUBMITTED: frozenset({_S.REGISTERED, _S.FAILED}),
    _S.REGISTERED: frozenset({_S.SKIPPED}),
    _S.FAILED: frozenset({_S.DISCOVERED, _S.TOKEN_ISSUED, _S.SKIPPED}),
    _S.SKIPPED: frozenset({_S.DISCOVERED}),
}
"""The statuses that may follow each status. A registered machine can only be retired, which makes it skipped."""
IN_ORDER = (_S.DISCOVERED, _S.TOKEN_ISSUED, _S.SUBMITTED, _S.REGISTERED)
"""The statuses on the way to a registered machine."""
OPEN = (_S.DISCOVERED, _S.TOKEN_ISSUED, _S.SUBMITTED, _S.FAILED)
"""The statuses of machines that workers may claim: not started, failed, or left unfinished."""
DELETE = "delete"
"""The verb of a step that takes an object away, with all that lives in it."""
PROCESS = re.compile(r"(?P<host>.+)#(?P<pid>\d{1,9})#(?P<identity>[0-9a-f.]*)#\d+")
"""A worker name made by `worker_of_this_process`."""


def require_open(before: StepState | None, run: int, seq: int) -> None:
    """Raise StateError for a step that is closed or does not exist."""
    if before is None or before in CLOSED:
        raise StateError(f"step {seq} of run {run} is already closed")


def require_free(current: Lease | None, holder: Holder, now: datetime, abandoned: Lease | None = None) -> None:
    """Raise Locked if the current lease, if any, belongs to a process that may still be running.

    abandoned: a lease that is free whatever the time; then no other one is, because the clock cannot be trusted
    """
    if current is None or _is_of_the_dead(current, holder):
        return
    if not current.reason and (current == abandoned or (abandoned is None and current.expires_at <= now)):
        return
    if current.reason:
        raise Locked(
            f"{current.scope} is held by {current.holder.name}: {current.reason}",
            hint=f"when nobody needs that any more: rsspot lock break {current.fence}",
        )
    where = ", ".join(filter(None, (f"process {current.holder.pid} on {current.holder.host}", current.holder.job)))
    raise Locked(
        f"another apply of {current.scope} is running ({where})",
        hint=f"wait for it to end, or until its lease expires at {stamp(current.expires_at)}",
    )


def is_doubtful(current: Lease | None, holder: Holder, now: datetime, ttl: float) -> bool:
    """Whether the clock cannot tell if a lease is in use: it has expired, or lasts longer than any lease does.

    Our clock may have stepped, or the holder's. Only watching the lease tells whether it is still renewed.
    """
    if current is None or current.reason or _is_of_the_dead(current, holder):
        return False
    return not now < current.expires_at <= now + timedelta(seconds=ttl)


def _is_of_the_dead(lease: Lease, holder: Holder) -> bool:
    """Whether the lease belongs to a process of this machine that has ended."""
    there = lease.holder
    return not lease.reason and there.host == holder.host and process_has_ended(there.pid, there.process)


def others(leases: Iterable[Lease], scope: str, now: datetime) -> list[Lease]:
    """The leases of other stacks of the same account that have not expired."""
    near = (each for each in leases if each.scope != scope and account_of(each.scope) == account_of(scope))
    return [each for each in near if now < each.expires_at]


def account_of(scope: str) -> str:
    """The account that a stack is in: what the scopes of all its stacks begin with."""
    return scope.rpartition("/")[0]


def require_apart(steps: Sequence[StepRecord], under_way: Sequence[OpenStep]) -> None:
    """Raise Locked if one of two runs deletes what an object of the other one is made in. under_way: of other stacks"""
    theirs = [each.step for each in under_way]
    if (step := _doomed(theirs, by=steps)) is not None:
        message = f"{step.parent} is to be deleted, and an apply of another stack is about to change {step.address}"
    elif (step := _doomed(steps, by=theirs)) is not None:
        message = f"an apply of another stack is about to delete {step.parent}, and {step.address} is in it"
    else:
        return
    raise Locked(message, hint="nothing was sent; wait until that apply has ended, and plan again")


def _doomed(steps: Sequence[StepRecord], *, by: Sequence[StepRecord]) -> StepRecord | None:
    """A step whose object would go down with what another run deletes."""
    deleted = {step.address for step in by if step.verb == DELETE}
    return next((step for step in steps if step.parent in deleted and step.verb != DELETE), None)


def require_held(current: Lease | None, lease: Lease | None) -> None:
    """Raise Locked if a lease is given and is not the current one."""
    if lease is not None and not still_holds(current, lease):
        raise Locked(f"the lease of {lease.scope} was lost", hint="another apply took over; run plan again")


def still_holds(current: Lease | None, lease: Lease) -> bool:
    """Whether a lease is the current one."""
    return current is not None and (current.holder.name, current.fence) == (lease.holder.name, lease.fence)


def advanced(
    record: RegistrationRecord | None,
    status: RegistrationStatus,
    *,
    worker: str | None,
    now: str,
    token_id: str | None = None,
    token_expires_at: str | None = None,
    last_error: str | None = None,
) -> RegistrationRecord:
    """A copy of the record with a new status. Arguments that are not given keep their values, so nothing is erased.

    worker: the worker that makes the change · now: RFC 3339 in UTC
    Raises StateError for an illegal change, and for a machine that another worker has claimed.
    """
    if record is not None:
        require_claim(record, worker, now)
    if record is None or status not in LEGAL[record.status]:
        before = record.status.value if record else "unknown"
        raise StateError(f"a registration cannot go from {before} to {status.value}")
    ended = status not in OPEN
    return replace(
        record,
        status=status,
        token_id=token_id or record.token_id,
        token_expires_at=token_expires_at or record.token_expires_at,
        last_error=last_error or record.last_error,
        updated_at=now,
        claimed_by=None if ended else record.claimed_by,
        claimed_until=None if ended else record.claimed_until,
    )


def returned(
    record: RegistrationRecord | None, status: RegistrationStatus, *, worker: str | None, now: str
) -> RegistrationRecord:
    """A copy of the record of an unfinished machine with the status that its next attempt begins with.

    Raises StateError for a machine that is unknown or registered, or that another worker has claimed.
    """
    if record is not None:
        require_claim(record, worker, now)
    if record is None or record.status is _S.REGISTERED:
        before = record.status.value if record else "unknown"
        raise StateError(f"a registration cannot go from {before} to {status.value}")
    return replace(record, status=status, updated_at=now)


def later(before: RegistrationStatus, status: RegistrationStatus) -> RegistrationStatus:
    """The status of a machine that has one and is said to have another: the one that is further on.

    A registered machine can only be retired. A failure, or a retirement, counts as later than what came before it;
    after it, any step but the discovery does.
    """
    if status is _S.DISCOVERED or (before is _S.REGISTERED and status is not _S.SKIPPED):
        return before
    if before in IN_ORDER and status in IN_ORDER:
        return max(before, status, key=IN_ORDER.index)
    return status


def learned(record: RegistrationRecord | None, key: str, facts: Mapping[str, Any], *, now: str) -> RegistrationRecord:
    """The record of a machine with further facts; a new one if there is none. now: RFC 3339 in UTC"""
    known = record or RegistrationRecord(key, vm_uid="", org_id="", vmcloudspace="", omni_cluster="")
    status = later(known.status, facts.get("status", known.status))
    return replace(known, **{**facts, "status": status, "updated_at": now})


def require_claim(record: RegistrationRecord, worker: str | None, now: str) -> None:
    """Raise StateError if another worker has claimed the machine and the claim has not expired."""
    claimant, until = record.claimed_by, record.claimed_until or ""
    if claimant is not None and claimant != worker and until > now:
        raise StateError(f"{record.vm_name or record.vm_uid} is being registered by {claimant} until {until}")


def has_ended(worker: str) -> bool:
    """Whether a worker was a process of this machine that has ended. Its claims are then free."""
    process = PROCESS.fullmatch(worker)
    if process is None or process["host"] != socket.gethostname():
        return False
    return process_has_ended(int(process["pid"]), process["identity"])
