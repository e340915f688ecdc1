"""The changes of a plan by what they belong to: a cloudspace and all that lives in it. Renders nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from rsspot.planner.change import Change
from rsspot.reports.wording import SEQUENCE


@dataclass(frozen=True)
class ChangeGroup:
    """The changes of one object without a parent, and of all that lives in it, those that destroy last.

    address: empty for objects of which nothing else changes, which are a group together
    """

    address: str
    changes: tuple[Change, ...]

    @property
    def destructive(self) -> bool:
        """Whether something in it will be gone."""
        return any(change.destructive for change in self.changes)


def in_order(changes: Iterable[Change]) -> list[Change]:
    """Changes as people read them: destructive ones last, next to the summary."""
    return sorted(changes, key=lambda each: (SEQUENCE.index(each.action), each.address))


def groups_of(changes: Iterable[Change]) -> list[ChangeGroup]:
    """The changes by group; groups in which something will be gone come last."""
    found: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        found[change.parent or change.address].append(change)
    alone = [address for address, (first, *others) in found.items() if first.address == address and not others]
    found[""] = [change for address in alone for change in found.pop(address)]
    groups = [ChangeGroup(address, tuple(in_order(of))) for address, of in found.items() if of]
    return sorted(groups, key=lambda group: (group.destructive, group.address))
