"""Objects in the shape that rsspot 0.3 printed them (`--format released`), for scripts that read its output."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from rsspot.resources.kind import Kind
from rsspot.resources.registry import folders, part
from rsspot.utils.serialization import Document


def released_list(kind: Kind[Any], documents: list[Document], metadata: Document) -> Any:
    """A list: of flat objects for kinds that had a shape of their own, and as the API returns it for all others.

    metadata: that of the list itself
    """
    shape = _shapes().get(kind.name)
    if shape is not None:
        return [shape(document) for document in documents]
    return {"apiVersion": kind.api_version, "kind": f"{kind.name}List", "metadata": metadata, "items": documents}


def released_object(kind: Kind[Any], document: Document) -> Document:
    """One object."""
    shape = _shapes().get(kind.name)
    return shape(document) if shape is not None else document


@cache
def _shapes() -> dict[str, Callable[[Document], Document]]:
    """Kind name -> the function that makes its shape, as the services declare them."""
    shapes: dict[str, Callable[[Document], Document]] = {}
    for folder in folders():
        shapes |= getattr(part(folder, "released"), "SHAPES", {})
    return shapes
