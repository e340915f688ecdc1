"""Ledger: the record of what applies intended, did and own. Defines records and a protocol, and contains no SQL.

The ledger is evidence, never the truth. Losing it must not cause a wrong change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from rsspot.models.refs import Ref
from rsspot.state.ledger.registration_history import RegistrationHistory


class StepState(StrEnum):
    """How far a step got. PENDING, INTENT and UNKNOWN are open, all others are closed."""

    PENDING = "pending"
    INTENT = "intent"
    """Recorded before the request is sent. After a crash, the request may or may not have been sent."""
    DONE = "done"
    """The live object was read and is as desired."""
    SATISFIED = "satisfied"
    """The live object was already as desired, so nothing was sent."""
    FAILED = "failed"
    REFUSED = "refused"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    """The request was sent, and even reading the object did not show its result."""


CLOSED = frozenset(StepState) - {StepState.PENDING, StepState.INTENT, StepState.UNKNOWN}
"""A closed step never opens again."""

ANSWERED = "ok"
"""The outcome of a successful attempt. Any other outcome is the name and message of an error."""


@dataclass(frozen=True)
class StepRecord:
    """One step of a run. seq: its position in the run."""

    seq: int
    address: str
    ref: Ref
    verb: str
    state: StepState = StepState.PENDING
    readiness: str = ""
    detail: str = ""


@dataclass(frozen=True)
class RunRecord:
    """One apply or destroy. outcome: None while it runs, or if it was killed."""

    id: int
    scope: str
    command: str
    plan_digest: str
    started_at: str
    ended_at: str | None
    outcome: str | None


@dataclass(frozen=True)
class AttemptRecord:
    """One request of one step. outcome: None if its result was never recorded."""

    seq: int
    number: int
    sent_at: str
    ended_at: str | None
    outcome: str | None

    @property
    def may_have_arrived(self) -> bool:
        """Whether the service may have executed the request. False only after a definite error."""
        return self.outcome is None or self.outcome.startswith((ANSWERED, "OutcomeUnknown"))


@dataclass(frozen=True)
class OwnedObject:
    """An object that a stack created or adopted. applied: its managed fields as last applied, secrets as digests."""

    ref: Ref
    address: str
    uid: str | None
    applied: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OpenStep:
    """A step that may have been sent and has no known result.

    may_have_arrived: whether the service may have executed one of its requests
    """

    run: int
    step: StepRecord
    may_have_arrived: bool = True


@dataclass(frozen=True)
class Holder:
    """The process that holds a lease."""

    name: str
    host: str
    pid: int


@dataclass(frozen=True)
class Lease:
    """The right to apply one stack. A later holder has a higher fence."""

    scope: str
    holder: Holder
    fence: int
    expires_at: datetime


class Ledger(RegistrationHistory, Protocol):
    """The record of all applies of all stacks. Each write is one durable transaction."""

    def acquire(
        self, scope: str, holder: Holder, now: datetime, ttl: float, *, abandoned: Lease | None = None
    ) -> Lease:
        """Take the lease of a stack. Raises Locked if another process may still be using it.

        abandoned: a lease that may be taken over if it is still the current one, whatever the time; then no other may
        """
        ...

    def current_lease(self, scope: str) -> Lease | None:
        """The lease of a stack, also an expired one. None if it was released or never taken."""
        ...

    def renew(self, lease: Lease, now: datetime, ttl: float) -> Lease:
        """Extend a lease, also one that has expired. Raises Locked if another process has taken it over."""
        ...

    def holds(self, lease: Lease) -> bool:
        """Whether nobody else has taken the lease over. When it has to be renewed, the holder's own clock tells."""
        ...

    def release(self, lease: Lease) -> None:
        """Release the lease. Does nothing if it was taken over."""
        ...

    def begin(self, lease: Lease, command: str, plan: dict[str, Any], steps: Sequence[StepRecord]) -> int:
        """Start a run with all its steps. Returns the run's number."""
        ...

    def intend(self, run: int, seq: int) -> int:
        """Record that a request is about to be sent. Returns the number of the attempt. Durable when it returns."""
        ...

    def answered(self, run: int, seq: int, attempt: int, outcome: str) -> None:
        """Record the outcome of one attempt. Later outcomes of the same attempt are ignored."""
        ...

    def settle(
        self,
        run: int,
        seq: int,
        state: StepState,
        *,
        detail: str = "",
        owned: OwnedObject | None = None,
        gone: Ref | None = None,
    ) -> None:
        """Set a step's state and, in the same transaction, record the object that it made owned or removed."""
        ...

    def ready(self, run: int, seq: int, readiness: str) -> None:
        """Record the result of waiting for a step's object."""
        ...

    def finish(self, run: int, outcome: str) -> None:
        """Close a run. A run that is already closed keeps its outcome."""
        ...

    def owned(self, scope: str) -> dict[Ref, OwnedObject]:
        """The objects that a stack owns according to the ledger."""
        ...

    def open_steps(self, scope: str) -> list[OpenStep]:
        """The steps of a stack that may have been sent and have no known result."""
        ...

    def unfinished_runs(self, scope: str) -> list[int]:
        """The numbers of the runs that were never closed."""
        ...

    def runs(self, scope: str | None = None) -> list[RunRecord]:
        """All runs, or those of one scope, newest first."""
        ...

    def plan(self, run: int) -> dict[str, Any]:
        """The plan of a run as JSON. Raises LookupError."""
        ...

    def made_by(self, run: int) -> dict[str, str]:
        """Who started a run, and for which commit, as far as it is on record. Raises LookupError."""
        ...

    def steps(self, run: int) -> list[StepRecord]:
        """The steps of a run, in order."""
        ...

    def attempts(self, run: int) -> list[AttemptRecord]:
        """The attempts of a run, in order."""
        ...

    def close(self) -> None:
        """Close the ledger."""
        ...
