"""Finds all kinds and their Collection and Documents classes in the folders of `services`. Names no kind itself."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rsspot.models.fields import SECRET
from rsspot.resources.kind import Kind

if TYPE_CHECKING:
    from rsspot.resources.collection import Collection
    from rsspot.resources.documents import Documents


ROOM = "rsspot.services"
"""Imported by name at run time: it is a higher layer, which this module must not import directly."""


def folders() -> list[str]:
    """The names of the service folders, sorted. Does not import them."""
    names: list[str] = importlib.import_module(ROOM).folders()
    return names


def part(folder: str, name: str) -> ModuleType | None:
    """A module of a service folder; None if the folder has no such file."""
    module = f"{ROOM}.{folder}.{name}"
    return importlib.import_module(module) if importlib.util.find_spec(module) else None


@cache
def kinds() -> dict[str, Kind[Any]]:
    """All kinds by name. Raises TypeError, a programming error, if two kinds have the same name or plural."""
    by_name: dict[str, Kind[Any]] = {}
    plurals: set[str] = set()
    for folder in folders():
        for kind in getattr(part(folder, "schemas"), "KINDS", ()):
            if kind.name in by_name or kind.plural in plurals:
                raise TypeError(f"two services declare {kind.name}")
            by_name[kind.name] = kind
            plurals.add(kind.plural)
    return by_name


@cache
def secret_fields() -> frozenset[str]:
    """The last path segments of all fields that hold secrets, of any kind."""
    return frozenset(path[-1] for kind in kinds().values() for path in kind.marked(SECRET))


@cache
def _classes(attribute: str) -> dict[str, type[Any]]:
    """The classes that services declare in `attribute` of their api.py: kind name -> class."""
    classes: dict[str, type[Any]] = {}
    for folder in folders():
        classes |= getattr(part(folder, "api"), attribute, {})
    return classes


def collection_class(kind: Kind[Any]) -> type[Collection[Any]]:
    """The Collection class of a kind: the one its service declares, or Collection."""
    from rsspot.resources.collection import Collection

    return _classes("COLLECTIONS").get(kind.name, Collection)


def documents_class(kind: Kind[Any]) -> type[Documents]:
    """The Documents class of a kind: the one its service declares, or Documents."""
    from rsspot.resources.documents import Documents

    return _classes("DOCUMENTS").get(kind.name, Documents)
