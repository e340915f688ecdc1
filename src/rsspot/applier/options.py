"""How to apply: what to wait for, how many steps at a time, and the wish to stop. Waits for nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from rsspot.applier.events import RunOutcome
from rsspot.errors import Cancelled
from rsspot.resources.waiting import WAIT_SECONDS

PARALLEL = 8
"""Steps at a time, unless the user says otherwise."""


class WaitMode(StrEnum):
    """When a step counts as finished."""

    READY = "ready"
    """Its object is ready, or gone."""
    ACCEPTED = "accepted"
    """The service accepted the write; deletions are waited for."""
    NONE = "none"
    """The service accepted the write."""


class CancelToken:
    """A wish to stop: no further write starts. What is under way is finished and recorded."""

    def __init__(self) -> None:
        self.asked = False
        self.outcome = RunOutcome.CANCELLED

    def ask(self, outcome: RunOutcome | str = RunOutcome.CANCELLED) -> None:
        """Stop soon. outcome: CANCELLED by a person or signal, or DEADLINE. The first wish counts."""
        if not self.asked:
            self.asked, self.outcome = True, RunOutcome(outcome)

    def check(self) -> None:
        """Raise Cancelled once a stop was asked for."""
        if self.asked:
            raise Cancelled("stopped before the next change", hint="run the same command again to go on")


@dataclass(frozen=True)
class ApplyOptions:
    """How to apply a plan. Times are in seconds; deadline counts from the start of the apply."""

    wait: WaitMode | str = WaitMode.READY
    wait_timeout: float = WAIT_SECONDS
    parallel: int = PARALLEL
    deadline: float | None = None
    """When no further write may start."""
    stop: CancelToken = field(default_factory=CancelToken)
