"""Facts about a field that stand beside it: who may change it, what it names, how it compares. Data only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin


@dataclass(frozen=True)
class Fact:
    """A yes-or-no fact."""

    name: str


IMMUTABLE = Fact("immutable")
"""Can only be chosen when the object is made; another value means a replacement."""
DEFAULTED = Fact("defaulted")
"""The service fills it in where nobody says, so null leaves the choice to the service."""
SERVER_OWNED = Fact("server-owned")
"""Written by the service; never managed by a manifest."""
SECRET = Fact("secret")
"""Never shown, stored or logged."""
UNORDERED = Fact("unordered")
"""A list whose order means nothing."""
EXCLUSIVE = Fact("exclusive")
"""At most one object under the same parent may have this true."""
WRITE_ONLY = Fact("write-only")
"""Needed to make the object and never told again, so never compared."""
COMMAND = Fact("command")
"""A command line; a relative program is looked up beside the manifest."""
COLUMN = Fact("column")
"""Worth a column when objects are listed."""


@dataclass(frozen=True)
class RefersTo:
    """The field holds the name of another object, which must exist first."""

    kind: str
    parent: bool = False
    """The object lives inside the one it names: it goes down with it."""
    may_be_missing: bool = False
    """Only orders what is made together; whether the named one has to be there is for the service to say."""


@dataclass(frozen=True)
class BidOn:
    """The field is the most that one unit of something may cost per hour.

    of: the field of the spec that names it · minimum, market: where that object says its prices
    """

    of: tuple[str, ...]
    minimum: tuple[str, ...]
    market: tuple[str, ...]


@dataclass(frozen=True)
class YieldsTo:
    """The field is left alone while the boolean at `path` of the spec is true."""

    path: tuple[str, ...]


def marks(annotation: Any, metadata: list[Any]) -> Iterator[Any]:
    """Every fact on a field, including those inside `Annotated[X, …] | None`."""
    yield from metadata
    if get_origin(annotation) is Annotated:
        inner, *extra = get_args(annotation)
        yield from marks(inner, extra)
    elif is_union(annotation):
        for member in get_args(annotation):
            yield from marks(member, [])


def is_union(annotation: Any) -> bool:
    """Whether a type is `A | B` in either spelling."""
    import types

    return get_origin(annotation) in (Union, types.UnionType)
