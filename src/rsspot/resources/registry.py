"""Finds the kinds, and the collections of each, by looking into the folders of `services`. Knows none by name."""

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
"""Looked into by its name, not imported: it stands above this room."""


def folders() -> list[str]:
    """The folders of the services, sorted. Imports none of them."""
    found: list[str] = importlib.import_module(ROOM).folders()
    return found


def part(folder: str, name: str) -> ModuleType | None:
    """A file of a service folder as a module, or None where the service has no such file."""
    module = f"{ROOM}.{folder}.{name}"
    return importlib.import_module(module) if importlib.util.find_spec(module) else None


@cache
def kinds() -> dict[str, Kind[Any]]:
    """Every kind by its name. A second owner of a name or plural is a programming error."""
    found: dict[str, Kind[Any]] = {}
    plurals: set[str] = set()
    for folder in folders():
        for kind in getattr(part(folder, "schemas"), "KINDS", ()):
            if kind.name in found or kind.plural in plurals:
                raise TypeError(f"two services declare {kind.name}")
            found[kind.name] = kind
            plurals.add(kind.plural)
    return found


@cache
def secret_fields() -> frozenset[str]:
    """The names of all fields that hold secrets."""
    return frozenset(path[-1] for kind in kinds().values() for path in kind.marked(SECRET))


@cache
def _specials(attribute: str) -> dict[str, type[Any]]:
    found: dict[str, type[Any]] = {}
    for folder in folders():
        found |= getattr(part(folder, "api"), attribute, {})
    return found


def collection_class(kind: Kind[Any]) -> type[Collection[Any]]:
    """The Collection of a kind: its service's own, or the plain one."""
    from rsspot.resources.collection import Collection

    return _specials("COLLECTIONS").get(kind.name, Collection)


def documents_class(kind: Kind[Any]) -> type[Documents]:
    """The Documents of a kind: its service's own where it acts differently."""
    from rsspot.resources.documents import Documents

    return _specials("DOCUMENTS").get(kind.name, Documents)
