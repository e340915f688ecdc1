"""Finds the Collection and Documents classes of kinds in the folders of `services`."""

from __future__ import annotations

from functools import cache
from typing import Any

from rsspot.resources.collection import Collection
from rsspot.resources.documents import Documents
from rsspot.resources.kind import Kind
from rsspot.resources.registry import folders, part


@cache
def _classes(attribute: str) -> dict[str, type[Any]]:
    """The classes that services declare in `attribute` of their api.py: kind name -> class."""
    classes: dict[str, type[Any]] = {}
    for folder in folders():
        classes |= getattr(part(folder, "api"), attribute, {})
    return classes


def collection_class(kind: Kind[Any]) -> type[Collection[Any]]:
    """The Collection class of a kind: the one its service declares, or Collection."""
    return _classes("COLLECTIONS").get(kind.name, Collection)


def documents_class(kind: Kind[Any]) -> type[Documents]:
    """The Documents class of a kind: the one its service declares, or Documents."""
    return _classes("DOCUMENTS").get(kind.name, Documents)
