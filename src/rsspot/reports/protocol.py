"""Report: what every format of a plan and of a run can do. Formats are listed in `registry`; none decides anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rsspot.applier.events import Event, Recap
from rsspot.planner.plan import Plan


@dataclass(frozen=True)
class Traffic:
    """What a run cost. elapsed: seconds."""

    requests: int
    retries: int
    elapsed: float


class Report(Protocol):
    """One format. Each method gives text to print, without a newline at its end."""

    verbose: bool
    """Whether to show more than what changes, where the format leaves that out."""

    def plan(self, plan: Plan) -> str:
        """The whole plan, with its secrets masked."""
        ...

    def event(self, event: Event, elapsed: float) -> str | None:
        """One event of a run; None for one that this format leaves out. elapsed: seconds since the run began."""
        ...

    def recap(self, recap: Recap, traffic: Traffic) -> str:
        """The end of a run: the last thing that is printed."""
        ...
