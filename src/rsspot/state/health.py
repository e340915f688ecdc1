"""Looks at a state.db without changing anything in it: opening it otherwise would migrate it and set its mode."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rsspot.errors import StateError
from rsspot.state.migrations import MIGRATIONS

PATIENCE = 2.0
"""Seconds to wait while another process writes."""
NEWEST_SCHEMA = len(MIGRATIONS)


@dataclass(frozen=True)
class HeldLease:
    """The right to apply a stack, as some process holds it."""

    scope: str
    host: str
    pid: int
    expires_at: datetime


@dataclass(frozen=True)
class StateHealth:
    """What a state.db is like. damage: what SQLite found wrong; empty if nothing is

    ours: whether the tables of the ledger are in it · schema: its version; NEWEST_SCHEMA is the one of this rsspot
    """

    damage: str
    ours: bool
    schema: int
    leases: tuple[HeldLease, ...] = ()
    unfinished: tuple[int, ...] = ()


def examine(path: Path) -> StateHealth:
    """Look at a file that exists. Raises StateError if it cannot be opened or is not a database."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=PATIENCE)) as database:
            return _examined(database)
    except (sqlite3.Error, ValueError) as error:
        raise StateError(f"cannot read {path}: {error}") from None


def _examined(database: sqlite3.Connection) -> StateHealth:
    found = [str(row[0]) for row in database.execute("PRAGMA integrity_check(3)")]
    damage = "" if found == ["ok"] else "; ".join(found)
    schema = int(database.execute("PRAGMA user_version").fetchone()[0])
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    ours = {"runs", "leases"} <= tables
    if damage or not ours:
        return StateHealth(damage, ours, schema)
    leases = database.execute("SELECT scope, host, pid, expires_at FROM leases WHERE holder IS NOT NULL").fetchall()
    runs = database.execute("SELECT id FROM runs WHERE outcome IS NULL ORDER BY id").fetchall()
    held = (HeldLease(scope, host, pid, datetime.fromisoformat(until)) for scope, host, pid, until in leases)
    return StateHealth("", True, schema, tuple(held), tuple(number for (number,) in runs))
