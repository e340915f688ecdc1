"""Dependencies: what authors say has to be ready first, as addresses of declared objects. Knows no order of steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

from rsspot.constants import DEPENDS_ON_ANNOTATION
from rsspot.errors import Problem
from rsspot.manifests.manifest import Manifest
from rsspot.planner.case import Rule
from rsspot.planner.change import REMOVALS
from rsspot.planner.draft import Draft, PlanContext
from rsspot.utils.text import did_you_mean, listed

ANNOTATION = ("metadata", "annotations", DEPENDS_ON_ANNOTATION)


def link(draft: Draft, context: PlanContext) -> Draft:
    """Give each change of a declared object the addresses of the objects that come first."""
    addresses = _Addresses(match.manifest.address for match in draft.matches)
    first: dict[str, tuple[str, ...]] = {}
    problems: list[Problem] = []
    for match in draft.matches:
        if match.manifest.lifecycle.depends_on:
            first[match.manifest.address] = tuple(_resolved(match.manifest, addresses, problems))
    changes = tuple(
        replace(change, after=first[change.address])
        if change.address in first and change.action not in REMOVALS
        else change
        for change in draft.changes
    )
    return replace(draft, changes=changes).add(problems=problems)


class _Addresses:
    """The addresses of all declared objects, found by the last parts of them."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self.all = tuple(addresses)

    @cached_property
    def _by_ending(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for address in self.all:
            parts = address.split("/")
            for start in range(1, len(parts)):
                found["/".join(parts[start:])].append(address)
        return found

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.all)

    def called(self, name: str) -> list[str]:
        """The objects that a name may mean: one by its address, or those whose addresses end with it."""
        return [name] if name in self._known else self._by_ending.get(name, [])


def _resolved(manifest: Manifest, addresses: _Addresses, problems: list[Problem]) -> Iterator[str]:
    """The addresses that the names in a manifest stand for: an address, or the last parts of one."""
    for name in manifest.lifecycle.depends_on:
        found = addresses.called(name)
        if len(found) == 1:
            yield found[0]
            continue
        message = f"{manifest.address} depends on {name!r}, which "
        message += f"may be {len(found)} of the declared objects" if found else "is not declared"
        hint = f"use one of: {listed(found)}" if found else did_you_mean(name, addresses.all)
        hint = hint or f"declared: {listed(sorted(addresses.all))}"
        problems.append(Problem(message, manifest.where(*ANNOTATION), hint, Rule.DEPENDENCY))
