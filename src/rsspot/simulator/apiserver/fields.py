"""Field sets: the fields that an object has according to its schema, and their form in managedFields (FieldsV1).

A field is a path of elements in Kubernetes notation: `f:name`, `k:{"uid":"1"}` for an item of a keyed list,
`v:"x"` for a member of a set. No function changes an object; `without` and `merged` return new ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]
Paths = frozenset[Path]
Schema = dict[str, Any]

_STRINGS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
_METADATA: Schema = {
    "type": "object",
    "properties": {
        "labels": _STRINGS,
        "annotations": _STRINGS,
        "finalizers": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "ownerReferences": {
            "type": "array",
            "items": {"type": "object", "x-kubernetes-map-type": "atomic"},
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
        },
        "managedFields": {"type": "array", "items": {}},
    },
}
_SERVERS = ("name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields")
_UNMANAGED = frozenset(
    [("f:apiVersion",), ("f:kind",), ("f:metadata",), ("f:metadata", "f:resourceVersion")]
    + [("f:metadata", f"f:{name}") for name in _SERVERS]
    + [("f:metadata", f"f:deletion{rest}") for rest in ("Timestamp", "GracePeriodSeconds")]
)


def whole(schema: Schema) -> Schema:
    """A kind's schema with the schema of metadata added."""
    return {**schema, "properties": {**schema.get("properties", {}), "metadata": _METADATA}}


def nodes(schema: Schema, value: Any) -> dict[Path, Any]:
    """Every managed field of a value, containers included. A leaf maps to its value, a container to BRANCH."""
    return {path: leaf for path, leaf, _ in _walk(schema, value, ()) if path and path not in _UNMANAGED}


def claimed(schema: Schema, value: Any) -> Paths:
    """The fields that an applied configuration claims: leaves, map entries and list items."""
    paths = (path for path, _, is_claimed in _walk(schema, value, ()) if path and is_claimed)
    return frozenset(path for path in paths if path not in _UNMANAGED)


@dataclass
class Differences:
    """The difference between two values. written: added or changed fields · removed: fields only the old value has"""

    written: set[Path]
    removed: set[Path]

    @classmethod
    def between(cls, schema: Schema, old: Any, new: Any) -> Differences:
        """Compare two values. Parts that are equal are skipped."""
        differences = cls(set(), set())
        differences._compare(schema, old, new, ())
        differences.written -= _UNMANAGED
        differences.removed -= _UNMANAGED
        return differences

    def _compare(self, schema: Schema, old: Any, new: Any, path: Path) -> None:
        if old == new:
            return
        if type(old) is not type(new) or not _is_granular(schema, new):
            self.written |= _below(schema, new, path)
            self.removed |= _below(schema, old, path) - self.written
            return
        before = {element: (inner, value) for element, inner, value, _ in _children(schema, old)}
        after = {element: (inner, value) for element, inner, value, _ in _children(schema, new)}
        for element, (inner, value) in after.items():
            here = (*path, element)
            if element in before:
                self._compare(inner, before[element][1], value, here)
            else:
                self.written |= _below(inner, value, here)
        for element in before.keys() - after.keys():
            inner, value = before[element]
            self.removed |= _below(inner, value, (*path, element))


def _below(schema: Schema, value: Any, path: Path) -> set[Path]:
    """A field and all fields below it."""
    below: set[Path] = set()
    _collect(schema, value, path, below)
    return below


def _collect(schema: Schema, value: Any, path: Path, into: set[Path]) -> None:
    into.add(path)
    for element, inner_schema, inner, _ in _children(schema, value):
        _collect(inner_schema, inner, (*path, element), into)


BRANCH = object()
"""Stands for the value of a field that contains other fields."""


def _walk(schema: Schema, value: Any, path: Path, named: bool = False) -> Iterator[tuple[Path, Any, bool]]:
    """Yield (path, value or BRANCH, whether an applied configuration claims the field) for a value and all below it."""
    children = list(_children(schema, value))
    yield path, BRANCH if _is_granular(schema, value) else value, named or not children
    for element, inner_schema, inner, by_name in children:
        yield from _walk(inner_schema, inner, (*path, element), by_name)


def _is_granular(schema: Schema, value: Any) -> bool:
    """Whether the parts of a value are tracked as separate fields."""
    if isinstance(value, dict):
        return schema.get("x-kubernetes-map-type") != "atomic"
    return isinstance(value, list) and schema.get("x-kubernetes-list-type") in ("set", "map")


def _children(schema: Schema, value: Any) -> Iterator[tuple[str, Schema, Any, bool]]:
    """Yield (element, schema, value, whether it is a map entry or list item) for the parts of a granular value."""
    if not _is_granular(schema, value):
        return
    if isinstance(value, dict):
        properties, rest = schema.get("properties", {}), schema.get("additionalProperties")
        others = rest if isinstance(rest, dict) else {}
        for key, inner in value.items():
            yield f"f:{key}", properties.get(key, others), inner, key not in properties and bool(others)
    else:
        for item in value:
            yield element_of(schema, item), schema.get("items", {}), item, True


def element_of(schema: Schema, item: Any) -> str:
    """The path element of an item of a set or a keyed list."""
    if schema["x-kubernetes-list-type"] == "set":
        return f"v:{_compact(item)}"
    keys = schema.get("x-kubernetes-list-map-keys", ())
    return f"k:{_compact({key: item.get(key) for key in sorted(keys)} if isinstance(item, dict) else item)}"


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def tree(paths: Iterable[Path]) -> dict[str, Any]:
    """Convert paths to FieldsV1. A field that is in the set together with fields below it gets a "." entry."""
    root: dict[str, Any] = {}
    chosen = set(paths)
    for path in sorted(chosen):
        node = root
        for depth, element in enumerate(path):
            node = node.setdefault(element, {".": {}} if path[: depth + 1] in chosen and depth + 1 < len(path) else {})
    _mark(root, chosen, ())
    return root


def _mark(node: dict[str, Any], chosen: set[Path], path: Path) -> None:
    for element, inner in node.items():
        if element != ".":
            _mark(inner, chosen, (*path, element))
    if path in chosen and any(element != "." for element in node):
        node.setdefault(".", {})


def paths_of(fields: Any, path: Path = ()) -> Paths:
    """Convert FieldsV1 to paths. Raises ValueError."""
    if not isinstance(fields, dict):
        raise ValueError("fieldsV1 is not an object")
    paths = set()
    for element, inner in fields.items():
        if element == ".":
            paths.add(path)
            continue
        if not isinstance(inner, dict) or not element.startswith(("f:", "k:", "v:", "i:")):
            raise ValueError(f"fieldsV1 has the element {element!r}")
        paths |= paths_of(inner, (*path, element)) if inner else {(*path, element)}
    return frozenset(paths)


def spelled(path: Path) -> str:
    """A path in the notation of messages: `.spec.desired`, `.metadata.ownerReferences[uid="1"]`."""
    parts = []
    for element in path:
        kind, rest = element[:2], element[2:]
        if kind == "f:":
            parts.append(f".{rest}")
        elif kind == "k:":
            keys = json.loads(rest)
            parts.append("[" + ",".join(f"{key}={_compact(value)}" for key, value in sorted(keys.items())) + "]")
        else:
            parts.append(f"[={rest}]")
    return "".join(parts)


def merged(schema: Schema, live: Any, config: Any) -> Any:
    """Merge a configuration into a live value. Granular maps and lists are merged; everything else is replaced."""
    if not (_is_granular(schema, live) and _is_granular(schema, config)):
        return config
    if isinstance(live, dict) and isinstance(config, dict):
        properties, rest = schema.get("properties", {}), schema.get("additionalProperties")
        schemas = {key: properties.get(key, rest if isinstance(rest, dict) else {}) for key in config}
        return {**live, **{key: merged(schemas[key], live.get(key), value) for key, value in config.items()}}
    if isinstance(live, list) and isinstance(config, list):
        items = {element_of(schema, item): item for item in live}
        for item in config:
            element = element_of(schema, item)
            items[element] = merged(schema.get("items", {}), items.get(element), item)
        return list(items.values())
    return config


def without(schema: Schema, value: Any, dropped: Paths, kept: Paths, path: Path = ()) -> Any:
    """A value without the `dropped` fields and the containers they leave empty. `kept` fields stay, with containers."""
    left = []
    for element, inner_schema, inner, _ in _children(schema, value):
        here = (*path, element)
        rest = without(inner_schema, inner, dropped, kept, here)
        if not _vanishes(here, inner, rest, dropped, kept):
            left.append((element[2:], rest))
    if isinstance(value, dict) and _is_granular(schema, value):
        return dict(left)
    return [item for _, item in left] if _is_granular(schema, value) else value


def _vanishes(here: Path, before: Any, left: Any, dropped: Paths, kept: Paths) -> bool:
    if here in kept or any(path[: len(here)] == here for path in kept):
        return False
    emptied = isinstance(before, dict | list) and bool(before) and not left
    is_dropped = here in dropped and (not isinstance(left, dict | list) or not left or left == before)
    return emptied or is_dropped
