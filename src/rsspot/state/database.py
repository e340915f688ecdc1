"""Opens one SQLite file: private, in WAL mode, backed up and then migrated. Knows nothing about its tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import RLock
from time import monotonic, sleep

from rsspot.errors import StateError
from rsspot.state.first_release import beside, is_first_release
from rsspot.state.migrations import MIGRATIONS
from rsspot.utils.files import private_database, private_file

BUSY_TIMEOUT = 10.0
"""Seconds to wait while another connection writes."""
IMPATIENT = 0.1
"""The same for caches and history, which must not delay a command."""


class Database:
    """A connection to state.db that any thread may use. `path=None` opens an empty database in memory.

    durable: whether commits must survive a power failure · patience: seconds to wait while another connection writes
    """

    def __init__(
        self,
        path: Path | None,
        migrations: Sequence[str] = MIGRATIONS,
        *,
        durable: bool = True,
        patience: float = BUSY_TIMEOUT,
    ) -> None:
        self.beside_of = path if path and is_first_release(path) else None
        """The file of a first release at the given path. It is left alone, and ours is beside it."""
        self.path = path = beside(path) if path and self.beside_of else path
        self._guard = RLock()
        try:
            target = str(private_database(path)) if path else ":memory:"
            self._connection = sqlite3.connect(target, timeout=patience, isolation_level=None, check_same_thread=False)
            self._connection.row_factory = sqlite3.Row
            self._write_ahead(patience)
            self._prepare(migrations, durable)
        except (sqlite3.Error, OSError) as error:
            hint = "is the disk full, or does the file belong to another user?"
            raise StateError(f"cannot open {path}: {error}", hint=hint) from None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run a transaction and roll it back on any error. A nested transaction joins the outer one."""
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
                    # After a signal, the commit may or may not have taken effect. A transaction left open would absorb
                    # all later ones, and none of them would be committed.
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
        except sqlite3.Error as error:
            raise StateError(f"cannot write {self.path}: {error}", hint="is the disk full or read-only?") from None

    def rows(self, query: str, *parameters: object) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        try:
            with self._guard:
                return self._connection.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise StateError(f"cannot read {self.path}: {error}") from None

    def foreign_writes(self) -> int:
        """A number that changes whenever another connection has written to the file."""
        return int(self.rows("PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Close the file. May be called more than once."""
        self._connection.close()

    def __del__(self) -> None:
        # Nothing is lost if the caller forgot to close: no transaction outlives its `with` block.
        if hasattr(self, "_connection"):
            self._connection.close()

    def _write_ahead(self, patience: float) -> None:
        """Turn on WAL mode.

        Retries by itself: SQLite ignores the busy timeout here while another process creates the file.
        """
        deadline = monotonic() + patience
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() >= deadline:
                    raise
            sleep(0.01)

    def _prepare(self, migrations: Sequence[str], durable: bool) -> None:
        execute = self._connection.execute
        # With NORMAL, a power failure may lose the last commits. An intent could be lost although its request was sent.
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
        if version == 0 and self.beside_of:
            self._say_so()

    def _say_so(self) -> None:
        """Tell once, when the file is created, that it is not the one that other documents name."""
        import logging

        message = "%s belongs to an earlier release and is left as it is; this one keeps its own state in %s"
        logging.getLogger("rsspot.state").warning(message, self.beside_of, self.path)

    def _keep_copy(self, version: int) -> None:
        """Copy the file to the same folder, so that it can be restored if a migration damages it.

        Call this inside the migration's transaction, so that no other process can migrate or copy at the same time.
        """
        if self.path is None:
            return
        copy = self.path.with_name(f"{self.path.name}.schema{version}")
        # A connection inside a transaction cannot be the source of a backup, so open another one.
        with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(private_file(copy))) as target:
            source.backup(target)

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])
