"""One sqlite file, opened safely: private, WAL, durable, migrated. Knows no table."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rsspot.errors import StateError
from rsspot.state.migrations import MIGRATIONS
from rsspot.utils import private_file

BUSY_TIMEOUT = 10.0
"""Seconds to wait for another process's transaction."""


class Database:
    """A connection to state.db. `path=None` is a database in memory that remembers nothing."""

    def __init__(self, path: Path | None, migrations: Sequence[str] = MIGRATIONS) -> None:
        self.path = path
        try:
            target = str(private_file(path)) if path else ":memory:"
            self._connection = sqlite3.connect(
                target, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
            )
            self._connection.row_factory = sqlite3.Row
            self._prepare(migrations)
        except (sqlite3.Error, OSError) as error:
            raise StateError(f"cannot open {path}: {error}", hint="is the disk full, or the file not ours?") from None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One durable transaction; rolled back on any error."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise StateError(f"cannot write {self.path}: {error}", hint="is the disk full or read-only?") from None

    def rows(self, query: str, *parameters: object) -> list[sqlite3.Row]:
        """The rows of a query."""
        try:
            return self._connection.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise StateError(f"cannot read {self.path}: {error}") from None

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        self._connection.close()

    def __del__(self) -> None:
        # Whoever forgot to close loses nothing: every transaction is durable when it returns.
        if hasattr(self, "_connection"):
            self._connection.close()

    def _prepare(self, migrations: Sequence[str]) -> None:
        execute = self._connection.execute
        execute("PRAGMA journal_mode = WAL")
        # NORMAL may lose the last commits when the power fails: an intent could vanish after its request.
        execute("PRAGMA synchronous = FULL")
        execute("PRAGMA foreign_keys = ON")
        if self._version() == len(migrations):
            return
        with self.transaction():
            version = self._version()
            if version > len(migrations):
                raise StateError(f"{self.path} was written by a newer rsspot (schema {version})", hint="upgrade rsspot")
            for migration in migrations[version:]:
                for statement in filter(str.strip, migration.split(";")):
                    execute(statement)
            execute(f"PRAGMA user_version = {len(migrations)}")

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])
