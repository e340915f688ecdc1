"""The ledger's rules for steps, leases and registrations, in plain Python. Uses no SQL and no clock.

Every backend calls them inside its transactions, so that all backends refuse the same things with the same messages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from rsspot.errors import Locked, StateError
from rsspot.state.ledger.protocol import CLOSED, Holder, Lease, StepState
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus
from rsspot.utils.clock import stamp
from rsspot.utils.process import process_lives, process_space

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
PROCESS = re.compile(r"(?P<host>.+)#(?P<pid>\d{1,9})#\d+")
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
    if current == abandoned or (abandoned is None and current.expires_at <= now):
        return
    raise Locked(
        f"another apply of {current.scope} is running (process {current.holder.pid} on {current.holder.host})",
        hint=f"wait for it to end, or until its lease expires at {stamp(current.expires_at)}",
    )


def is_doubtful(current: Lease | None, holder: Holder, now: datetime, ttl: float) -> bool:
    """Whether the clock cannot tell if a lease is in use: it has expired, or lasts longer than any lease does.

    Our clock may have stepped, or the holder's. Only watching the lease tells whether it is still renewed.
    """
    if current is None or _is_of_the_dead(current, holder):
        return False
    return not now < current.expires_at <= now + timedelta(seconds=ttl)


def _is_of_the_dead(lease: Lease, holder: Holder) -> bool:
    """Whether the lease belongs to a process of this machine that has ended."""
    return lease.holder.host == holder.host and not process_lives(lease.holder.pid)


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
    return process is not None and process["host"] == process_space() and not process_lives(int(process["pid"]))
