"""Plan: a bound on what an apply may do. It may do these changes, some of them or none, and never anything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from rsspot.errors import Problem
from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Change
from rsspot.planner.money import StackCost
from rsspot.planner.policy import PolicyResult

DRIFT = "drift"
"""The command of a report of drift, which is a plan that nobody applies."""


@dataclass(frozen=True)
class Leftover:
    """A live object of the stack that no manifest declares and that the plan leaves alone. A saved plan has no ref."""

    address: str
    ref: Ref | None = None


@dataclass(frozen=True)
class Pending:
    """A declared object that stays as it is and was not ready yet. note: how far it was."""

    address: str
    ref: Ref
    note: str


@dataclass(frozen=True, repr=False)
class Plan:
    """changes: in the order of their addresses · unchanged: how many declared objects stay as they are."""

    scope: str
    organization: str
    stack: str
    command: str
    changes: tuple[Change, ...]
    unchanged: int = 0
    pending: tuple[Pending, ...] = ()
    undeclared: tuple[Leftover, ...] = ()
    incomplete: Mapping[str, str] = field(default_factory=dict)
    """Kind -> why it could not be read; nothing of that kind is deleted."""
    refusals: tuple[Problem, ...] = ()
    """What guards object to. A plan with refusals cannot be applied."""
    drifted: tuple[Change, ...] = ()
    """Of a refresh and of a report of drift: what somebody else did since the last apply. In its edits, `after` is what
    is there now."""
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    profile: str | None = None
    """The profile that the Stack named."""
    ledger: str | None = None
    """The URL of the ledger that the Stack named."""
    lease: str | None = None
    """The live object that the Stack named to carry its lease."""
    target: tuple[str, ...] = ()
    """Globs over the addresses that the plan is about; all when there are none."""
    exclude: tuple[str, ...] = ()
    """Globs over the addresses that the plan is not about."""
    programs: Mapping[str, str] = field(default_factory=dict)
    """The programs that an apply would run: absolute path -> digest of the file."""
    found: tuple[Ref, ...] = ()
    """Objects whose origin was missing before and is listed again: for an apply to note. See `planner.absence`."""
    missing: tuple[Ref, ...] = ()
    """The same for objects whose origin is not listed."""
    policies: tuple[PolicyResult, ...] = ()
    """What came of each policy of the Stack. What denies the plan is a refusal, too."""
    cost: StackCost | None = None
    """What the stack costs before and after; None if nothing in it costs, or prices were not asked for."""

    def __repr__(self) -> str:
        # asyncio makes the repr of each result that `asyncio.run` returns, and never shows it.
        return f"<Plan of {self.scope}: {len(self.changes)} changes>"

    @property
    def empty(self) -> bool:
        return not self.changes

    @property
    def complete(self) -> bool:
        """Whether it is about everything that the stack has."""
        return not self.incomplete and not self.partial

    @property
    def partial(self) -> bool:
        """Whether only some objects were asked for."""
        return bool(self.target or self.exclude)

    @property
    def summary(self) -> dict[str, int]:
        """How many objects each action is for; every action is a key."""
        counts = Counter(change.action for change in self.changes)
        return {action.value: counts[action] for action in Action} | {
            "drift": sum(change.drift for change in self.changes) + len(self.drifted),
            "unchanged": self.unchanged,
        }
