"""Opens the ledger, the durable record of applies and registrations. Each backend is a module of this folder."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from rsspot.state.ledger.protocol import Ledger

BACKENDS = {"": "sqlite", "sqlite": "sqlite", "postgresql": "postgres", "postgres": "postgres"}
"""URL scheme to the module in this folder whose `open_at` opens the ledger. A URL without a scheme is a file path."""


def open_ledger(url: str | Path, *, create: bool = True, reading: bool = False) -> Ledger:
    """Open the ledger at a file path or a URL such as `sqlite:///path/to/state.db`.

    create: whether to create a missing ledger. Without it, a missing ledger is empty and no file is created.
    reading: whether it is only read, which is possible where it may not be written
    Raises UsageError for an unknown scheme and StateError if the ledger cannot be opened, or is damaged.
    """
    from rsspot.errors import UsageError

    text = str(url)
    scheme = urlsplit(text).scheme if "://" in text else ""
    if scheme not in BACKENDS:
        known = ", ".join(sorted(name for name in BACKENDS if name))
        raise UsageError(f"no ledger backend for {scheme}://", hint=f"use a file path or one of: {known}")
    backend = importlib.import_module(f"{__name__}.{BACKENDS[scheme]}")
    ledger: Ledger = backend.open_at(text, create=create, reading=reading)
    return ledger
