"""The comments of a YAML text: which lines they are, and where they belong once the text has another indentation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from rsspot.manifests.formatting.round_trip import NotFormattable
from rsspot.utils.yaml_scalars import Loader


@dataclass(frozen=True)
class TextLines:
    """The lines of a text. inside: those that continue a scalar or a flow collection, which have no indentation"""

    lines: tuple[str, ...]
    inside: frozenset[int]

    @classmethod
    def of(cls, text: str) -> TextLines:
        """Read the lines of a text that is valid YAML."""
        inside: set[int] = set()
        opened: list[int] = []
        for token in yaml.scan(text, Loader):
            first, last = token.start_mark, token.end_mark
            if isinstance(token, yaml.ScalarToken):
                # A block ends where the next token begins, anything else on its last line.
                inside.update(range(first.line + 1, last.line + (last.column > 0)))
            elif isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
                opened.append(first.line)
            elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken):
                inside.update(range(opened.pop() + 1, last.line + 1))
        return cls(tuple(text.splitlines()), frozenset(inside))

    def is_blank(self, number: int) -> bool:
        """Whether a line is empty and continues nothing."""
        return number not in self.inside and not self.lines[number].strip()

    def is_comment(self, number: int) -> bool:
        """Whether a line holds a comment and nothing else."""
        return number not in self.inside and self.lines[number].lstrip().startswith("#")

    def is_content(self, number: int) -> bool:
        """Whether an entry of a mapping or list begins on a line."""
        return number not in self.inside and not self.is_blank(number) and not self.is_comment(number)

    def comments(self) -> list[int]:
        """The lines that hold a comment and nothing else."""
        return [number for number in range(len(self.lines)) if self.is_comment(number)]


def depth(line: str) -> int:
    """How far a line is indented."""
    return len(line) - len(line.lstrip(" "))


def comments_of(text: str) -> list[str]:
    """Every comment of a text, sorted: the same before and after it was laid out."""
    lines = TextLines.of(text)
    alone = (lines.lines[number].strip() for number in lines.comments())
    return sorted([*alone, *(lines.lines[each.line][each.start :].strip() for each in _trailing(text, lines))])


@dataclass(frozen=True)
class Trailing:
    """A comment behind something else. end: the column after that · start: the column of the comment"""

    line: int
    end: int
    start: int


def _trailing(text: str, lines: TextLines) -> list[Trailing]:
    """The comments that stand behind something else, in order."""
    ends: dict[int, int] = {}
    for token in yaml.scan(text, Loader):
        # A block begins behind the comment, so what stands before it counts.
        is_block = isinstance(token, yaml.ScalarToken) and token.style in ("|", ">")
        mark = token.start_mark if is_block else token.end_mark
        ends[mark.line] = max(ends.get(mark.line, 0), mark.column)
    found = (Trailing(number, end, lines.lines[number].find("#", end)) for number, end in _within(ends, lines))
    return [each for each in found if each.start >= 0 and not lines.is_comment(each.line)]


def _within(ends: dict[int, int], lines: TextLines) -> Iterator[tuple[int, int]]:
    for number, column in sorted(ends.items()):
        # The end of the document may be marked on a line that is none.
        if column and number < len(lines.lines):
            yield number, column


def realigned(before: str, after: str) -> str:
    """A text that was indented anew, with each comment at the depth of what it stood with. Raises NotFormattable."""
    old, new = TextLines.of(before), TextLines.of(after)
    if len(old.comments()) != len(new.comments()):
        raise NotFormattable("comments were lost")
    lines = list(new.lines)
    _keep_gaps(_trailing(before, old), _trailing(after, new), old, lines)
    places = [_place(depth(old.lines[number]), around) for number, around in _around(old)]
    for place, (number, around) in zip(places, _around(new), strict=True):
        lines[number] = " " * _depth_of(place, around) + lines[number].strip()
    return "".join(f"{line}\n" for line in lines)


def _keep_gaps(was: list[Trailing], now: list[Trailing], old: TextLines, lines: list[str]) -> None:
    """Let each comment behind something stand as far from it as before."""
    if len(was) != len(now):
        raise NotFormattable("comments were lost")
    for before, after in zip(was, now, strict=True):
        gap, line = old.lines[before.line][before.end : before.start], lines[after.line]
        if not gap.strip() and not line[after.end : after.start].strip():
            lines[after.line] = line[: after.end] + gap + line[after.start :]


@dataclass(frozen=True)
class Around:
    """What is around a comment. open: the depths of the mappings and lists it is in · below: that of the next entry"""

    open: tuple[int, ...]
    below: int | None


def _place(column: int, around: Around) -> int | None:
    """What a comment stands with: None for the entry below it, or how many levels above the entry before it."""
    if column == around.below:
        return None
    if column not in around.open and around.below is not None and column < around.below:
        return None
    fitting = [index for index, level in enumerate(around.open) if level <= column]
    return len(around.open) - 1 - (fitting[-1] if fitting else 0)


def _depth_of(place: int | None, around: Around) -> int:
    if place is None:
        return around.below or 0
    return around.open[max(0, len(around.open) - 1 - place)]


def _around(lines: TextLines) -> list[tuple[int, Around]]:
    """Each comment, and what is around it."""
    below = _depths_below(lines)
    return [(number, Around(levels, below[number])) for number, levels in _open_levels(lines)]


def _depths_below(lines: TextLines) -> dict[int, int | None]:
    """Each line, and the depth of the first entry below it."""
    found: dict[int, int | None] = {}
    below = None
    for number in reversed(range(len(lines.lines))):
        found[number] = below
        below = depth(lines.lines[number]) if lines.is_content(number) else below
    return found


def _open_levels(lines: TextLines) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Each comment, with the depths of the mappings and lists that are open where it stands."""
    levels: tuple[int, ...] = (0,)
    for number, line in enumerate(lines.lines):
        if lines.is_comment(number):
            yield number, levels
        elif lines.is_content(number):
            column = depth(line)
            levels = (*(level for level in levels if level < column), column, *_dashes(line))


def _dashes(line: str) -> Iterator[int]:
    """The depths that the dashes on a line open: `- - a` opens two."""
    column = depth(line)
    while line[column:].startswith("- "):
        column += 2 + depth(line[column + 2 :])
        yield column
