"""PlanReport: what every format of a plan can do. Report: the same, and a run. FindingsReport: what is wrong alone.

Formats are listed in `registry`; none decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

from rsspot.applier.events import Event, Recap
from rsspot.errors import Problem
from rsspot.planner.plan import Plan


@dataclass(frozen=True)
class Traffic:
    """What a run cost. elapsed: seconds."""

    requests: int
    retries: int
    elapsed: float


class Detail(StrEnum):
    """How much of each change the formats for people show; the others always show everything."""

    COMPACT = "compact"
    NORMAL = "normal"
    FULL = "full"


class PlanReport(Protocol):
    """One format of a plan. Each method gives text to print, without a newline at its end."""

    verbose: bool
    """Whether to show more than what changes, where the format leaves that out."""
    detail: Detail

    def plan(self, plan: Plan) -> str:
        """The whole plan, with its secrets masked."""
        ...


class Report(PlanReport, Protocol):
    """One format of a plan and of a run."""

    def event(self, event: Event, elapsed: float) -> str | None:
        """One event of a run; None for one that this format leaves out. elapsed: seconds since the run began."""
        ...

    def recap(self, recap: Recap, traffic: Traffic) -> str:
        """The end of a run: the last thing that is printed."""
        ...


class FindingsReport(Protocol):
    """One format of what is wrong with manifests, for programs that show it beside their lines.

    commands: whether each line is a command to the runner of a workflow
    """

    commands: ClassVar[bool]

    def findings(self, problems: Sequence[Problem]) -> str:
        """Every finding, without a newline at the end; what an empty list means, the format says."""
        ...
