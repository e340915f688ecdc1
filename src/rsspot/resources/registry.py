"""Finds all kinds in the folders of `services`. Names no kind itself."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from types import ModuleType
from typing import Any

from rsspot.models.fields import SECRET
from rsspot.resources.kind import Kind

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
    """All kinds by name. Raises TypeError, a programming error, if one word stands for two kinds."""
    by_name: dict[str, Kind[Any]] = {}
    taken: set[str] = set()
    for folder in folders():
        for kind in getattr(part(folder, "schemas"), "KINDS", ()):
            if not taken.isdisjoint(kind.aliases):
                raise TypeError(f"two services declare {kind.name}")
            by_name[kind.name] = kind
            taken.update(kind.aliases)
    return by_name


@cache
def secret_fields() -> frozenset[str]:
    """The last path segments of all fields that hold secrets, of any kind."""
    return frozenset(path[-1] for kind in kinds().values() for path in kind.marked(SECRET))
