"""late_names(): a `__getattr__` for a module whose names are imported on first use, also from rooms above it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def late_names(module: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a module. homes: name -> `module:attribute`."""

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        import importlib

        home, _, attribute = homes[name].partition(":")
        return getattr(importlib.import_module(home), attribute)

    return get
