"""Lists and objects as the Table that kubectl prints. Shows; decides nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rsspot.simulator.machinery.crds import Definition
from rsspot.simulator.machinery.objects import at
from rsspot.simulator.machinery.store import Object

ACCEPTED = "as=Table"


def table(definition: Definition, bodies: list[Object], metadata: dict[str, Any], now: float) -> dict[str, Any]:
    """A meta.k8s.io/v1 Table with the definition's printer columns."""
    columns = definition.columns or ({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [
            {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0},
            *(
                {
                    "name": c["name"],
                    "type": c["type"],
                    "format": "",
                    "description": "",
                    "priority": c.get("priority", 0),
                }
                for c in columns
            ),
        ],
        "rows": [
            {
                "cells": [body["metadata"]["name"], *(_cell(column, body, now) for column in columns)],
                "object": {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": body["metadata"],
                },
            }
            for body in bodies
        ],
    }


def _cell(column: dict[str, Any], body: Object, now: float) -> Any:
    value = at(body, column["jsonPath"])
    if value is None:
        return "<none>" if column["type"] == "string" else None
    return _age(value, now) if column["type"] == "date" else value


def _age(stamp: str, now: float) -> str:
    seconds = int(now - datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"
