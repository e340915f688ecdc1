"""Opens one SQLite file: private, in WAL mode, backed up and then migrated. Knows nothing about its tables."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from enum import Enum
from pathlib import Path
from threading import RLock
from time import monotonic, sleep
from typing import Any

from rsspot.errors import StateError
from rsspot.state.failures import ERRORS, REPLACED, is_locked, is_unwritable, state_error
from rsspot.state.first_release import beside, is_first_release
from rsspot.state.migrations import MIGRATIONS
from rsspot.state.read_only import copy_in_memory
from rsspot.utils.files import private_database, private_file

BUSY_TIMEOUT = 10.0
"""Seconds to wait while another connection writes."""
IMPATIENT = 0.1
"""The same for caches and history, which must not delay a command."""


class Access(Enum):
    """How a file is opened. WRITE: for writing, or not at all · READ: a file that may not be written is only read

    COPY: a copy in memory, brought up to date there, so that nothing in or beside the file is changed
    """

    WRITE = "write"
    READ = "read"
    COPY = "copy"


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
        access: Access = Access.WRITE,
    ) -> None:
        self.beside_of = path if path and is_first_release(path) else None
        """The file of a first release at the given path. It is left alone, and ours is beside it."""
        self.path = path = beside(path) if path and self.beside_of else path
        self._guard = RLock()
        self._file: tuple[int, int] | None = None
        """What tells the file that is open from another one at its path; None for a database in memory."""
        self.name = str(self.path)
        self.copied = False
        """Whether this is a copy in memory, which cannot be written."""
        self._open(migrations, durable, patience, access)

    keeps_time, for_share, next_run = False, "", "NULL"
    """See `LedgerDatabase`. Each process goes by its own clock, no row is changed while another one writes, and SQLite
    gives numbers by itself."""

    def now(self, here: datetime) -> datetime:
        return here

    @contextmanager
    def transaction(self, alone: str = "") -> Iterator[sqlite3.Connection]:
        """Run a transaction and roll it back on any error. One inside another is a part of it, rolled back alone.

        alone: ignored, since every transaction is alone
        """
        try:
            with self._guard:
                self._require_same_file()
                if self.copied:
                    raise state_error("write", self.path, PermissionError(errno.EACCES, "it is read-only"))
                with self._transaction():
                    yield self._connection
        except ERRORS as error:
            raise state_error("write", self.path, error) from None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        execute, nested = self._connection.execute, self._connection.in_transaction
        execute("SAVEPOINT part" if nested else "BEGIN IMMEDIATE")
        try:
            yield
            execute("RELEASE part" if nested else "COMMIT")
        except BaseException:
            # After a signal, the commit may or may not have taken effect. A transaction left open would absorb
            # all later ones, and none of them would be committed.
            if self._connection.in_transaction:
                execute("ROLLBACK TO part" if nested else "ROLLBACK")
            raise

    def rows(self, query: str, *parameters: Any) -> list[sqlite3.Row]:
        """Return all rows of a query. parameters: one for each `?`, or one mapping of all that have names"""
        named = parameters[0] if parameters and isinstance(parameters[0], Mapping) else parameters
        try:
            with self._guard:
                self._require_same_file()
                return self._connection.execute(query, named).fetchall()
        except ERRORS as error:
            raise state_error("read", self.path, error) from None

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all queries of a block see the file as it was at the first of them."""
        with self._guard:
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("ROLLBACK")

    def compact(self) -> int | None:
        """Give the space of deleted rows back. Returns how many bytes; None while another process uses the file."""
        before = self._size()
        try:
            with self._guard:
                self._connection.execute("VACUUM")
                busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError as error:
            if not is_locked(error):
                raise state_error("compact", self.path, error) from None
            busy = True
        return None if busy else before - self._size()

    def _size(self) -> int:
        [pages], [size] = self.rows("PRAGMA page_count"), self.rows("PRAGMA page_size")
        return int(pages[0]) * int(size[0])

    def foreign_writes(self) -> int:
        """A number that changes whenever another connection has written to the file."""
        return int(self.rows("PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Close the file. May be called more than once."""
        if hasattr(self, "_connection"):
            self._connection.close()

    def __del__(self) -> None:
        # Nothing is lost if the caller forgot to close: no transaction outlives its `with` block.
        self.close()

    def _open(self, migrations: Sequence[str], durable: bool, patience: float, access: Access) -> None:
        try:
            self._connect(access, patience)
            self._prepare(migrations, durable)
        except (*ERRORS, OSError) as error:
            if access is not Access.READ or not is_unwritable(error):
                raise state_error("open", self.path, error) from None
            self.close()
            self._open(migrations, False, patience, Access.COPY)

    def _connect(self, access: Access, patience: float) -> None:
        if access is Access.COPY and self.path:
            self._connection = copy_in_memory(self.path, patience)
            self.copied = True
        else:
            target = str(private_database(self.path)) if self.path else ":memory:"
            self._connection = sqlite3.connect(target, timeout=patience, isolation_level=None, check_same_thread=False)
            self._write_ahead(patience)
            self._file = _identity(self.path)
        self._connection.row_factory = sqlite3.Row

    def _require_same_file(self) -> None:
        """Raise StateError if the file at our path is another one by now: nobody would read what we write to ours."""
        if self._file is not None and _identity(self.path) != self._file:
            raise StateError(f"{self.path} was deleted, moved or replaced while it was in use", hint=REPLACED)

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
        with self._transaction():
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
        if self._file is None or self.path is None:
            return
        copy = self.path.with_name(f"{self.path.name}.schema{version}")
        # A connection inside a transaction cannot be the source of a backup, so open another one.
        with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(private_file(copy))) as target:
            source.backup(target)

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])


def _identity(path: Path | None) -> tuple[int, int] | None:
    """What tells one file from another, whatever its name. None if there is none at the path."""
    try:
        status = path.stat() if path else None
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if status else None
