"""Merge patches and JSON patches of a document, together with the places where its values were written. Knows no kinds.

The places of a document are kept in a tree of its own shape: what is done to the one is done to the other.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rsspot.errors import Origin
from rsspot.manifests.nodes import DEEPEST
from rsspot.manifests.places import Place
from rsspot.utils.serialization import at_path

MOST_ADDED = 20_000
"""Values that the operations of one patch may add to a document."""


class PlacesOfMapping(dict[str, Any]):
    """The places of a mapping's values, and its own."""

    origin: Origin


class PlacesOfList(list[Any]):
    """The places of a list's items, and its own."""

    origin: Origin


@dataclass(frozen=True)
class Placed:
    """A value, and the tree of its places, which has an Origin for each value that has no others inside."""

    value: Any
    places: Any


class PatchFailed(Exception):
    """An operation that cannot be carried out. The message is a clause that quotes no value."""


class PatchTooLarge(PatchFailed):
    """An operation after which no other may be carried out."""


def placed(value: Any, marks: Mapping[Place, Origin], path: Place, above: Origin) -> Placed:
    """A value with its places. marks: those of its document · path: where in it the value is"""
    return Placed(value, _tree(value, marks, path, above))


def _tree(value: Any, marks: Mapping[Place, Origin], path: Place, above: Origin) -> Any:
    origin = marks.get(path, above)
    tree: Any = origin
    if isinstance(value, dict):
        tree = PlacesOfMapping({key: _tree(inner, marks, (*path, key), origin) for key, inner in value.items()})
        tree.origin = origin
    elif isinstance(value, list):
        tree = PlacesOfList(_tree(inner, marks, (*path, index), origin) for index, inner in enumerate(value))
        tree.origin = origin
    return tree


def marks_of(tree: Any, path: Place = ()) -> dict[Place, Origin]:
    """A tree of places as a document keeps them."""
    if isinstance(tree, Origin):
        return {path: tree}
    marks = {path: tree.origin}
    for part, inner in tree.items() if isinstance(tree, PlacesOfMapping) else enumerate(tree):
        marks |= marks_of(inner, (*path, part))
    return marks


def merged(target: Placed, patch: Placed) -> Placed:
    """A value with a merge patch applied (RFC 7386). Neither of the two is changed."""
    if not isinstance(patch.value, dict):
        return patch
    is_mapping = isinstance(target.value, dict)
    values = dict(target.value) if is_mapping else {}
    places = copy.copy(target.places) if is_mapping else PlacesOfMapping()
    places.origin = target.places.origin if is_mapping else patch.places.origin
    for key, value in patch.value.items():
        if value is None:
            values.pop(key, None)
            places.pop(key, None)
            continue
        below = merged(
            Placed(values.get(key), places.get(key)),
            Placed(value, patch.places[key]),
        )
        values[key], places[key] = below.value, below.places
    return Placed(values, places)


class Patching:
    """A document that the operations of a JSON patch are carried out on, in order (RFC 6902)."""

    def __init__(self, target: Placed) -> None:
        self._value, self._places = copy.deepcopy(target.value), copy.deepcopy(target.places)
        self._room = MOST_ADDED

    @property
    def result(self) -> Placed:
        return Placed(self._value, self._places)

    def carry_out(self, operation: Mapping[str, Any], places: Any) -> None:
        """Carry out one operation. places: those of the operation. Raises PatchFailed."""
        from jsonpatch import JsonPatchException, JsonPointerException

        self._check_room(operation)
        try:
            value = _applied(self._value, operation)
            if operation["op"] != "test":
                moved = {**operation, "value": places["value"]} if "value" in operation else operation
                self._value, self._places = value, _applied(self._places, moved)
        except (JsonPatchException, JsonPointerException, LookupError, TypeError, ValueError):
            raise PatchFailed(_why(self._value, operation)) from None

    def _check_room(self, operation: Mapping[str, Any]) -> None:
        """Refuse copies of copies, which would double with each operation, and ever deeper ones."""
        source = operation.get("from")
        added = at_path(self._value, _keys(self._value, _parts(source))) if source else operation.get("value")
        size, depth = _measured(added)
        self._room -= size
        if self._room < 0:
            raise PatchTooLarge(f"the operations add more than {MOST_ADDED} values")
        if depth + len(_parts(operation["path"])) > DEEPEST:
            raise PatchTooLarge(f"nested deeper than {DEEPEST} levels")


def _measured(value: Any) -> tuple[int, int]:
    """How many values a value is, itself included, and how deep they are nested."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    size, depth = 1, 0
    for each in inner:
        below = _measured(each)
        size, depth = size + below[0], max(depth, below[1])
    return size, depth + 1


def _applied(document: Any, operation: Mapping[str, Any]) -> Any:
    from jsonpatch import JsonPatch

    # The value of an operation becomes a part of the document, which a later operation may change.
    return JsonPatch([copy.deepcopy(dict(operation))]).apply(document, in_place=True)


def _parts(pointer: str) -> list[str]:
    return pointer.split("/")[1:]


def _why(document: Any, operation: Mapping[str, Any]) -> str:
    """Why an operation failed, as a clause with the part of its path that is not there."""
    makes = operation["op"] in ("add", "move", "copy")
    for pointer, may_be_new in ((operation.get("from"), False), (operation["path"], makes)):
        if pointer and not pointer.startswith("/"):
            return f"the path {pointer!r} does not begin with a slash"
        parts = _parts(pointer or "")
        for length in range(1, len(parts) + (not may_be_new)):
            if at_path(document, _keys(document, parts[:length]), _NOTHING) is _NOTHING:
                return f"there is no /{'/'.join(parts[:length])}"
    if operation["op"] == "test":
        return f"the test failed: the value at {operation['path'] or '/'} is another"
    return f"{operation['op']} is not possible at {operation['path'] or '/'}"


_NOTHING = object()


def _keys(document: Any, parts: list[str]) -> Place:
    """The keys and indexes that the parts of a JSON pointer stand for."""
    keys: list[str | int] = []
    for part in parts:
        inner = at_path(document, keys)
        is_index = isinstance(inner, list) and part.isascii() and part.isdigit()
        keys.append(int(part) if is_index and len(part) < 9 else part.replace("~1", "/").replace("~0", "~"))
    return tuple(keys)
