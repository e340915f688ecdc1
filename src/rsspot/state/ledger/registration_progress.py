"""RegistrationProgress: what the next attempt at a machine has to know beyond its status, and how it changes.

Plain Python without SQL and without a clock; every backend stores it as it is computed here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rsspot.models.absence import Absence
from rsspot.state.ledger.registrations import RegistrationStatus

READS_APART = timedelta(seconds=60)
"""How far apart two reads must be that both miss a machine, before it counts as gone: an entry may flap."""


@dataclass(frozen=True)
class RegistrationProgress:
    """Times are RFC 3339 in UTC.

    reached: the status from which the machine failed · generation: rises each time it begins from the start
    failures: since it last began, or was retried by hand · retry_at: not to be tried again before
    missing_since, missing_at: the first and the last of the reads in a row that missed the machine
    passed_over: whether somebody decided that it is not to be registered
    """

    reached: RegistrationStatus | None = None
    generation: int = 1
    failures: int = 0
    retry_at: str | None = None
    missing_since: str | None = None
    missing_at: str | None = None
    passed_over: bool = False


def progressed(
    progress: RegistrationProgress, before: RegistrationStatus, after: RegistrationStatus
) -> RegistrationProgress:
    """The progress of a machine whose status changes."""
    if after is RegistrationStatus.FAILED:
        return replace(progress, reached=before if before is not after else progress.reached)
    if after is RegistrationStatus.REGISTERED:
        return RegistrationProgress(generation=progress.generation)
    return progress


def restarted(progress: RegistrationProgress) -> RegistrationProgress:
    """The progress of a machine that begins from the start: questions get other idempotency keys than before."""
    return replace(
        progress, reached=None, generation=progress.generation + 1, missing_since=None, missing_at=None, retry_at=None
    )


def sighted(progress: RegistrationProgress, now: datetime, *, found: bool) -> RegistrationProgress:
    """The progress of a machine after a read that found it, or missed it."""
    if found:
        return replace(progress, missing_since=None, missing_at=None)
    moment = now.isoformat()
    return replace(progress, missing_since=progress.missing_since or moment, missing_at=moment)


def absence(progress: RegistrationProgress, now: datetime) -> Absence:
    """What is known about a machine being missing."""
    since, last = _moment(progress.missing_since), _moment(progress.missing_at)
    if since is None or last is None:
        return Absence.NONE
    if last - since >= READS_APART:
        return Absence.GONE
    return Absence.LONG if now - since >= READS_APART else Absence.BRIEF


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
