"""Selection: a plan of some objects only, chosen by globs over their addresses.

What cannot be left out comes along, or the plan is refused. An object that is to be created in another one needs that
one, and what its manifest says it depends on. Whatever lives in an object that is deleted or replaced goes down with
it. And an object that is replaced because its parent is cannot be replaced without that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase

from rsspot.errors import Problem
from rsspot.planner.case import Rule
from rsspot.planner.change import REMOVALS, Action, Change
from rsspot.planner.draft import Draft, PlanContext
from rsspot.utils.text import did_you_mean


def select(draft: Draft, context: PlanContext) -> Draft:
    """Keep the changes of the objects that were asked for."""
    options = context.options
    if not options.partial:
        return draft
    addresses = {change.address for change in draft.changes}
    chosen = {each for each in addresses if is_selected(each, options.target, options.exclude)}
    needed = _needed(draft.changes, chosen)
    kept = tuple(change for change in draft.changes if change.address in chosen | needed)
    notes = [f"{address} comes along: what was asked for needs it" for address in sorted(needed)]
    problems = [*_unknown(draft, context), *_torn_apart(draft.changes, chosen | needed)]
    left_out = draft.left_out | (addresses - chosen - needed)
    return replace(draft, changes=kept, left_out=left_out).add(notes=notes, problems=problems)


def is_selected(address: str, target: Iterable[str], exclude: Iterable[str]) -> bool:
    """Whether an object is asked for: it matches a target, if there are any, and nothing that is excluded."""
    targets = tuple(target)
    wanted = not targets or any(matches(each, address) for each in targets)
    return wanted and not any(matches(each, address) for each in exclude)


def matches(pattern: str, address: str) -> bool:
    """Whether a glob means an object: it matches the address, or its last parts, as in `edge/workers` and `workers`."""
    parts = address.split("/")
    return any(fnmatchcase("/".join(parts[start:]), pattern) for start in range(len(parts)))


def closest_ending(word: str, addresses: Iterable[str]) -> str | None:
    """A suggestion: the address that was meant, or the last parts of it."""
    endings = {"/".join(address.split("/")[start:]) for address in addresses for start in range(address.count("/") + 1)}
    return did_you_mean(word, endings)


def _needed(changes: Iterable[Change], chosen: set[str]) -> set[str]:
    """What has to come along: parents that are to be made, and what objects depend on by their manifests."""
    by_address = {change.address: change for change in changes if change.action not in REMOVALS}
    needed: set[str] = set()
    waiting = [by_address[address] for address in chosen & by_address.keys()]
    while waiting:
        change = waiting.pop()
        parent = by_address.get(change.parent or "")
        first = {*change.after, *({parent.address} if parent and parent.action is Action.CREATE else ())}
        for address in (first & by_address.keys()) - chosen - needed:
            needed.add(address)
            waiting.append(by_address[address])
    return needed


def _torn_apart(changes: Iterable[Change], kept: set[str]) -> Iterator[Problem]:
    """Each change that would be made without another one that belongs to it."""
    doomed = {change.address for change in changes if change.destructive and not change.surge}
    for change in changes:
        if change.parent not in doomed or (change.address in kept) == (change.parent in kept):
            continue
        inside, outside = sorted((change.address, change.parent or ""), key=lambda each: each not in kept)
        message = f"{inside} is selected and {outside} is not, and neither can go without the other"
        yield Problem(message, change.origin, "select both, or neither", Rule.SELECTION)


def _unknown(draft: Draft, context: PlanContext) -> Iterator[Problem]:
    """Each pattern that means nothing: a word mistyped would make a plan of other objects than was thought."""
    known = {match.manifest.address for match in draft.matches} | {change.address for change in draft.changes}
    known |= {leftover.address for leftover in draft.undeclared}
    for option, patterns in (("--target", context.options.target), ("--exclude", context.options.exclude)):
        for pattern in patterns:
            if not any(matches(pattern, address) for address in known):
                hint = closest_ending(pattern, known) or "see `rsspot plan` for the addresses"
                yield Problem(f"{option} {pattern!r} matches no object of the plan", None, hint, Rule.SELECTION)
