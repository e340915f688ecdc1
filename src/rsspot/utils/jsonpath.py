"""JSONPath templates as `kubectl -o jsonpath` takes them: text, with expressions in braces. Imports nothing slow.

An expression walks from a list of values to the next one, a step at a time, and what is left is printed with a space
between. `{range …}` repeats what follows, up to its `{end}`, for each value. A field that is missing prints nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rsspot.utils.jsonpath_steps import (
    COMPARE,
    JSONPathError,
    Step,
    as_list,
    children,
    compared,
    constant,
    descend,
    member,
    part_of,
    printed,
    union,
    walk,
)

_ENDS = r"\s.,\[\]$@{}"
"""What ends a word."""
_FIELD = rf"(?:\\.|[^{_ENDS}\\])*"
_TOKEN = re.compile(
    rf"""(?P<filter>\[\?\()
    | \[(?P<brackets>[^\]\n]*)\]
    | (?P<recursive>\.\.)(?P<below>(?=\w){_FIELD})?
    | \.(?P<field>{_FIELD})
    | (?P<quoted>"(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*')
    | (?P<number>[-+0-9][0-9.]*)
    | (?P<word>\w[^{_ENDS}]*)
    | (?P<skipped>[ @$])""",
    re.VERBOSE,
)
_SLICE = re.compile(r"(-?\d*)(?::(-?\d*))?(?::(-?\d*))?")
_KEY = re.compile(r"'([^']*)'")
_FILTER_END = re.compile(r"""(?:"(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' | [^)"'\n])*\)""", re.VERBOSE)
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", '"': '"', "'": "'"}


class _Part(Protocol):
    def render(self, value: Any) -> str:
        """The text of this part of a template."""
        ...


@dataclass(frozen=True)
class _Text:
    text: str

    def render(self, value: Any) -> str:
        return self.text


@dataclass(frozen=True)
class _Expression:
    steps: Sequence[Step]

    def render(self, value: Any) -> str:
        return " ".join(map(printed, walk(self.steps, [value])))


@dataclass(frozen=True)
class Template:
    """A template, or the repeated part of one. steps: from the value outside to those that it is repeated for."""

    steps: Sequence[Step] = ()
    parts: list[_Part] = field(default_factory=list)

    def render(self, value: Any) -> str:
        """The text for a value made of mappings, lists, texts and numbers. Raises JSONPathError."""
        values = walk(self.steps, [value])
        return "".join(part.render(each) for each in values for part in self.parts)


def parse(source: str) -> Template:
    """Read a template. Raises JSONPathError."""
    opened, position = [Template()], 0
    while (brace := source.find("{", position)) >= 0:
        opened[-1].parts.append(_Text(source[position:brace]))
        expression = _Parser(source, brace + 1)
        position = expression.position
        if expression.keyword == "range":
            repeated = Template(expression.steps)
            opened[-1].parts.append(repeated)
            opened.append(repeated)
        elif expression.keyword == "end":
            if len(opened) == 1:
                raise JSONPathError("not in range, nothing to end")
            opened.pop()
        else:
            opened[-1].parts.append(_Expression(expression.steps))
    opened[-1].parts.append(_Text(source[position:]))
    return opened[0]


class _Parser:
    """Reads one expression, from after its opening brace. position: where the text after it begins."""

    def __init__(self, source: str, position: int = 0) -> None:
        self.source, self.position = source, position
        self.steps: list[Step] = []
        self.keyword: str | None = None
        while not source.startswith("}", self.position):
            self._read()
        self.position += 1

    def _read(self) -> None:
        found = _TOKEN.match(self.source, self.position)
        if found is None:
            raise JSONPathError(_complaint(self.source[self.position : self.position + 1]))
        self.position = found.end()
        groups = {name: text for name, text in found.groupdict().items() if text is not None}
        for name, text in groups.items():
            getattr(self, f"_{name}")(text)

    def _skipped(self, text: str) -> None:
        """A space, or `@` or `$`, which name the value that the expression begins with."""

    def _filter(self, text: str) -> None:
        end = _FILTER_END.match(self.source, self.position)
        if end is None:
            raise JSONPathError("unterminated filter")
        condition = self.source[self.position : end.end() - 1]
        if not self.source.startswith("]", end.end()):
            raise JSONPathError("unclosed array expect ]")
        self.position = end.end() + 1
        self.steps.append(_condition(condition))

    def _brackets(self, text: str) -> None:
        self.steps += _in_brackets(text)

    def _recursive(self, text: str) -> None:
        if self.steps and self.steps[-1] is descend:
            raise JSONPathError("invalid multiple recursive descent")
        self.steps.append(descend)

    def _below(self, text: str) -> None:
        self._field(text)

    def _field(self, text: str) -> None:
        self.steps.append(children if text == "*" else member(text.replace("\\", "")))

    def _quoted(self, text: str) -> None:
        self.steps.append(constant(_unquoted(text)))

    def _number(self, text: str) -> None:
        try:
            self.steps.append(constant(float(text) if "." in text else int(text)))
        except ValueError:
            raise JSONPathError(f"cannot parse number {text}") from None

    def _word(self, text: str) -> None:
        if text in ("true", "false"):
            self.steps.append(constant(text == "true"))
        elif text in ("range", "end"):
            self.keyword = text
        else:
            raise JSONPathError(f"unrecognized identifier {text}")


def _complaint(character: str) -> str:
    """Why no part of an expression can begin with this character."""
    if character in ("", "\n", "\r"):
        return "unclosed action"
    if character in "\"'":
        return "unterminated quoted string"
    return "unterminated array" if character == "[" else f"unrecognized character in action: {character!r}"


def _in_brackets(text: str) -> list[Step]:
    """The steps of `[0]`, `[1:3]`, `['key']`, `[*]`, and of several of these with commas between."""
    several = text.split(",")
    if len(several) > 1:
        return [union([_in_brackets(each.strip(" ")) for each in several])]
    if key := _KEY.fullmatch(text):
        return _steps(f".{key[1]}")
    numbers = _SLICE.fullmatch(":" if text == "*" else text)
    if numbers is None or "-" in numbers.groups():
        raise JSONPathError(f"invalid array index {text}")
    return [part_of(*(int(each) if each else each for each in numbers.groups()))]


def _steps(text: str) -> list[Step]:
    return _Parser(text + "}").steps


def _condition(text: str) -> Step:
    """A filter: the items of each list that have a value there, or whose value there compares as it says."""
    comparison = _COMPARISON.fullmatch(text)
    if comparison is None:
        there = _steps(text)
        return lambda values: [item for value in values for item in as_list(value) if walk(there, [item])]
    left, sign, right = _steps(comparison[1]), comparison[2], _steps(comparison[3])
    if sign not in COMPARE:
        raise JSONPathError(f"unrecognized filter operator {sign}")

    def holds(item: Any) -> bool:
        sides = [walk(steps, [item]) for steps in (left, right)]
        if any(len(side) > 1 for side in sides):
            raise JSONPathError("can only compare one element at a time")
        return all(sides) and compared(sign, sides[0][0], sides[1][0])

    return lambda values: [item for value in values for item in as_list(value) if holds(item)]


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(_character, text[1:-1])


def _character(found: re.Match[str]) -> str:
    escape = found[1]
    if len(escape) > 1:
        return chr(int(escape[1:], 16))
    if escape not in _ESCAPED:
        raise JSONPathError(f"invalid escape \\{escape}")
    return _ESCAPED[escape]
