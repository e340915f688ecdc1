"""A region in the shape that rsspot 0.3 printed."""

from __future__ import annotations

from typing import Any

from rsspot.utils.serialization import Document, at_path


def region(document: Document) -> dict[str, Any]:
    """Its name and description."""
    return {"name": document["metadata"]["name"], "description": at_path(document, ("spec", "description"))}


SHAPES = {"Region": region}
