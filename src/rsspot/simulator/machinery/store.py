"""The object store: JSON objects by plural, namespace and name in one sqlite file, with one version counter and timers.

No rules. Every version of the last while is kept, so that lists can be continued and watches resumed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Object = dict[str, Any]
Place = tuple[str, str]
"""Namespace and name."""

LONGEST_LOG = 10_000
"""How many versions back a watch may start, and a list may be continued."""
MOST_EVENTS = 1000
"""How many events of a namespace are remembered."""
FIRST_VERSION = 1000

_PLACE = "plural = ? AND namespace = ? AND name = ?"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    plural TEXT, namespace TEXT, name TEXT, uid TEXT NOT NULL, owners TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (plural, namespace, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS objects_by_uid ON objects (uid);
CREATE TABLE IF NOT EXISTS owned (
    owner TEXT, plural TEXT, namespace TEXT, name TEXT, PRIMARY KEY (owner, plural, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS timers (
    id INTEGER PRIMARY KEY, due REAL NOT NULL, action TEXT NOT NULL, payload TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS timers_by_due ON timers (due, id);
CREATE TABLE IF NOT EXISTS log (
    version INTEGER PRIMARY KEY, type TEXT NOT NULL, plural TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    body TEXT NOT NULL, previous TEXT
);
CREATE INDEX IF NOT EXISTS log_by_plural ON log (plural, version);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, subject TEXT NOT NULL, time TEXT NOT NULL, message TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_namespace ON events (namespace, id);
CREATE TABLE IF NOT EXISTS ticks (
    id INTEGER PRIMARY KEY, subject TEXT NOT NULL, time REAL NOT NULL, value TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS ticks_by_subject ON ticks (subject, id);
"""


class TooOld(LookupError):
    """A version from before all that is remembered."""


@dataclass(frozen=True)
class Change:
    """One write. type: ADDED, MODIFIED or DELETED · body, previous: JSON texts of the object after and before."""

    version: int
    type: str
    place: Place
    body: str
    previous: str | None


class Store:
    """Objects, facts and timers. `path=None` keeps them in memory."""

    def __init__(self, path: Path | None = None) -> None:
        if path:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._db = sqlite3.connect(
            str(path) if path else ":memory:", timeout=30, isolation_level=None, check_same_thread=False
        )
        self._db.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing; a power cut may cost a toy world its last moments.
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def get(self, plural: str, namespace: str, name: str) -> Object | None:
        """One object."""
        row = self._db.execute(f"SELECT body FROM objects WHERE {_PLACE}", (plural, namespace, name)).fetchone()
        return json.loads(row[0]) if row else None

    def objects(self, plural: str, namespace: str | None = None) -> list[Object]:
        """Objects in order of namespace and name."""
        return [json.loads(text) for _, text in self.texts(plural, namespace)]

    def texts(
        self, plural: str, namespace: str | None = None, after: Place = ("", ""), limit: int = -1
    ) -> list[tuple[Place, str]]:
        """Objects as JSON texts, in order of namespace and name, from just after a place on."""
        where, parameters = _within(plural, namespace)
        query = f"SELECT namespace, name, body FROM objects WHERE {where} AND (namespace, name) > (?, ?)"
        rows = self._db.execute(f"{query} ORDER BY namespace, name LIMIT ?", [*parameters, *after, limit])
        return [((place, name), body) for place, name, body in rows]

    def get_at(self, version: int, plural: str, namespace: str, name: str) -> Object | None:
        """One object as it was at an earlier version. Raises TooOld."""
        undone = self._undone(version, plural, namespace)
        text = undone.get((namespace, name))
        return json.loads(text) if text else None if (namespace, name) in undone else self.get(plural, namespace, name)

    def texts_at(
        self, version: int, plural: str, namespace: str | None, after: Place, limit: int
    ) -> list[tuple[Place, str]]:
        """The same as it was at an earlier version. Raises TooOld."""
        undone = self._undone(version, plural, namespace)
        wider = limit + len(undone) if limit >= 0 else -1
        unchanged = [row for row in self.texts(plural, namespace, after, wider) if row[0] not in undone]
        earlier = [(place, text) for place, text in undone.items() if text is not None and place > after]
        return sorted([*unchanged, *earlier])[: limit if limit >= 0 else None]

    def count(self, plural: str, namespace: str | None, after: Place = ("", "")) -> int:
        """How many objects stand after a place."""
        where, parameters = _within(plural, namespace)
        query = f"SELECT COUNT(*) FROM objects WHERE {where} AND (namespace, name) > (?, ?)"
        return int(self._db.execute(query, [*parameters, *after]).fetchone()[0])

    def count_at(self, version: int, plural: str, namespace: str | None, after: Place) -> int:
        """How many there were after it at an earlier version."""
        undone = self._undone(version, plural, namespace)
        now = sum(self._exists(plural, place) for place in undone if place > after)
        then = sum(text is not None for place, text in undone.items() if place > after)
        return self.count(plural, namespace, after) - now + then

    def _undone(self, version: int, plural: str, namespace: str | None) -> dict[Place, str | None]:
        """What each object that changed since a version was then; None for what was not there."""
        if version < self.oldest_change():
            raise TooOld(version)
        where, parameters = _within(plural, namespace)
        # sqlite takes the other columns of a MIN from the row that has it.
        query = f"SELECT namespace, name, previous, MIN(version) FROM log WHERE {where} AND version > ?"
        rows = self._db.execute(f"{query} GROUP BY namespace, name", [*parameters, version])
        return {(place, name): previous for place, name, previous, _ in rows}

    def _exists(self, plural: str, place: Place) -> bool:
        query = f"SELECT 1 FROM objects WHERE {_PLACE}"
        return self._db.execute(query, (plural, *place)).fetchone() is not None

    def put(self, plural: str, body: Object) -> Object:
        """Write an object under a new resourceVersion."""
        metadata = body["metadata"]
        place = (plural, metadata.get("namespace", ""), metadata["name"])
        row = self._db.execute(f"SELECT body, owners FROM objects WHERE {_PLACE}", place).fetchone()
        version = self.next_version()
        metadata["resourceVersion"] = str(version)
        text = json.dumps(body)
        owners = sorted({each.get("uid", "") for each in metadata.get("ownerReferences") or ()})
        self._db.execute(
            "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (plural, namespace, name) DO UPDATE SET body = excluded.body, owners = excluded.owners",
            (*place, metadata.get("uid", ""), "\n".join(owners), text),
        )
        before = row[1].split("\n") if row and row[1] else []
        if owners != before:
            self._reown(place, before, owners)
        self._log(version, "MODIFIED" if row else "ADDED", place, text, row[0] if row else None)
        return body

    def remove(self, plural: str, body: Object) -> None:
        """Forget an object."""
        metadata = body["metadata"]
        place = (plural, metadata.get("namespace", ""), metadata["name"])
        row = self._db.execute(f"DELETE FROM objects WHERE {_PLACE} RETURNING body, owners", place).fetchone()
        version = self.next_version()
        metadata["resourceVersion"] = str(version)
        self._reown(place, row[1].split("\n") if row and row[1] else [], [])
        self._log(version, "DELETED", place, json.dumps(body), row[0] if row else None)

    def _reown(self, place: tuple[str, str, str], before: Iterable[str], after: Iterable[str]) -> None:
        gone = [(owner, *place) for owner in before]
        self._db.executemany(f"DELETE FROM owned WHERE owner = ? AND {_PLACE}", gone)
        self._db.executemany("INSERT INTO owned VALUES (?, ?, ?, ?)", [(owner, *place) for owner in after])

    def dependents(self, uid: str) -> list[tuple[str, Object]]:
        """The objects that name an owner, with their plurals."""
        query = "SELECT plural, body FROM owned JOIN objects USING (plural, namespace, name) WHERE owner = ?"
        rows = self._db.execute(f"{query} ORDER BY plural, namespace, name", (uid,))
        return [(plural, json.loads(body)) for plural, body in rows]

    def lives(self, uid: str) -> bool:
        """Whether there is an object of a uid."""
        return self._db.execute("SELECT 1 FROM objects WHERE uid = ?", (uid,)).fetchone() is not None

    def changes(self, plural: str, namespace: str | None, after: int) -> list[Change]:
        """What happened to objects of a plural since a version. Raises TooOld."""
        if after < self.oldest_change():
            raise TooOld(after)
        where, parameters = _within(plural, namespace)
        query = f"SELECT version, type, namespace, name, body, previous FROM log WHERE {where} AND version > ?"
        rows = self._db.execute(f"{query} ORDER BY version", [*parameters, after])
        return [Change(row[0], row[1], (row[2], row[3]), row[4], row[5]) for row in rows]

    def oldest_change(self) -> int:
        """The version after which every change is still known; 0 where nothing was forgotten yet."""
        oldest = self._db.execute("SELECT MIN(version) FROM log").fetchone()[0] or self.version() + 1
        return int(oldest) - 1 if oldest > FIRST_VERSION + 1 else 0

    def compact(self, version: int) -> None:
        """Forget what happened up to a version."""
        self._db.execute("DELETE FROM log WHERE version <= ?", (version,))

    def _log(self, version: int, kind: str, place: tuple[str, str, str], text: str, previous: str | None) -> None:
        row = (version, kind, *place, text, previous)
        self._db.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        if version % 1000 == 0:
            self.compact(version - LONGEST_LOG)

    def version(self) -> int:
        """The version of the last write."""
        return int(self.fact("version", str(FIRST_VERSION)))

    def next_version(self) -> int:
        """A version higher than every earlier one."""
        return self._counted("version", FIRST_VERSION)

    def serial(self) -> int:
        """The next of a world's own numbers."""
        return self._counted("serial", 0)

    def _counted(self, name: str, start: int) -> int:
        row = self._db.execute(
            "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
            " RETURNING value",
            (name, str(start + 1)),
        ).fetchone()
        return int(row[0])

    def fact(self, name: str, default: str) -> str:
        """A remembered string."""
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else default

    def set_fact(self, name: str, value: str) -> None:
        """Remember a string."""
        self._db.execute(
            "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
        )

    def remove_fact(self, name: str) -> None:
        """Forget a string."""
        self._db.execute("DELETE FROM facts WHERE name = ?", (name,))

    def add_event(self, namespace: str, subject: str, time: str, message: str) -> None:
        """Remember that something happened, and forget what is too long ago."""
        insert = "INSERT INTO events (namespace, subject, time, message) VALUES (?, ?, ?, ?)"
        self._db.execute(insert, (namespace, subject, time, message))
        newest = "SELECT id FROM events WHERE namespace = ? ORDER BY id DESC LIMIT 1 OFFSET ?"
        delete = f"DELETE FROM events WHERE namespace = ? AND id <= ({newest})"
        self._db.execute(delete, (namespace, namespace, MOST_EVENTS))

    def events(self, namespace: str, subject: str, limit: int) -> list[tuple[str, str]]:
        """(time, message) of what happened to a subject, or to all of them, newest first."""
        where = "namespace = ?" + (" AND subject = ?" if subject else "")
        parameters = [namespace, *([subject] if subject else []), limit]
        query = f"SELECT time, message FROM events WHERE {where} ORDER BY id DESC LIMIT ?"
        return [(time, message) for time, message in self._db.execute(query, parameters)]

    def add_tick(self, subject: str, time: float, value: str) -> None:
        """Remember a value of something that moves."""
        self._db.execute("INSERT INTO ticks (subject, time, value) VALUES (?, ?, ?)", (subject, time, value))

    def ticks(self, subject: str, since: float) -> list[tuple[float, str]]:
        """(time, value) of a subject, oldest first; the first may be from before `since`, and holds at it."""
        newest = "SELECT MAX(id) FROM ticks WHERE subject = ? AND time <= ?"
        query = f"SELECT time, value FROM ticks WHERE subject = ? AND id >= COALESCE(({newest}), 0) ORDER BY id"
        return [(time, value) for time, value in self._db.execute(query, (subject, subject, since))]

    def set_timer(self, due: float, action: str, payload: dict[str, Any]) -> None:
        """Have an action done at a time."""
        self._db.execute(
            "INSERT INTO timers (due, action, payload) VALUES (?, ?, ?)", (due, action, json.dumps(payload))
        )

    def next_due(self) -> float | None:
        """When the earliest timer is due."""
        row = self._db.execute("SELECT due FROM timers ORDER BY due, id LIMIT 1").fetchone()
        return float(row[0]) if row else None

    def next_timer(self, until: float) -> tuple[float, str, dict[str, Any]] | None:
        """Take the earliest timer that is due by a time."""
        row = self._db.execute(
            "DELETE FROM timers WHERE id = (SELECT id FROM timers WHERE due <= ? ORDER BY due, id LIMIT 1)"
            " RETURNING due, action, payload",
            (until,),
        ).fetchone()
        return (row[0], row[1], json.loads(row[2])) if row else None

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        self._db.close()

    def __del__(self) -> None:
        if hasattr(self, "_db"):
            self._db.close()


def _within(plural: str, namespace: str | None) -> tuple[str, list[str]]:
    if namespace is None:
        return "plural = ?", [plural]
    return "plural = ? AND namespace = ?", [plural, namespace]
