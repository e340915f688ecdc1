"""What a stack costs before and after a plan, as values that add up exactly: objects, groups, the stack.

A group is an object without a parent, such as a cloudspace, and all that lives in it. Decides nothing, knows no kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from rsspot.models.costs import Cost, total


@dataclass(frozen=True)
class Shift:
    """What something costs before and after. None: it does not exist then."""

    before: Cost | None = None
    after: Cost | None = None

    @property
    def moves(self) -> bool:
        """Whether the two are different."""
        return self.before != self.after


def sum_of(shifts: Iterable[Shift]) -> Shift:
    """The sum of all; what does not exist costs nothing."""
    each = tuple(shifts)
    before, after = ([cost for cost in side if cost] for side in ([s.before for s in each], [s.after for s in each]))
    return Shift(total(before), total(after))


@dataclass(frozen=True)
class ObjectCost:
    """What one object costs."""

    address: str
    shift: Shift


@dataclass(frozen=True)
class GroupCost:
    """What an object and all that lives in it cost."""

    address: str
    objects: tuple[ObjectCost, ...]

    @cached_property
    def shift(self) -> Shift:
        """The sum over the objects."""
        return sum_of(each.shift for each in self.objects)


@dataclass(frozen=True)
class PlannedBid:
    """What an object bids for a server of a class before and after. before: None if it makes no bid yet."""

    address: str
    server_class: str
    before: Decimal | None
    after: Decimal


@dataclass(frozen=True)
class StackCost:
    """What a stack costs. Nothing of it decides what a plan does: prices move while a plan stays the same.

    unseen: what objects cost that could not be read · warnings: bids that are likely to lose, each with its numbers
    bids: what its objects bid · past: class -> the highest price of each recorded hour, oldest first; both are empty
    unless they were asked for
    """

    groups: tuple[GroupCost, ...]
    unseen: Shift = Shift()
    warnings: tuple[str, ...] = ()
    bids: tuple[PlannedBid, ...] = ()
    past: Mapping[str, tuple[Decimal, ...]] = field(default_factory=dict)

    @cached_property
    def shift(self) -> Shift:
        """The sum over the groups."""
        return sum_of((*(group.shift for group in self.groups), self.unseen))
