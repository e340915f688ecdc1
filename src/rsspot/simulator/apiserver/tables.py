"""Lists and objects in other shapes: the Table that kubectl prints, or metadata alone. Shows; decides nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.messages import Refusal
from rsspot.simulator.apiserver.store import Object

AGE = {
    "name": "Age",
    "type": "date",
    "jsonPath": ".metadata.creationTimestamp",
    "description": "How long ago the object was created.",
}
INCLUDED = ("", "Metadata", "Object", "None")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+|\*)\]|\[\?\(@\.([\w.]+)\s*==\s*[\"']([^\"']*)[\"']\)\]")


def table(
    definition: Definition,
    bodies: Iterable[Object],
    metadata: dict[str, Any],
    now: float,
    *,
    included: str = "",
    version: str = "v1",
    headed: bool = True,
) -> dict[str, Any]:
    """A Table with the definition's printer columns. included: what of each object goes along."""
    if included not in INCLUDED:
        said = f"includeObject: Invalid value: \"{included}\": must be 'Metadata', 'Object', 'None', or empty"
        raise Refusal(400, "BadRequest", f"Unable to convert to Table as requested: {said}")
    columns = definition.columns or (AGE,)
    rows = [
        {
            "cells": [body["metadata"]["name"], *(_cell(column, body, now) for column in columns)],
            "object": _included(body, included, version),
        }
        for body in bodies
    ]
    frame = {"kind": "Table", "apiVersion": f"meta.k8s.io/{version}", "metadata": metadata}
    return {**frame, "columnDefinitions": [_NAME, *map(_heading, columns)] if headed else None, "rows": rows}


_NAME = {
    "name": "Name",
    "type": "string",
    "format": "name",
    "description": "The object's name, unique among those of its kind in its namespace.",
    "priority": 0,
}


def _heading(column: dict[str, Any]) -> dict[str, Any]:
    described = f"Custom resource definition column (in JSONPath format): {column['jsonPath']}"
    return {
        "name": column["name"],
        "type": column["type"],
        "format": column.get("format", ""),
        "description": column.get("description") or described,
        "priority": column.get("priority", 0),
    }


def _included(body: Object, included: str, version: str) -> Object | None:
    if included == "None":
        return None
    return body if included == "Object" else metadata_of(body, version)


def metadata_of(body: Object, version: str = "v1") -> Object:
    """An object's metadata as an object of its own."""
    frame = {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}"}
    return {**frame, "metadata": body["metadata"]}


def metadata_list(bodies: Iterable[Object], metadata: dict[str, Any], version: str = "v1") -> dict[str, Any]:
    """The metadata of many."""
    frame = {"kind": "PartialObjectMetadataList", "apiVersion": f"meta.k8s.io/{version}", "metadata": metadata}
    return {**frame, "items": [metadata_of(body, version) for body in bodies]}


def _cell(column: dict[str, Any], body: Object, now: float) -> Any:
    found = found_at(body, column["jsonPath"])
    if not found:
        return None
    value = found[0]
    if column["type"] == "date":
        return age(value, now)
    if column["type"] == "string":
        return ",".join(map(_word, found)) if len(found) > 1 else _word(value)
    return value


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def found_at(body: Any, path: str) -> list[Any]:
    """What a JSONPath of names, indexes, `[*]` and `[?(@.type=="x")]` finds."""
    found = [body]
    for name, index, key, wanted in _STEP.findall(path):
        if name:
            found = [each[name] for each in found if isinstance(each, dict) and name in each]
        elif key:
            items = [item for each in found if isinstance(each, list) for item in each]
            found = [item for item in items if [wanted] == [str(value) for value in found_at(item, key)]]
        else:
            lists = [each for each in found if isinstance(each, list)]
            found = [item for each in lists for item in (each if index == "*" else each[int(index) : int(index) + 1])]
    return [each for each in found if each is not None]


def age(stamp: str, now: float) -> str:
    """How long ago a moment is, as kubectl says it: 119s, 5m30s, 59m, 7h5m, 47h, 7d4h, 99d, 3y20d."""
    moment = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    seconds = max(int(now - moment), 0)
    minutes, hours, days, years = seconds // 60, seconds // 3600, seconds // 86400, seconds // 31_536_000
    steps = (
        (minutes < 2, f"{seconds}s"),
        (minutes < 10, _pair(minutes, "m", seconds % 60, "s")),
        (hours < 3, f"{minutes}m"),
        (hours < 8, _pair(hours, "h", minutes % 60, "m")),
        (hours < 48, f"{hours}h"),
        (days < 8, _pair(days, "d", hours % 24, "h")),
        (years < 2, f"{days}d"),
        (years < 8, _pair(years, "y", days % 365, "d")),
    )
    return next((said for fits, said in steps if fits), f"{years}y")


def _pair(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large}{unit}{small}{smaller}" if small else f"{large}{unit}"
