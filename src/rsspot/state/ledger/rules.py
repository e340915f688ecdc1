"""What a ledger lets happen: the rules of steps, leases and registrations, in plain Python. No SQL and no clock.

Every backend asks these inside its transaction, so that all of them refuse the same and in the same words.
"""

from __future__ import annotations

import re
import socket
from dataclasses import replace
from datetime import datetime, timedelta

from rsspot.errors import Locked, StateError
from rsspot.state.ledger.protocol import CLOSED, Holder, Lease, StepState
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus
from rsspot.utils.process import process_lives

MARGIN = timedelta(seconds=5)
"""A lease that runs out sooner than this is no longer relied on."""

_S = RegistrationStatus
LEGAL: dict[RegistrationStatus, frozenset[RegistrationStatus]] = {
    _S.DISCOVERED: frozenset({_S.TOKEN_ISSUED, _S.FAILED, _S.SKIPPED}),
    _S.TOKEN_ISSUED: frozenset({_S.SUBMITTED, _S.FAILED}),
    _S.SUBMITTED: frozenset({_S.REGISTERED, _S.FAILED}),
    _S.REGISTERED: frozenset({_S.SKIPPED}),
    _S.FAILED: frozenset({_S.DISCOVERED, _S.TOKEN_ISSUED, _S.SKIPPED}),
    _S.SKIPPED: frozenset({_S.DISCOVERED}),
}
"""From each status, the ones that may follow. A registered machine leaves that status only by being retired."""
OPEN = (_S.DISCOVERED, _S.TOKEN_ISSUED, _S.SUBMITTED, _S.FAILED)
"""What a worker may take up: not begun, or begun by somebody who stopped."""
PROCESS = re.compile(r"(?P<host>.+)#(?P<pid>\d{1,9})#\d+")


def require_open(before: StepState | None, run: int, seq: int) -> None:
    """Raise StateError for a step that is closed or does not exist: a closed step never opens again."""
    if before is None or before in CLOSED:
        raise StateError(f"step {seq} of run {run} is closed already")


def require_free(current: Lease | None, holder: Holder, now: datetime) -> None:
    """Raise Locked while a lease is held by somebody who may be at work. current: None when nobody has it."""
    if current is None or current.expires_at <= now:
        return
    # A process of this machine that is gone will not come back for its lease.
    if current.holder.host == holder.host and not process_lives(current.holder.pid):
        return
    raise Locked(
        f"another apply of {current.scope} is running (process {current.holder.pid} on {current.holder.host})",
        hint=f"wait for it to end; its lease runs out at {current.expires_at.isoformat()}",
    )


def still_holds(current: Lease | None, lease: Lease, now: datetime) -> bool:
    """Whether a lease is the current one, and not about to run out."""
    return (
        current is not None
        and current.holder.name == lease.holder.name
        and current.fence == lease.fence
        and now + MARGIN < current.expires_at
    )


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
    """A registration moved on. What is not given stays: a later transition never erases what an earlier one recorded.

    worker: who moves it · now: RFC 3339 in UTC
    Raises StateError for an illegal move, and for a machine that another worker has claimed.
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


def require_claim(record: RegistrationRecord, worker: str | None, now: str) -> None:
    """Raise StateError when another worker has claimed the machine and its claim still holds."""
    claimant, until = record.claimed_by, record.claimed_until or ""
    if claimant is not None and claimant != worker and until > now:
        raise StateError(f"{record.vm_name or record.vm_uid} is being registered by {claimant} until {until}")


def has_ended(worker: str) -> bool:
    """Whether a worker is a process of this machine that is gone: it will not come back for its claims."""
    process = PROCESS.fullmatch(worker)
    return process is not None and process["host"] == socket.gethostname() and not process_lives(int(process["pid"]))
