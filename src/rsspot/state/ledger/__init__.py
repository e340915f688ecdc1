"""Opens the ledger, the durable record of applies and registrations. Each backend is a module of this folder."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from rsspot.state.ledger.protocol import Ledger
    from rsspot.state.ledger.sql_database import LedgerDatabase

BACKENDS = {"": "sqlite", "sqlite": "sqlite", "postgresql": "postgres", "postgres": "postgres"}
"""URL scheme to the module in this folder whose `open_at` opens the ledger. A URL without a scheme is a file path."""
ON_SERVERS = frozenset({"postgres"})
"""The modules whose ledgers are not in a file."""
PACKAGES = {"psycopg": "pip install 'rsspot[postgres]'"}
"""What a backend may lack, and how it is installed."""


def open_ledger(url: str | Path, *, create: bool = True, reading: bool = False) -> Ledger:
    """Open the ledger at a file path or a URL, such as `sqlite:///path/to/state.db` or `postgresql://host/name`.

    create: whether to create a missing ledger. Without it, a missing ledger is empty and nothing is created.
    reading: whether it is only read, which is possible where it may not be written
    Raises UsageError for an unknown scheme and StateError if the ledger cannot be opened, or is damaged.
    """
    ledger: Ledger = _backend(url).open_at(str(url), create=create, reading=reading)
    return ledger


def open_database(url: str | Path, *, create: bool = True, reading: bool = False) -> LedgerDatabase:
    """Open the database that a ledger is in, for what is about all of it. Otherwise the same as `open_ledger`."""
    database: LedgerDatabase = _backend(url).open_database(str(url), create=create, reading=reading)
    return database


def is_on_server(url: str | Path | None) -> bool:
    """Whether a ledger is on a server and not in a file. None: it is in state.db"""
    return url is not None and BACKENDS.get(_scheme(str(url))) in ON_SERVERS


def _scheme(url: str) -> str:
    return urlsplit(url).scheme if "://" in url else ""


def _backend(url: str | Path) -> Any:
    from rsspot.errors import UsageError

    scheme = _scheme(str(url))
    if scheme not in BACKENDS:
        known = ", ".join(sorted(name for name in BACKENDS if name))
        raise UsageError(f"no ledger backend for {scheme}://", hint=f"use a file path or one of: {known}")
    try:
        return importlib.import_module(f"{__name__}.{BACKENDS[scheme]}")
    except ModuleNotFoundError as error:
        if error.name not in PACKAGES:
            raise
        raise UsageError(f"a ledger at {scheme}:// needs {error.name}", hint=PACKAGES[error.name]) from None
