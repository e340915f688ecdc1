"""Facts about a field, written in its annotation: who may change it, what it names, how it compares. Data only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin


@dataclass(frozen=True, eq=False)
class Fact:
    """A fact without parameters. Each is made once, and compared by identity: plans ask for them a million times."""

    name: str


IMMUTABLE = Fact("immutable")
"""Can only be set when the object is created; changing the value replaces the object."""
DEFAULTED = Fact("defaulted")
"""The service sets a default if it is missing or null."""
SERVER_OWNED = Fact("server-owned")
"""Set by the service; manifests cannot manage it."""
SECRET = Fact("secret")
"""Never shown, stored or logged."""
UNORDERED = Fact("unordered")
"""A list whose order does not matter."""
EXCLUSIVE = Fact("exclusive")
"""At most one object under the same parent may have this true."""
WRITE_ONLY = Fact("write-only")
"""Sent when the object is created and never returned, so never compared."""
COMMAND = Fact("command")
"""A command line. A relative program path is relative to the manifest's folder."""
TRIMMED = Fact("trimmed")
"""A text in which blanks and line ends around it mean nothing."""

ANY_FILE = Fact("any-file")
"""May be the text of a file outside of the manifests' folder: the field takes nothing that must be kept to oneself."""


@dataclass(frozen=True)
class Column:
    """The field is a column of lists. title: its heading, if not the words of its name · wide: only in wide lists

    whole: it is one of those that matter most: they are shortened last, and left out last
    """

    title: str = ""
    wide: bool = False
    whole: bool = False


COLUMN = Column()
WHOLE = Column(whole=True)
WIDE = Column(wide=True)


AVAILABILITY = Fact("availability")
"""Says `available` while new objects may use the object; `list --only-available` goes by it."""


@dataclass(frozen=True)
class Version:
    """A version x.y.z that the service can raise and never lower. known: the ones on record, in order."""

    known: tuple[str, ...]


@dataclass(frozen=True)
class ServiceDefault:
    """The value that the service sets where none is written, as its schema publishes it."""

    value: Any


@dataclass(frozen=True)
class FilledIn:
    """The field gets a value when an object is made and its author wrote none; afterwards it is left alone.

    value: spec -> value; None if nothing can be chosen, and the author has to
    """

    value: Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True)
class NotAbove:
    """The number must not be larger than the one at `path` of the spec."""

    path: tuple[str, ...]


@dataclass(frozen=True)
class NeededWhen:
    """The field must have a value, of at least `least`, while the boolean at `path` of the spec is true."""

    path: tuple[str, ...]
    least: int


@dataclass(frozen=True)
class Needs:
    """A field that is true needs this value at `path` of the spec."""

    path: tuple[str, ...]
    value: str


@dataclass(frozen=True)
class RefersTo:
    """The field holds the name of another object, which must exist first."""

    kind: str
    parent: bool = False
    """Whether the named object is the parent: deleting it deletes this object too."""
    may_be_missing: bool = False
    """Whether the reference only decides the order of creation. The service decides whether the object must exist."""


@dataclass(frozen=True)
class BidOn:
    """The field is a bid: the maximum price per hour of one unit of something.

    of: path of the spec field that names it · minimum, market: paths of the prices in that object
    """

    of: tuple[str, ...]
    minimum: tuple[str, ...]
    market: tuple[str, ...]


@dataclass(frozen=True)
class ServersOf:
    """The field is how many servers of something the object asks for.

    of: path of the spec field that names it · free, all: paths of the numbers of servers in that object
    """

    of: tuple[str, ...]
    free: tuple[str, ...]
    all: tuple[str, ...]


@dataclass(frozen=True)
class YieldsTo:
    """The field is not managed while the boolean at `path` of the spec is true."""

    path: tuple[str, ...]


@dataclass(frozen=True)
class CommandLine:
    """How the field is written on the command line: `--server-class` for `serverClass`, where nothing else is said.

    option: the name of the option, without its hyphens · read: makes the value from the option's text ·
    default: the value of a new object if neither the option nor a spec gives one ·
    file_option: a further option, whose value is the name of a file with the text
    """

    option: str
    read: Callable[[str], Any] | None = None
    default: Any = None
    file_option: str | None = None


def marks(annotation: Any, metadata: list[Any]) -> Iterator[Any]:
    """All facts about a field, including those inside `Annotated[X, …] | None`."""
    yield from metadata
    if get_origin(annotation) is Annotated:
        inner, *extra = get_args(annotation)
        yield from marks(inner, extra)
    elif is_union(annotation):
        for member in get_args(annotation):
            yield from marks(member, [])


def is_union(annotation: Any) -> bool:
    """Whether a type is a union, written `A | B` or `Union[A, B]`."""
    import types

    return get_origin(annotation) in (Union, types.UnionType)
