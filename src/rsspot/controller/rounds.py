"""One round of a controller: what it is told, and what became of it. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rsspot.applier.events import Recap
from rsspot.errors import Problem, RsspotError
from rsspot.manifests.manifest import ManifestSet
from rsspot.planner.plan import Plan

ROUND_FORMAT = "rsspot.round/1"


class RoundOutcome(StrEnum):
    """How a round can end."""

    IN_SYNC = "in-sync"
    """Everything is as the manifests say."""
    OUT_OF_SYNC = "out-of-sync"
    """Something differs, and the controller only looks."""
    APPLIED = "applied"
    """What differed was applied."""
    PAUSED = "paused"
    """Something differs, and the Stack says to leave it for now."""
    REFUSED = "refused"
    """A guard refuses the plan."""
    LOCKED = "locked"
    """Another run or a person keeps the stack."""
    STANDBY = "standby"
    """Another controller has the stack, and this one waits for its turn."""
    FAILED = "failed"
    """The manifests or the service could not be read, or a step of the run failed."""


TROUBLED = frozenset({RoundOutcome.REFUSED, RoundOutcome.FAILED})
"""What a person has to look at if it lasts."""


@dataclass(frozen=True)
class DesiredState:
    """What a source gives at the beginning of a round.

    revision: of the manifests, such as a commit; empty if they have none · stale: why it is not the newest one
    """

    manifests: ManifestSet
    revision: str = ""
    stale: str = ""


@dataclass(frozen=True)
class Round:
    """What became of one round. seconds: how long it took · wait: seconds until the next one begins."""

    number: int
    stack: str
    began: datetime
    outcome: RoundOutcome
    seconds: float = 0.0
    wait: float = 0.0
    declared: DesiredState | None = None
    plan: Plan | None = None
    recap: Recap | None = None
    error: RsspotError | None = field(default=None, compare=False)
    reason: str = ""
    """Why it is paused, refused, locked or failed, in a sentence."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the guards object to."""
        return self.plan.refusals if self.plan else ()

    @property
    def drifted(self) -> tuple[str, ...]:
        """The addresses of what somebody else changed."""
        return tuple(change.address for change in self.plan.changes if change.drift) if self.plan else ()
