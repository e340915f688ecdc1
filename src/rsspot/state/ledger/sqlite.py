"""SqliteLedger: the ledger in one SQLite file, state.db."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from rsspot.state.database import Access, Database
from rsspot.state.first_release import registrations as registrations_of
from rsspot.state.health import require_intact
from rsspot.state.ledger.sql import SqlLedger
from rsspot.utils.clock import Clock


def open_at(url: str, *, create: bool, reading: bool = False) -> SqliteLedger:
    """See `state.ledger.open_ledger`."""
    database = open_database(url, create=create, reading=reading)
    if not reading:
        # A file that may only be read is refused now, and not when a plan has been made and approved.
        with database.transaction() as db:
            db.execute("DELETE FROM leases WHERE FALSE")
    ledger = SqliteLedger(database)
    ledger.take_over()
    return ledger


def open_database(url: str, *, create: bool, reading: bool = False) -> Database:
    """The file, which is not damaged. An empty database in memory for a missing file that must not be created."""
    path = file_of(url)
    access = Access.READ if reading else Access.WRITE
    database = Database(path if create or path.exists() else None, access=access)
    require_intact(database)
    return database


def file_of(url: str) -> Path:
    """The file that a path or a URL of this backend names."""
    return Path(unquote(urlsplit(url).path)) if "://" in url else Path(url)


class SqliteLedger(SqlLedger):
    """See `Ledger` for the methods. clock: tells the times on record; that of this machine unless given"""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        super().__init__(database, clock)
        self._file = database

    def take_over(self) -> None:
        """Take over what a first release has registered since the last time, if its state.db is beside ours.

        The newer record of a machine counts. One that a worker of ours has claimed is not touched.
        """
        file = self._file.beside_of
        if file is None or self._file.copied:
            return
        rows = self._db.rows("SELECT until FROM taken_over WHERE path = ?", str(file))
        found = registrations_of(file, after=rows[0]["until"] if rows else 0.0)
        if not found:
            return
        with self._db.transaction() as db:
            self.put_registrations(record for _, record in found if self.is_newer(record))
            db.execute(
                "INSERT INTO taken_over (path, until) VALUES (?, ?)"
                " ON CONFLICT (path) DO UPDATE SET until = max(until, excluded.until)",
                (str(file), found[-1][0]),
            )
