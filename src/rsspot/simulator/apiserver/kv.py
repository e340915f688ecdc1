"""Storage for everything in a world but its objects: facts, timers, events and price ticks. Applies no rules."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rsspot.utils.files import private_database

MOST_EVENTS = 1000
"""How many events are kept for each namespace."""
FORMAT = 3
"""The version of the file layout. A file with another version is refused."""
FIRST_TIMER = 0
"""The id of a timer that goes before the others; theirs begin at 1."""


class Memory:
    """A SQLite file of facts, timers, events and ticks. `path=None` keeps everything in memory."""

    schema = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS timers (
    id INTEGER PRIMARY KEY, due REAL NOT NULL, action TEXT NOT NULL, payload TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS timers_by_due ON timers (due, id);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, subject TEXT NOT NULL, time TEXT NOT NULL, message TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_namespace ON events (namespace, id);
CREATE TABLE IF NOT EXISTS ticks (
    id INTEGER PRIMARY KEY, subject TEXT NOT NULL, time REAL NOT NULL, value TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS ticks_by_subject ON ticks (subject, id);
"""

    def __init__(self, path: Path | None = None) -> None:
        target = str(private_database(path)) if path else ":memory:"
        self._db = sqlite3.connect(target, timeout=30, isolation_level=None, check_same_thread=False)
        self._check_format()
        self._db.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing. A power cut may lose the last writes, which is acceptable in a simulator.
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(self.schema)
        self._db.execute(f"PRAGMA user_version = {FORMAT}")

    def _check_format(self) -> None:
        """Raise sqlite3.DatabaseError if the file has another layout version."""
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        tables = self._db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
        if tables and version != FORMAT:
            self._db.close()
            raise sqlite3.DatabaseError("it was written by another version of rsspot")

    @contextmanager
    def transaction(self, *, reads: bool = False) -> Iterator[None]:
        """Run a block in one transaction. reads: expect no writes, so that others can write at the same time"""
        self._db.execute("BEGIN" if reads else "BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            # A commit that fails leaves the transaction open, in which nobody could begin another one.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self._forget()
            raise

    def _forget(self) -> None:
        """Forget what is kept about writes that were rolled back."""

    def serial(self) -> int:
        """The next serial number of the world."""
        return self._counted("serial", 0)

    def _counted(self, name: str, start: int) -> int:
        """Increment a named counter and return it."""
        row = self._db.execute(
            "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
            " RETURNING value",
            (name, str(start + 1)),
        ).fetchone()
        return int(row[0])

    def fact(self, name: str, default: str) -> str:
        """A stored string."""
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else default

    def facts(self, prefix: str) -> dict[str, str]:
        """The stored strings whose names begin with a prefix, by the rest of their names."""
        query = "SELECT name, value FROM facts WHERE name >= ? AND name < ?"
        return {name[len(prefix) :]: value for name, value in self._db.execute(query, (prefix, f"{prefix}\U0010ffff"))}

    def set_fact(self, name: str, value: str) -> None:
        """Store a string under a name."""
        self._db.execute(
            "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
        )

    def remove_fact(self, name: str) -> None:
        """Delete a stored string."""
        self._db.execute("DELETE FROM facts WHERE name = ?", (name,))

    def add_event(self, namespace: str, subject: str, time: str, message: str) -> None:
        """Record an event and delete the oldest ones beyond MOST_EVENTS."""
        insert = "INSERT INTO events (namespace, subject, time, message) VALUES (?, ?, ?, ?)"
        self._db.execute(insert, (namespace, subject, time, message))
        newest = "SELECT id FROM events WHERE namespace = ? ORDER BY id DESC LIMIT 1 OFFSET ?"
        delete = f"DELETE FROM events WHERE namespace = ? AND id <= ({newest})"
        self._db.execute(delete, (namespace, namespace, MOST_EVENTS))

    def events(self, namespace: str, subject: str, limit: int) -> list[tuple[str, str]]:
        """(time, message) of the events of a subject, newest first. subject: "" for all subjects"""
        where = "namespace = ?" + (" AND subject = ?" if subject else "")
        parameters = [namespace, *([subject] if subject else []), limit]
        query = f"SELECT time, message FROM events WHERE {where} ORDER BY id DESC LIMIT ?"
        return [(time, message) for time, message in self._db.execute(query, parameters)]

    def add_tick(self, subject: str, time: float, value: str) -> None:
        """Record the value of a subject at a time."""
        self._db.execute("INSERT INTO ticks (subject, time, value) VALUES (?, ?, ?)", (subject, time, value))

    def ticks(self, subject: str, since: float) -> list[tuple[float, str]]:
        """(time, value) of a subject, oldest first. Begins with the value in effect at `since`."""
        newest = "SELECT MAX(id) FROM ticks WHERE subject = ? AND time <= ?"
        query = f"SELECT time, value FROM ticks WHERE subject = ? AND id >= COALESCE(({newest}), 0) ORDER BY id"
        return [(time, value) for time, value in self._db.execute(query, (subject, subject, since))]

    def set_timer(self, due: float, action: str, payload: dict[str, Any]) -> None:
        """Schedule an action."""
        self._db.execute(
            "INSERT INTO timers (due, action, payload) VALUES (?, ?, ?)", (due, action, json.dumps(payload))
        )

    def set_timers(self, dues: Iterable[float], action: str, payload: dict[str, Any]) -> None:
        """Schedule an action several times."""
        insert, text = "INSERT INTO timers (due, action, payload) VALUES (?, ?, ?)", json.dumps(payload)
        self._db.executemany(insert, [(due, action, text) for due in dues])

    def set_first_timer(self, due: float, action: str, payload: dict[str, Any]) -> None:
        """Schedule an action before all others that are due at that time, and leave the numbering of these alone."""
        row = (FIRST_TIMER, due, action, json.dumps(payload))
        self._db.execute("INSERT INTO timers VALUES (?, ?, ?, ?)", row)

    def next_due(self) -> float | None:
        """The due time of the earliest timer; None if there is no timer."""
        row = self._db.execute("SELECT due FROM timers ORDER BY due, id LIMIT 1").fetchone()
        return float(row[0]) if row else None

    def next_timer(self, until: float) -> tuple[float, str, dict[str, Any]] | None:
        """Remove and return the earliest timer due by `until`; None if there is none."""
        row = self._db.execute(
            "DELETE FROM timers WHERE id = (SELECT id FROM timers WHERE due <= ? ORDER BY due, id LIMIT 1)"
            " RETURNING due, action, payload",
            (until,),
        ).fetchone()
        return (row[0], row[1], json.loads(row[2])) if row else None

    def timers(self) -> int:
        """The number of timers."""
        return int(self._db.execute("SELECT COUNT(*) FROM timers").fetchone()[0])

    def image(self) -> bytes:
        """Everything that is stored."""
        return self._db.serialize()

    def load(self, image: bytes) -> None:
        """Replace everything that is stored, in memory."""
        self._db.deserialize(image)

    def close(self) -> None:
        """Close the file. May be called twice."""
        self._db.close()

    def __del__(self) -> None:
        if hasattr(self, "_db"):
            self._db.close()
