"""Rules between the fields of one spec, as the fields declare them. Looks at no other object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

from rsspot.models.fields import FilledIn, NeededWhen, Needs, NotAbove
from rsspot.resources.field import Path
from rsspot.resources.kind import Kind
from rsspot.utils.serialization import Document, at_path


def inconsistencies(kind: Kind[Any], value_at: Callable[[Path], Any]) -> Iterator[tuple[Path, str]]:
    """Each broken rule: the path in the spec of the field that is wrong, and a clause about it.

    value_at: the value of a field of the spec, None where there is none
    """
    for path, field in kind.fields.items():
        value = value_at(path)
        for fact in field.facts:
            if isinstance(fact, NeededWhen) and value_at(fact.path) is True:
                if not _is_number(value) or value < fact.least:
                    yield path, f"must be at least {fact.least} while {'.'.join(fact.path)} is true"
            elif isinstance(fact, NotAbove):
                most = value_at(fact.path)
                if _is_number(value) and _is_number(most) and value > most:
                    yield path, f"must not be larger than {'.'.join(fact.path)}, which is {most}"
            elif isinstance(fact, FilledIn) and value is None:
                yield path, "is missing"
            elif isinstance(fact, Needs) and value is True and value_at(fact.path) != fact.value:
                yield path, f"needs {'.'.join(fact.path)} to be {fact.value!r}"


def filled_in(kind: Kind[Any], spec: Document) -> dict[Path, Any]:
    """The values that a new object of this spec gets where its author wrote none."""
    values = {path: fact.value(spec) for path, fact in kind.filled_in if at_path(spec, path) is None}
    return {path: value for path, value in values.items() if value is not None}


def _is_number(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
