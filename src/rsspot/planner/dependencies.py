"""Dependencies: what authors say has to be ready first, as addresses of declared objects. Knows no order of steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rsspot.constants import DEPENDS_ON_ANNOTATION
from rsspot.errors import Problem
from rsspot.manifests.manifest import Manifest
from rsspot.planner.case import Rule
from rsspot.planner.change import REMOVALS
from rsspot.planner.draft import Draft, PlanContext
from rsspot.utils.text import did_you_mean

ANNOTATION = ("metadata", "annotations", DEPENDS_ON_ANNOTATION)


def link(draft: Draft, context: PlanContext) -> Draft:
    """Give each change of a declared object the addresses of the objects that come first."""
    addresses = [match.manifest.address for match in draft.matches]
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


def _resolved(manifest: Manifest, addresses: Sequence[str], problems: list[Problem]) -> Iterator[str]:
    """The addresses that the names in a manifest stand for: an address, or the last parts of one."""
    for name in manifest.lifecycle.depends_on:
        found = [name] if name in addresses else [each for each in addresses if each.endswith(f"/{name}")]
        if len(found) == 1:
            yield found[0]
            continue
        message = f"{manifest.address} depends on {name!r}, which "
        message += f"may be {len(found)} of the declared objects" if found else "is not declared"
        hint = f"use one of: {', '.join(found)}" if found else did_you_mean(name, addresses)
        hint = hint or f"declared: {', '.join(sorted(addresses))}"
        problems.append(Problem(message, manifest.where(*ANNOTATION), hint, Rule.DEPENDENCY))
