"""Changes in as much detail as there is room for: with their fields, as one line each, or as names. Knows no format."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rsspot.planner.change import Change
from rsspot.utils.text import printable

Form = Callable[[Change], Iterable[str]]
"""One way to show a change, as lines."""
ROOM_FOR_REST = 400
"""For the line about what is not named."""


@dataclass(frozen=True)
class FittedLines:
    """Lines that fit, and how many changes have none of their own."""

    lines: tuple[str, ...]
    unnamed: int = 0


def fitted(changes: Sequence[Change], room: int, forms: Sequence[Form]) -> FittedLines:
    """All changes in the first form in which they fit; or else as many as fit, in the last one. room: characters"""
    *better, last = forms
    for form in better:
        lines, shown = _as_many_as_fit(changes, room, form)
        if shown == len(changes):
            return FittedLines(tuple(lines))
    lines, shown = _as_many_as_fit(changes, room, last)
    return FittedLines(tuple(lines), len(changes) - shown)


def named(changes: Sequence[Change], room: int, forms: Sequence[Form]) -> FittedLines:
    """The same for changes that all have to be seen: before one is left out, they are listed by name alone."""
    found = fitted(changes, room, forms)
    return found if not found.unnamed else _names(changes, room)


def _as_many_as_fit(changes: Sequence[Change], room: int, form: Form) -> tuple[list[str], int]:
    lines: list[str] = []
    for index, change in enumerate(changes):
        added = list(form(change))
        room -= sum(len(line) + 1 for line in added)
        if room < 0:
            return lines, index
        lines += added
    return lines, len(changes)


def _names(changes: Sequence[Change], room: int) -> FittedLines:
    """A line for each place, `- delete spotnodepool/edge/: a, b, c`; then a count of what has no room."""
    places: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        places[f"- {change.action.value} {printable(change.address.rpartition('/')[0])}/: "].append(change)
    lines: list[str] = []
    rest: list[Change] = []
    room -= ROOM_FOR_REST
    for place, of_place in places.items():
        names, left_out = _that_fit([*of_place], room - len(place))
        if names:
            lines.append(place + ", ".join(names))
            room -= len(lines[-1]) + 1
        rest += left_out
    return FittedLines((*lines, _rest(rest)) if rest else tuple(lines), len(rest))


def _that_fit(changes: list[Change], room: int) -> tuple[list[str], list[Change]]:
    names: list[str] = []
    for index, change in enumerate(changes):
        name = printable(change.address.rpartition("/")[2])
        room -= len(name) + 2
        if room < 0:
            return names, changes[index:]
        names.append(name)
    return names, []


def _rest(changes: Iterable[Change]) -> str:
    counted = Counter((change.action.value, change.ref.kind) for change in changes)
    told = [f"{count} {printable(kind)} to {action}" for (action, kind), count in counted.most_common(6)]
    return f"- and {sum(counted.values())} more: {', '.join(told)}"[:ROOM_FOR_REST]
