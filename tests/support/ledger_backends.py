"""Ledgers of each sort of database, for tests that every ledger has to pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rsspot.state.database import Database
from rsspot.state.ledger.postgres import PostgresLedger
from rsspot.state.ledger.postgres_database import PostgresDatabase
from rsspot.state.ledger.postgres_migration import migrate
from rsspot.state.ledger.sql import SqlLedger
from rsspot.state.ledger.sql_database import LedgerDatabase
from rsspot.state.ledger.sqlite import SqliteLedger
from rsspot.utils.clock import Clock
from support.postgres import shared_server

BACKENDS = ("sqlite", "postgresql")


class Databases:
    """Makes empty databases for ledgers, as many as a test wants."""

    def __init__(self) -> None:
        self.backend = "sqlite"
        self._made: list[LedgerDatabase] = []

    def new(self, file: Path | None = None) -> LedgerDatabase:
        """An empty database. file: where one of SQLite is, if not in memory"""
        made: LedgerDatabase = Database(file, durable=False) if self.backend == "sqlite" else self._on_server()
        self._made.append(made)
        return made

    def _on_server(self) -> PostgresDatabase:
        database = beside(shared_server().fresh(f"ledger_{len(self._made)}"))
        migrate(database)
        return database

    @contextmanager
    def of(self, backend: str) -> Iterator[None]:
        """Make those of one sort while a block lasts."""
        self.backend = backend
        try:
            yield
        finally:
            while self._made:
                self._made.pop().close()
            self.backend = "sqlite"


databases = Databases()


def beside(url: str) -> PostgresDatabase:
    """A connection to a ledger whose leases go by the times that tests give."""
    return PostgresDatabase(url, time=lambda here: here)


def ledger_in(database: LedgerDatabase, clock: Clock | None = None) -> SqlLedger:
    """The ledger in a database."""
    if isinstance(database, PostgresDatabase):
        return PostgresLedger(database, clock)
    assert isinstance(database, Database)
    return SqliteLedger(database, clock)
