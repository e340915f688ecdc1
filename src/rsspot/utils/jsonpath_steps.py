"""The steps of JSONPath expressions: what each finds in a list of values, and how what is left is printed."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Sequence
from typing import Any

Step = Callable[[list[Any]], list[Any]]
"""What one part of an expression does with the values that the part before it found."""
COMPARE = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_IN_JSON = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
"""What the JSON encoder of Go escapes besides."""


class JSONPathError(ValueError):
    """A template that cannot be read, or that does not fit the values."""


def walk(steps: Sequence[Step], values: list[Any]) -> list[Any]:
    """What is left of some values after all steps."""
    for step in steps:
        values = step(values)
    return values


def constant(value: Any) -> Step:
    """A value that stands in the template itself."""
    return lambda values: [value]


def member(name: str) -> Step:
    """The member of this name of each map that has one."""
    return lambda values: [each[name] for each in values if isinstance(each, dict) and name in each]


def children(values: list[Any]) -> list[Any]:
    """Every member of each map, and every item of each list."""
    return [inner for each in values for inner in _inside(each)]


def descend(values: list[Any]) -> list[Any]:
    """Every value that has others inside, each followed by what a descent into these finds."""
    found = []
    for each in values:
        if inner := _inside(each):
            found += [each, *descend(inner)]
    return found


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def union(several: list[list[Step]]) -> Step:
    """What each of several ways finds, one after the other."""
    return lambda values: [found for steps in several for found in walk(steps, values)]


def part_of(first: Any, last: Any, stride: Any) -> Step:
    """A part of each list. A number is missing if it is None, and left open if it is an empty text."""

    def step(values: list[Any]) -> list[Any]:
        return [each for value in values if value is not None for each in _sliced(as_list(value), first, last, stride)]

    return step


def _sliced(items: list[Any], first: Any, last: Any, stride: Any) -> list[Any]:
    length = len(items)
    start = first or 0
    end = length if last == "" or (last is None and start == -1) else start + 1 if last is None else last
    start, end = (start + length if start < 0 else start), (end + length if end < 0 else end)
    if start == end:
        return []
    for index, bound in ((start, length - 1), (end - 1, length - 1)):
        if not 0 <= index <= bound:
            raise JSONPathError(f"array index out of bounds: index {index}, length {length}")
    if start > end:
        raise JSONPathError(f"starting index {start} is greater than ending index {end}")
    if stride not in (None, "") and stride <= 0:
        raise JSONPathError("step must be > 0")
    return items[start : end : stride or 1]


def as_list(value: Any) -> list[Any]:
    """A value that has to be a list."""
    if not isinstance(value, list):
        raise JSONPathError(f"{'a map' if isinstance(value, dict) else printed(value)} is not array or slice")
    return value


def compared(sign: str, left: Any, right: Any) -> bool:
    """Whether a comparison holds. Only values of one type can be compared, and only numbers and texts have an order."""
    numbers = [isinstance(each, int | float) and not isinstance(each, bool) for each in (left, right)]
    if not all(numbers) and type(left) is not type(right):
        raise JSONPathError("incompatible types for comparison")
    if not all(numbers) and not isinstance(left, str) and (sign not in ("==", "!=") or not isinstance(left, bool)):
        raise JSONPathError("invalid type for comparison")
    return bool(COMPARE[sign](left, right))


def printed(value: Any) -> str:
    """A value as kubectl prints it: texts as they are, everything else as JSON with sorted keys."""
    if isinstance(value, str):
        return value
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return text.translate(_IN_JSON)
