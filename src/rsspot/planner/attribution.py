"""Attribution: who wrote a field of a live object last, and when, by its `metadata.managedFields`. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rsspot.planner.change import Path
from rsspot.utils.serialization import Document, at_path

OURS = "rsspot"
"""The name that the service has for this program."""


class Author(NamedTuple):
    """manager: the program, by the name it gave · time: RFC 3339, UTC."""

    manager: str
    time: str


def author_of(live: Document, path: Path) -> Author | None:
    """The last one that wrote a field; None where the service does not tell, or where it was this program.

    Source: the format FieldsV1 of Kubernetes. A field is the key `f:name`, and {} stands for it with all that it holds.
    """
    last = last_author(live, path)
    # Under our own name the time may be that of an apply: the service keeps the old one when a manager writes again.
    return last if last and last.manager != OURS else None


def last_author(live: Document, path: Path) -> Author | None:
    """The same, also where it was this program."""
    return max(_authors(live, path), key=lambda author: author.time, default=None)


def may_be_ours(live: Document) -> bool:
    """Whether this program may have written to an object: the service says so, or does not tell who did."""
    managers = [at_path(entry, ("manager",)) for entry in at_path(live, ("metadata", "managedFields")) or ()]
    return not managers or OURS in managers


def _authors(live: Document, path: Path) -> Iterator[Author]:
    for entry in at_path(live, ("metadata", "managedFields")) or ():
        manager, time = at_path(entry, ("manager",)), at_path(entry, ("time",))
        if isinstance(manager, str) and isinstance(time, str) and _holds(at_path(entry, ("fieldsV1",)), path):
            yield Author(manager, time)


def _holds(fields: object, path: Path) -> bool:
    for key in path:
        if not isinstance(fields, dict) or f"f:{key}" not in fields:
            return False
        fields = fields[f"f:{key}"]
        if fields == {}:
            return True
    return True
