"""Decodes JSON as a server written in Go does: numbers, and structs with the types of their fields."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

INT64 = 1 << 63
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_LAYOUT = "2006-01-02T15:04:05Z07:00"
_JSON_TYPES = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}


def parsed(text: str | bytes, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """Parse JSON. Raises ValueError. pairs: makes a value of the pairs of an object, if not a dict"""
    try:
        return json.loads(
            text, parse_int=_integer, parse_float=_number, parse_constant=_constant, object_pairs_hook=pairs
        )
    except RecursionError:
        raise ValueError("exceeded max depth") from None


def _integer(text: str) -> int | float:
    """An integer beyond 64 bits is a floating-point number, of which no schema says that it is an integer."""
    value = int(text) if len(text) < 25 else INT64
    return value if -INT64 <= value < INT64 else _number(text)


def _number(text: str) -> int | float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"json: cannot unmarshal number {text} into Go value of type float64")
    return int(value) if value.is_integer() and abs(value) < INT64 else value


def _constant(text: str) -> Any:
    """Python reads NaN and Infinity, which are not JSON."""
    raise ValueError(f"invalid character '{text.lstrip('-')[0]}' looking for beginning of value")


class Mismatch(Exception):
    """A value that is not of the type of its field."""

    @classmethod
    def of(cls, value: Any, field: str, wanted: str) -> Mismatch:
        """The mismatch in the words of Go. field: the struct and the path of the field in it"""
        detail = f" {value}" if wanted == "int64" and isinstance(value, float) else ""
        kind = f"{_JSON_TYPES[type(value)]}{detail}"
        where = f"Go struct field {field}" if "." in field else "Go value"
        return cls(f"json: cannot unmarshal {kind} into {where} of type {wanted}")


@dataclass(frozen=True)
class Scalar:
    """A text, a number or a truth value. zero: what null becomes in a map or a list"""

    name: str
    python: type
    zero: Any

    def decoded(self, value: Any, field: str) -> Any:
        if type(value) is not self.python:
            raise Mismatch.of(value, field, self.name)
        return value


@dataclass(frozen=True)
class Time:
    """A time in RFC 3339."""

    zero: Any = None

    def decoded(self, value: Any, field: str) -> Any:
        if not isinstance(value, str):
            raise Mismatch.of(value, field, "string")
        if not _TIME.fullmatch(value):
            raise Mismatch(f'parsing time "{value}" as "{_LAYOUT}": cannot parse "{value}" as "2006"')
        return value


@dataclass(frozen=True)
class Anything:
    """Any JSON value, kept as it is."""

    zero: Any = None

    def decoded(self, value: Any, _: str) -> Any:
        return value


@dataclass(frozen=True)
class Texts:
    """A map of strings."""

    zero: Any = None

    def decoded(self, value: Any, field: str) -> Any:
        if not isinstance(value, dict):
            raise Mismatch.of(value, field, "map[string]string")
        return {key: "" if inner is None else TEXT.decoded(inner, field) for key, inner in value.items()}


@dataclass(frozen=True)
class ListOf:
    """A list. name: the Go type of an item"""

    item: Any
    name: str

    zero = None

    def decoded(self, value: Any, field: str) -> Any:
        if not isinstance(value, list):
            raise Mismatch.of(value, field, f"[]{self.name}")
        return [self.item.zero if each is None else self.item.decoded(each, field) for each in value]


@dataclass(frozen=True)
class Struct:
    """A Go struct. fields: by JSON name · always: the fields that are written even if they are empty"""

    name: str
    qualified: str
    fields: dict[str, Any]
    always: tuple[str, ...] = ()

    @property
    def zero(self) -> dict[str, Any]:
        return {key: self.fields[key].zero for key in self.always}

    def decoded(self, value: Any, field: str = "") -> Any:
        """The known fields that are not null. Raises Mismatch."""
        if not isinstance(value, dict):
            raise Mismatch.of(value, field, self.qualified)
        path = f"{field.partition('.')[2]}." if field else ""
        given = {key: inner for key, inner in value.items() if key in self.fields and inner is not None}
        found = {key: self.fields[key].decoded(inner, f"{self.name}.{path}{key}") for key, inner in given.items()}
        return {**self.zero, **found}

    def unknown(self, value: Any, path: str) -> Iterator[str]:
        """Yield the paths of the fields that the struct lacks."""
        for key, inner in value.items() if isinstance(value, dict) else ():
            if key not in self.fields:
                yield f"{path}.{key}"
            elif isinstance(self.fields[key], ListOf) and isinstance(self.fields[key].item, Struct):
                for index, item in enumerate(inner or ()):
                    yield from self.fields[key].item.unknown(item, f"{path}.{key}[{index}]")


TEXT = Scalar("string", str, "")
UID = Scalar("types.UID", str, "")
WHOLE = Scalar("int64", int, 0)
TRUTH = Scalar("bool", bool, False)
