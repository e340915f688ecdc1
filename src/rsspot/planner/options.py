"""PlanOptions: what the author of a run allows a plan to do. Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlanOptions:
    """prune: delete what no manifest declares · adopt: take over objects without a stack · destroy: delete the stack.

    most_deletes: a count · most_delete_percent: of what the stack owns
    allow_incomplete: kinds to plan without, by name, if their list cannot be read
    unread: documents that were passed over and may declare something
    target, exclude: globs over the addresses of the objects that the plan is about, and that it is not
    """

    prune: bool = False
    adopt: bool = False
    destroy: bool = False
    most_deletes: int | None = None
    most_delete_percent: int | None = None
    allow_incomplete: frozenset[str] = frozenset()
    unread: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def partial(self) -> bool:
        """Whether the plan is about some objects only."""
        return bool(self.target or self.exclude)
