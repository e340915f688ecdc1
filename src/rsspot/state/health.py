"""Looks at a state.db without changing anything in it: opening it otherwise would migrate it and set its mode."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from rsspot.errors import StateError
from rsspot.state.database import Access, Database
from rsspot.state.failures import DAMAGED, ERRORS, state_error
from rsspot.state.ledger.protocol import Lease
from rsspot.state.ledger.rows import Rows
from rsspot.state.migrations import MIGRATIONS
from rsspot.state.read_only import connect

PATIENCE = 2.0
"""Seconds to wait while another process writes."""
NEWEST_SCHEMA = len(MIGRATIONS)
BESIDE_THE_LEDGER = frozenset({"http_cache", "command_history", "preferences", "sqlite_sequence"})
"""The tables of other records, in the same file."""


@dataclass(frozen=True)
class StateHealth:
    """What a state.db is like. damage: what SQLite found wrong; empty if nothing is

    ours: whether the tables of the ledger are in it · schema: its version; NEWEST_SCHEMA is the one of this rsspot
    """

    damage: str
    ours: bool
    schema: int
    leases: tuple[Lease, ...] = ()
    unfinished: tuple[int, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether its records can be read by this rsspot."""
        return not self.damage and self.ours and self.schema <= NEWEST_SCHEMA


def examine(path: Path) -> StateHealth:
    """Look at a file that exists. Raises StateError if it cannot be opened or is not a database."""
    try:
        with closing(connect(path, PATIENCE)) as database:
            health = _of_pages(database)
    except ERRORS as error:
        raise state_error("read", path, error) from None
    return _with_records(path, health) if health.usable else health


def _of_pages(database: sqlite3.Connection) -> StateHealth:
    found = [str(row[0]) for row in database.execute("PRAGMA integrity_check(3)")]
    schema = int(database.execute("PRAGMA user_version").fetchone()[0])
    return StateHealth("" if found == ["ok"] else "; ".join(found), is_ours(database), schema)


def _with_records(path: Path, health: StateHealth) -> StateHealth:
    """The same with what is held and open, of an older file as it will be once it is brought up to date."""
    read = Rows(str(path))
    with closing(Database(path, access=Access.COPY)) as copy:
        leases = [read.lease(row) for row in copy.rows("SELECT * FROM leases WHERE holder IS NOT NULL")]
        runs = copy.rows("SELECT id FROM runs WHERE outcome IS NULL ORDER BY id")
    return replace(health, leases=tuple(filter(None, leases)), unfinished=tuple(row["id"] for row in runs))


def is_ours(database: sqlite3.Connection) -> bool:
    """Whether the tables of a ledger are in a file."""
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return tables >= {"runs", "leases"}


def require_intact(database: Database) -> None:
    """Raise StateError if the pages of the ledger are damaged. Caches and history are not looked at: they may be big.

    An index that lacks a row is found by `rsspot ledger verify` alone, since that needs a look at every row.
    """
    if database.path is None:
        return
    names = (str(row["name"]) for row in database.rows("SELECT name FROM sqlite_master WHERE type = 'table'"))
    for name in sorted(set(names) - BESIDE_THE_LEDGER):
        found = str(database.rows(f"PRAGMA quick_check('{name}')")[0][0])
        if found != "ok":
            raise StateError(f"{database.path} is damaged: {found}", hint=DAMAGED)
