"""The folders here are the services: finds kinds and their collections by looking. Knows none by name."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rsspot.models.fields import SECRET
from rsspot.services import __name__ as room
from rsspot.services import folders
from rsspot.services.kind import Kind

if TYPE_CHECKING:
    from rsspot.services.collection import Collection
    from rsspot.services.documents import Documents


def part(folder: str, name: str) -> ModuleType | None:
    """A file of a service folder as a module, or None where the service has no such file."""
    module = f"{room}.{folder}.{name}"
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
    from rsspot.services.collection import Collection

    return _specials("COLLECTIONS").get(kind.name, Collection)


def documents_class(kind: Kind[Any]) -> type[Documents]:
    """The Documents of a kind: its service's own where it acts differently."""
    from rsspot.services.documents import Documents

    return _specials("DOCUMENTS").get(kind.name, Documents)
