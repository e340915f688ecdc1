"""The kinds and SDK services, one package per domain. Packages are discovered; there is no list of them."""

from __future__ import annotations

import os


def folders() -> list[str]:
    """The names of the service packages, sorted. Imports none of them."""
    return sorted(
        entry.name
        for place in __path__
        for entry in os.scandir(place)
        if entry.is_dir() and os.path.exists(os.path.join(entry.path, "__init__.py"))  # noqa: PTH110, PTH118
    )
