"""How to apply: what to wait for, how many steps at a time, and the wish to stop. Waits for nothing itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from rsspot.applier.events import RunOutcome
from rsspot.errors import Cancelled
from rsspot.resources.kind import Phase
from rsspot.resources.waiting import STEP_SECONDS, WAIT_SECONDS

PARALLEL = 8
"""Steps at a time, unless the user says otherwise."""
GRACE = 20.0
"""Seconds that requests under way are given when a run is to stop."""


class WaitMode(StrEnum):
    """When a step counts as finished."""

    READY = "ready"
    """Its object is ready, or gone."""
    ACCEPTED = "accepted"
    """The service accepted the write; deletions are waited for."""
    NONE = "none"
    """The service accepted the write."""


class CancelToken:
    """A wish to stop, in two grades: start no further write; and do not wait for those under way either.

    What is under way is finished and recorded; what is abandoned is recorded as unknown, and the next run looks it up.
    """

    def __init__(self) -> None:
        self.asked = self.abandoned = False
        self.outcome = RunOutcome.CANCELLED
        self._listeners: list[Callable[[], None]] = []

    def ask(self, outcome: RunOutcome | str = RunOutcome.CANCELLED) -> None:
        """Stop soon.

        outcome: CANCELLED by a person or signal, DEADLINE, or UNKNOWN for a service that answers no more. The first
        wish counts.
        """
        if not self.asked:
            self.asked, self.outcome = True, RunOutcome(outcome)
            self._tell()

    def abandon(self) -> None:
        """Stop at once."""
        self.ask()
        if not self.abandoned:
            self.abandoned = True
            self._tell()

    def listen(self, heard: Callable[[], None]) -> None:
        """Call this now if a stop was asked for already, and whenever one is."""
        self._listeners.append(heard)
        if self.asked:
            heard()

    @property
    def is_heard(self) -> bool:
        """Whether a run is under way that ends by itself once it is asked to."""
        return bool(self._listeners)

    def check(self) -> None:
        """Raise Cancelled once a stop was asked for."""
        if self.asked:
            raise Cancelled("stopped before the next change", hint="run the same command again to go on")

    def _tell(self) -> None:
        for heard in self._listeners:
            heard()


@dataclass(frozen=True)
class ApplyOptions:
    """How to apply a plan. Times are in seconds; deadline counts from the start of the apply."""

    wait: WaitMode | str = WaitMode.READY
    wait_for: Phase | str = Phase.READY
    """How far an object has to be, where it is waited for."""
    wait_timeout: float = WAIT_SECONDS
    step_timeout: float = STEP_SECONDS
    """After which a write that failed is not sent once more."""
    parallel: int = PARALLEL
    fail_fast: bool = False
    """Whether no further step begins once one has failed."""
    deadline: float | None = None
    """When no further write may start."""
    grace: float = GRACE
    """How long requests under way are waited for once a stop was asked for."""
    stop: CancelToken = field(default_factory=CancelToken)
