"""Ledger: what an apply meant to do, did, and owns, as records and a protocol. No SQL here.

The ledger is evidence, never the truth: losing it must not cause a wrong change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from rsspot.models.refs import Ref
from rsspot.state.ledger.registrations import RegistrationLedger


class StepState(StrEnum):
    """How far a step got. Only PENDING and INTENT are open."""

    PENDING = "pending"
    INTENT = "intent"
    """May have been sent: written before the request, so a crash leaves this behind."""
    DONE = "done"
    """Observed to be as wanted."""
    SATISFIED = "satisfied"
    """Was so already; nothing was sent."""
    FAILED = "failed"
    REFUSED = "refused"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    """Sent, and not even reading showed what became of it."""


CLOSED = frozenset(StepState) - {StepState.PENDING, StepState.INTENT, StepState.UNKNOWN}
"""A closed step never opens again."""


ANSWERED = "ok"
"""The outcome of an attempt that was accepted; any other is the name of an error and its message."""


@dataclass(frozen=True)
class StepRecord:
    """One thing an apply has to do. `seq` orders steps within their run."""

    seq: int
    address: str
    ref: Ref
    verb: str
    state: StepState = StepState.PENDING
    readiness: str = ""
    detail: str = ""


@dataclass(frozen=True)
class RunRecord:
    """One apply or destroy. outcome is None while it runs, or after it was killed."""

    id: int
    scope: str
    command: str
    plan_digest: str
    started_at: str
    ended_at: str | None
    outcome: str | None


@dataclass(frozen=True)
class AttemptRecord:
    """One request of one step; outcome is None when its answer was never written down."""

    seq: int
    number: int
    sent_at: str
    ended_at: str | None
    outcome: str | None

    @property
    def may_have_arrived(self) -> bool:
        """Whether the service may have carried it out: anything but a definite no."""
        return self.outcome is None or self.outcome.startswith((ANSWERED, "OutcomeUnknown"))


@dataclass(frozen=True)
class OwnedObject:
    """An object this stack made or adopted. applied: its managed fields as last applied, secrets as digests."""

    ref: Ref
    address: str
    uid: str | None
    applied: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OpenStep:
    """A step that a run left open when it ended without a word.

    may_have_arrived: whether one of its requests may have been carried out
    """

    run: int
    step: StepRecord
    may_have_arrived: bool = True


@dataclass(frozen=True)
class Holder:
    """Who holds a lease."""

    name: str
    host: str
    pid: int


@dataclass(frozen=True)
class Lease:
    """The right to apply one stack. A higher fence means a later holder."""

    scope: str
    holder: Holder
    fence: int
    expires_at: datetime


class Ledger(RegistrationLedger, Protocol):
    """The memory of every apply of every stack. Each method is one durable transaction."""

    def acquire(self, scope: str, holder: Holder, now: datetime, ttl: float) -> Lease:
        """Take the lease of a stack. Raises Locked while another live holder has it."""
        ...

    def renew(self, lease: Lease, now: datetime, ttl: float) -> Lease:
        """Prolong a lease. Raises Locked if it was taken over."""
        ...

    def holds(self, lease: Lease, now: datetime) -> bool:
        """Whether the lease is still ours and not about to run out."""
        ...

    def release(self, lease: Lease) -> None:
        """Give the lease back."""
        ...

    def begin(self, lease: Lease, command: str, plan: dict[str, Any], steps: Sequence[StepRecord]) -> int:
        """Open a run with all its steps pending; gives its number."""
        ...

    def intend(self, run: int, seq: int) -> int:
        """Note that a step is about to be sent; gives the attempt's number. Durable when it returns."""
        ...

    def answered(self, run: int, seq: int, attempt: int, outcome: str) -> None:
        """Note what one attempt came to."""
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
        """Close a step and, in the same transaction, note what is owned or gone because of it."""
        ...

    def ready(self, run: int, seq: int, readiness: str) -> None:
        """Note the result of waiting for a step's object."""
        ...

    def finish(self, run: int, outcome: str) -> None:
        """Close a run."""
        ...

    def owned(self, scope: str) -> dict[Ref, OwnedObject]:
        """What a stack owns, as far as the ledger knows."""
        ...

    def open_steps(self, scope: str) -> list[OpenStep]:
        """Steps that may have been sent in runs that were never closed."""
        ...

    def unfinished_runs(self, scope: str) -> list[int]:
        """Runs that were never closed."""
        ...

    def runs(self, scope: str | None = None) -> list[RunRecord]:
        """Every run, the newest first."""
        ...

    def steps(self, run: int) -> list[StepRecord]:
        """The steps of a run in their order."""
        ...

    def attempts(self, run: int) -> list[AttemptRecord]:
        """The attempts of a run in their order."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...
