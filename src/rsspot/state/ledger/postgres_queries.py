"""Queries and values as PostgreSQL takes them."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

MARK = re.compile(r"'(?:[^']|'')*'|\?|(?<![:\w]):([a-z_]+)|%")
"""A text in quotes, which stays as it is, or a parameter, or what psycopg would take for one."""
LARGEST = 2**63
NUL, SHOWN_NUL = "\0", "\N{SYMBOL FOR NULL}"


@functools.lru_cache(maxsize=256)
def translated(query: str) -> str:
    """A query with its parameters written as psycopg has them."""
    return MARK.sub(_mark, query)


def _mark(found: re.Match[str]) -> str:
    text = found[0]
    if text == "?":
        return "%s"
    if found[1]:
        return f"%({found[1]})s"
    return text.replace("%", "%%")


def values(parameters: Any) -> Any:
    """Parameters as they can be stored: PostgreSQL knows no text with a NUL in it, which a service may answer with.

    Raises OverflowError for a number that is too large, as SQLite does.
    """
    if isinstance(parameters, Mapping):
        return {name: _value(value) for name, value in parameters.items()}
    return tuple(map(_value, parameters))


def all_values(rows: Iterable[Any]) -> list[Any]:
    """The parameters of many rows."""
    return [values(row) for row in rows]


def _value(value: Any) -> Any:
    if isinstance(value, int) and not -LARGEST <= value < LARGEST:
        raise OverflowError(f"{value} is too large")
    return value.replace(NUL, SHOWN_NUL) if isinstance(value, str) and NUL in value else value


def lock_number(name: str) -> int:
    """The number of an advisory lock. Two names may share one: they then wait for each other, and no more."""
    return int.from_bytes(hashlib.sha256(f"rsspot {name}".encode()).digest()[:8], "big", signed=True)
