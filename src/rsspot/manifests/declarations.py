"""Declarations of variables: which values a variable may have, and how a text becomes one. Knows no files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from rsspot.models.authoring import Truth, one_of
from rsspot.models.resource import Model
from rsspot.utils.reading import parse_json
from rsspot.utils.text import closest

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(?:[eE][-+]?[0-9]{1,2})?")
_WORDS = {"true": True, "false": False}
SCALARS = (str, int, float, bool)


@dataclass(frozen=True)
class VariableType:
    """A type. holds: whether a value is of it · read: makes one of a text, or raises ValueError"""

    holds: Callable[[Any], bool]
    read: Callable[[str], Any]
    rule: str


def _number(text: str) -> int | float:
    if _INTEGER.fullmatch(text):
        return int(text)
    if not _NUMBER.fullmatch(text):
        raise ValueError
    return float(text)


def _boolean(text: str) -> bool:
    if text not in _WORDS:
        raise ValueError
    return _WORDS[text]


def _list(text: str) -> list[Any]:
    """The items of `a,b`, or of a JSON array."""
    if text.startswith("["):
        items: list[Any] = parse_json(text)
        return items
    return [item.strip() for item in text.split(",")] if text else []


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, SCALARS) for item in value)


TYPES = {
    "string": VariableType(lambda value: isinstance(value, str), str, "must be a string"),
    "number": VariableType(_is_number, _number, "must be a number"),
    "boolean": VariableType(lambda value: isinstance(value, bool), _boolean, "must be true or false"),
    "list": VariableType(_is_list, _list, 'must be a list of plain values, on a command line a,b or ["a", "b"]'),
}


class Declaration(Model):
    """A variable with rules for its value. Any other value, alone, is the default of a variable without rules."""

    type: Annotated[str, one_of(*TYPES)] = "string"
    """Type of the value."""
    default: Any = None
    """Value if none is given."""
    required: Truth = False
    """Whether a value has to be given."""
    allowed: list[Any] | None = None
    """The values that the variable may have; for a list, that each of its items may have."""
    description: str | None = None
    """What the variable is for."""


KEYS = frozenset(Declaration.model_fields)


def is_declaration(value: Any) -> bool:
    """Whether a value in `variables` declares a variable, and is not its default."""
    return isinstance(value, dict) and bool(value) and (KEYS.issuperset(value) or _is_mistyped(value))


def _is_mistyped(value: Mapping[str, Any]) -> bool:
    """Whether a mapping names a type, and its other keys are nearly those of a declaration."""
    unknown = [key for key in value if key not in KEYS]
    return value.get("type") in (*TYPES,) and all(closest(key, KEYS) for key in unknown)


def as_declared(declaration: Declaration, value: Any, *, text: bool) -> Any:
    """A value of the declared type. text: whether a text stands for a value of any type, as on a command line

    Raises ValueError with a clause that quotes no value.
    """
    type_ = TYPES[declaration.type]
    try:
        fitting = type_.read(value) if text and isinstance(value, str) else value
    except ValueError:
        raise ValueError(type_.rule) from None
    if not type_.holds(fitting):
        raise ValueError(type_.rule)
    if declaration.allowed is not None and not _is_allowed(fitting, declaration.allowed):
        names = ", ".join(map(_word, declaration.allowed))
        each = "each item must be" if isinstance(fitting, list) else "must be"
        raise ValueError(f"{each} one of: {names}" if names else "no value is allowed")
    return fitting


def _is_allowed(value: Any, allowed: list[Any]) -> bool:
    items = value if isinstance(value, list) else [value]
    return all(any(_same(item, each) for each in allowed) for item in items)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal and no number is taken for a truth value."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
