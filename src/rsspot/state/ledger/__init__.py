"""The ledger: what an apply meant to do, did, and owns. One protocol, one set of rules, one file of SQL a backend."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from rsspot.state.ledger.protocol import Ledger

BACKENDS = {"": "sqlite", "sqlite": "sqlite"}
"""Scheme of a ledger's URL -> the module here whose `open_at` opens it. Without a scheme it is the path of a file."""


def open_ledger(url: str | Path, *, create: bool = True) -> Ledger:
    """The ledger at a URL: the path of a file, or `sqlite:///path/of/state.db`.

    create: whether to make one that is not there; without, reading it finds nothing and leaves nothing behind.
    Raises UsageError for a scheme that no backend has, StateError for a ledger that cannot be opened.
    """
    from rsspot.errors import UsageError

    text = str(url)
    scheme = urlsplit(text).scheme if "://" in text else ""
    if scheme not in BACKENDS:
        known = ", ".join(sorted(name for name in BACKENDS if name))
        raise UsageError(f"no ledger backend for {scheme}://", hint=f"a path, or one of: {known}")
    backend = importlib.import_module(f"{__name__}.{BACKENDS[scheme]}")
    ledger: Ledger = backend.open_at(text, create=create)
    return ledger
