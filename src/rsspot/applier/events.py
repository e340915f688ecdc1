"""The events of an apply, as values. The listener decides what to show."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from rsspot.state.ledger.protocol import StepState


class RunOutcome(StrEnum):
    """How a run can end, and the exit code of each."""

    OK = "ok"
    FAILED = "failed"
    UNAUTHENTICATED = "unauthenticated"
    STALE = "stale"
    PARTIAL = "partial"
    CANCELLED = "cancelled"
    DEADLINE = "deadline"
    LOCKED = "locked"
    UNKNOWN = "unknown"

    @property
    def exit_code(self) -> int:
        """What a command that ran this ends with."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    RunOutcome.OK: 0,
    RunOutcome.FAILED: 1,
    RunOutcome.UNAUTHENTICATED: 4,
    RunOutcome.STALE: 6,
    RunOutcome.PARTIAL: 7,
    RunOutcome.CANCELLED: 8,
    RunOutcome.DEADLINE: 9,
    RunOutcome.LOCKED: 10,
    RunOutcome.UNKNOWN: 11,
}


@dataclass(frozen=True)
class Event:
    """Anything that happened."""


@dataclass(frozen=True)
class RunStarted(Event):
    """run: its number in the ledger · steps: how many things there are to do."""

    run: int
    steps: int


@dataclass(frozen=True)
class Settled(Event):
    """A step that an earlier, killed run left open was looked up and closed."""

    address: str
    detail: str


@dataclass(frozen=True)
class StepStarted(Event):
    """A step's request is about to be sent."""

    address: str
    verb: str


@dataclass(frozen=True)
class Waiting(Event):
    """A step's object is not ready yet; `note` says how far it is."""

    address: str
    phase: str
    note: str


@dataclass(frozen=True)
class StepEnded(Event):
    """A step is closed."""

    address: str
    verb: str
    state: StepState
    readiness: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Recap(Event):
    """The end of a run, with its counts in the order of a recap line.

    resent: writes that were sent once more · reasons: everything that kept it from being a success, worst first
    """

    run: int
    counts: dict[str, int] = field(default_factory=dict)
    outcome: RunOutcome = RunOutcome.OK
    resent: int = 0
    reasons: tuple[RunOutcome, ...] = ()

    @property
    def exit_code(self) -> int:
        """What a command that ran this ends with."""
        return self.outcome.exit_code
