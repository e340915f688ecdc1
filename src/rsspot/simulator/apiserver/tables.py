"""Converts objects and lists to Tables, as kubectl prints them, or to metadata only."""

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
    """A Table with the printer columns of a definition. included: the part of each object to include in its row"""
    if included not in INCLUDED:
        problem = f"includeObject: Invalid value: \"{included}\": must be 'Metadata', 'Object', 'None', or empty"
        raise Refusal(400, "BadRequest", f"Unable to convert to Table as requested: {problem}")
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
    "description": "The name of the object, unique for its kind and namespace.",
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
    """The metadata of an object as PartialObjectMetadata."""
    frame = {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}"}
    return {**frame, "metadata": body["metadata"]}


def metadata_list(bodies: Iterable[Object], metadata: dict[str, Any], version: str = "v1") -> dict[str, Any]:
    """The metadata of objects as PartialObjectMetadataList."""
    frame = {"kind": "PartialObjectMetadataList", "apiVersion": f"meta.k8s.io/{version}", "metadata": metadata}
    # A real server returns null for an empty list here.
    return {**frame, "items": [metadata_of(body, version) for body in bodies] or None}


def _cell(column: dict[str, Any], body: Object, now: float) -> Any:
    values = found_at(body, column["jsonPath"])
    if not values:
        return None
    value = values[0]
    if column["type"] == "date":
        return age(value, now)
    if column["type"] == "string":
        return ",".join(map(_text, values)) if len(values) > 1 else _text(value)
    return value


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def found_at(body: Any, path: str) -> list[Any]:
    """The values at a JSONPath of names, indexes, `[*]` and `[?(@.type=="x")]`."""
    matches = [body]
    for name, index, key, wanted in _STEP.findall(path):
        if name:
            matches = [value[name] for value in matches if isinstance(value, dict) and name in value]
        elif key:
            items = [item for value in matches if isinstance(value, list) for item in value]
            matches = [item for item in items if [wanted] == [str(value) for value in found_at(item, key)]]
        else:
            lists = [value for value in matches if isinstance(value, list)]
            matches = [
                item for value in lists for item in (value if index == "*" else value[int(index) : int(index) + 1])
            ]
    return [value for value in matches if value is not None]


def age(stamp: str, now: float) -> str:
    """The age of a timestamp in the format of kubectl: 119s, 5m30s, 59m, 7h5m, 47h, 7d4h, 99d, 3y20d."""
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
    return next((text for fits, text in steps if fits), f"{years}y")


def _pair(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large}{unit}{small}{smaller}" if small else f"{large}{unit}"
