"""Ledger: the record of what applies intended, did and own. Defines records and a protocol, and contains no SQL.

The ledger is evidence, never the truth. Losing it must not cause a wrong change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
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


STILL_OPEN = (StepState.PENDING, StepState.INTENT, StepState.UNKNOWN)
CLOSED = frozenset(StepState) - {*STILL_OPEN}
"""A closed step never opens again."""

ANSWERED = "ok"
"""The outcome of a successful attempt. Any other outcome is the name and message of an error."""


@dataclass(frozen=True)
class StepRecord:
    """One step of a run. seq: its position in the run · parent: the address of what its object lives in"""

    seq: int
    address: str
    ref: Ref
    verb: str
    state: StepState = StepState.PENDING
    readiness: str = ""
    detail: str = ""
    parent: str = ""


@dataclass(frozen=True)
class RunRecord:
    """One apply or destroy. outcome: None while it runs, or if it was killed.

    made_by: who started it, and for which commit, as far as it is on record
    """

    id: int
    scope: str
    command: str
    plan_digest: str
    started_at: str
    ended_at: str | None
    outcome: str | None
    made_by: dict[str, str] = field(default_factory=dict)


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
    """The process that holds a lease.

    name: unique · process: its `utils.process.identity_of` · job: the address of its CI job, if it is one
    """

    name: str
    host: str
    pid: int
    process: str = ""
    job: str = ""


@dataclass(frozen=True)
class Lease:
    """The right to apply one stack. A later holder has a higher fence.

    reason: why a person keeps everybody out; such a lease does not expire. Empty for the lease of an apply.
    """

    scope: str
    holder: Holder
    fence: int
    expires_at: datetime
    reason: str = ""


class Ledger(RegistrationHistory, Protocol):
    """The record of all applies of all stacks. Each write is one durable transaction, unless several are `together`."""

    def acquire(
        self,
        scope: str,
        holder: Holder,
        now: datetime,
        ttl: float,
        *,
        abandoned: Lease | None = None,
        reason: str = "",
    ) -> Lease:
        """Take the lease of a stack. Raises Locked if another process may still be using it.

        abandoned: a lease that may be taken over if it is still the current one, whatever the time; then no other may
        reason: why a person takes it, for as long as it is not given back
        """
        ...

    def leases(self) -> list[Lease]:
        """The leases that are held, also expired ones, sorted by scope."""
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

    @property
    def keeps_time(self) -> bool:
        """Whether leases go by the clock of a server that all share. It tells at once when one has expired."""
        ...

    def time(self, here: datetime) -> datetime:
        """The time that leases go by: that of such a server, or else `here`."""
        ...

    def release(self, lease: Lease) -> None:
        """Release the lease. Does nothing if it was taken over."""
        ...

    def together(self) -> AbstractContextManager[None]:
        """Make the writes of a block durable together, when it ends. One that raises takes back only itself."""
        ...

    def begin(self, lease: Lease, command: str, plan: dict[str, Any], steps: Sequence[StepRecord]) -> int:
        """Start a run with all its steps. Returns the run's number.

        Raises Locked while a run of another stack of the same account is about to delete what an object of this run
        lives in, or the other way round.
        """
        ...

    def intend(self, run: int, seq: int, *, lease: Lease | None = None) -> int:
        """Record that a request is about to be sent. Returns the number of the attempt. Durable when it returns.

        lease: the lease of whoever writes, as in `settle`. Raises Locked, and records nothing, if another process has
        taken it over: looked at in the same transaction.
        """
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
        lease: Lease | None = None,
    ) -> None:
        """Set a step's state and, in the same transaction, record the object that it made owned or removed."""
        ...

    def skip(self, run: int, reasons: Mapping[int, str], *, lease: Lease | None = None) -> None:
        """Skip those of these steps that are still pending, each for a reason: one transaction, however many.

        lease: as for `settle`
        """
        ...

    def ready(self, run: int, seq: int, readiness: str) -> None:
        """Record the result of waiting for a step's object."""
        ...

    def finish(self, run: int, outcome: str, *, lease: Lease | None = None) -> None:
        """Close a run. A run that is already closed keeps its outcome. lease: as for `settle`"""
        ...

    def owned(self, scope: str) -> dict[Ref, OwnedObject]:
        """The objects that a stack owns according to the ledger."""
        ...

    def owned_refs(self, account: str) -> set[Ref]:
        """What the objects are that all stacks of an account own. account: what their scopes begin with"""
        ...

    def open_steps(self, scope: str) -> list[OpenStep]:
        """The steps of a stack that may have been sent and have no known result."""
        ...

    def unfinished_runs(self, scope: str) -> list[int]:
        """The numbers of the runs that were never closed."""
        ...

    def scopes(self) -> list[str]:
        """Every stack that ever was applied or owns something, sorted. Reads no other record."""
        ...

    def runs(
        self, scope: str | None = None, *, stack: str | None = None, unfinished: bool = False, limit: int | None = None
    ) -> list[RunRecord]:
        """All runs, or those of one scope, or of the stacks of one name, newest first.

        unfinished: only those that were never closed · limit: the newest of them
        """
        ...

    def run(self, number: int) -> RunRecord | None:
        """One run; None if it is not on record."""
        ...

    def plan(self, run: int) -> dict[str, Any]:
        """The plan of a run as JSON; without its changes, and with `cut`, if it was too large. Raises LookupError."""
        ...

    def step_counts(self, run: int) -> dict[StepState, int]:
        """How many steps of a run are in each state."""
        ...

    def steps(self, run: int) -> list[StepRecord]:
        """The steps of a run, in order."""
        ...

    def attempts(self, run: int, seq: int | None = None) -> list[AttemptRecord]:
        """The attempts of a run, or of one step of it, in order."""
        ...

    def close(self) -> None:
        """Close the ledger."""
        ...
