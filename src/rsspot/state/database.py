"""One sqlite file, opened safely: private, WAL, migrated after a copy was kept. Knows no table."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import RLock
from time import monotonic, sleep

from rsspot.errors import StateError
from rsspot.state.migrations import MIGRATIONS
from rsspot.utils.files import private_file

BUSY_TIMEOUT = 10.0
"""Seconds to wait for another process's transaction."""
IMPATIENT = 0.1
"""The same for what is only a convenience, and must not hold anybody up."""


class Database:
    """A connection to state.db, for any thread. `path=None` is a database in memory that remembers nothing.

    durable: whether what was written must outlast a power cut · patience: seconds to wait for another's transaction
    """

    def __init__(
        self,
        path: Path | None,
        migrations: Sequence[str] = MIGRATIONS,
        *,
        durable: bool = True,
        patience: float = BUSY_TIMEOUT,
    ) -> None:
        self.path = path
        self._guard = RLock()
        try:
            target = str(private_file(path)) if path else ":memory:"
            self._connection = sqlite3.connect(target, timeout=patience, isolation_level=None, check_same_thread=False)
            self._connection.row_factory = sqlite3.Row
            self._write_ahead(patience)
            self._prepare(migrations, durable)
        except (sqlite3.Error, OSError) as error:
            raise StateError(f"cannot open {path}: {error}", hint="is the disk full, or the file not ours?") from None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction, rolled back on any error; inside another one it is part of that."""
        try:
            with self._guard:
                if self._connection.in_transaction:
                    yield self._connection
                    return
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    # A signal may come just after the commit; a transaction left open would swallow the next one.
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
        except sqlite3.Error as error:
            raise StateError(f"cannot write {self.path}: {error}", hint="is the disk full or read-only?") from None

    def rows(self, query: str, *parameters: object) -> list[sqlite3.Row]:
        """The rows of a query."""
        try:
            with self._guard:
                return self._connection.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise StateError(f"cannot read {self.path}: {error}") from None

    def foreign_writes(self) -> int:
        """A number that changes whenever somebody else has written to the file."""
        return int(self.rows("PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        self._connection.close()

    def __del__(self) -> None:
        # Whoever forgot to close loses nothing: every transaction is over when it returns.
        if hasattr(self, "_connection"):
            self._connection.close()

    def _write_ahead(self, patience: float) -> None:
        """Turn WAL on. For this sqlite does not wait while another process, the first to open a new file, writes."""
        until = monotonic() + patience
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() >= until:
                    raise
            sleep(0.01)

    def _prepare(self, migrations: Sequence[str], durable: bool) -> None:
        execute = self._connection.execute
        # NORMAL may lose the last commits when the power fails: an intent could vanish after its request.
        execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        execute("PRAGMA foreign_keys = ON")
        version = self._version()
        if version == len(migrations):
            return
        with self.transaction():
            version = self._version()
            if version > len(migrations):
                raise StateError(f"{self.path} was written by a newer rsspot (schema {version})", hint="upgrade rsspot")
            if 0 < version < len(migrations):
                self._keep_copy(version)
            for migration in migrations[version:]:
                for statement in filter(str.strip, migration.split(";")):
                    execute(statement)
            execute(f"PRAGMA user_version = {len(migrations)}")

    def _keep_copy(self, version: int) -> None:
        """The file as it is, beside itself: what a migration spoils can be had back.

        Inside the migration's transaction: another process must neither migrate before it is copied, nor copy as well.
        """
        if self.path is None:
            return
        copy = self.path.with_name(f"{self.path.name}.schema{version}")
        # A connection that is inside a transaction cannot be the source.
        with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(private_file(copy))) as target:
            source.backup(target)

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])
