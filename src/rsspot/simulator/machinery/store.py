"""The object store: JSON objects by plural, namespace and name in one sqlite file, with one version counter and timers.

No rules.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Object = dict[str, Any]

LONGEST_LOG = 10_000
"""How many versions back a watch may start."""
MOST_EVENTS = 1000
"""How many events of a namespace are remembered."""

_PLACE = "plural = ? AND namespace = ? AND name = ?"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    plural TEXT, namespace TEXT, name TEXT, body TEXT NOT NULL, PRIMARY KEY (plural, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS timers (
    id INTEGER PRIMARY KEY, due REAL NOT NULL, action TEXT NOT NULL, payload TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS log (
    version INTEGER PRIMARY KEY, type TEXT NOT NULL, plural TEXT NOT NULL, namespace TEXT NOT NULL,
    body TEXT NOT NULL, previous TEXT
);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, subject TEXT NOT NULL, time TEXT NOT NULL, message TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_namespace ON events (namespace, id);
CREATE INDEX IF NOT EXISTS timers_by_due ON timers (due, id);
"""


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

    def objects(
        self, plural: str, namespace: str | None = None, after: tuple[str, str] = ("", ""), limit: int = -1
    ) -> list[Object]:
        """Objects in order of namespace and name, from just after a place on."""
        where = "plural = ? AND (namespace, name) > (?, ?)" + ("" if namespace is None else " AND namespace = ?")
        parameters = [plural, *after, *([] if namespace is None else [namespace]), limit]
        rows = self._db.execute(f"SELECT body FROM objects WHERE {where} ORDER BY namespace, name LIMIT ?", parameters)
        return [json.loads(body) for (body,) in rows]

    def count(self, plural: str, namespace: str | None, after: tuple[str, str]) -> int:
        """How many objects stand after a place."""
        where = "" if namespace is None else " AND namespace = ?"
        parameters = [plural, *after, *([] if namespace is None else [namespace])]
        query = f"SELECT COUNT(*) FROM objects WHERE plural = ? AND (namespace, name) > (?, ?){where}"
        return int(self._db.execute(query, parameters).fetchone()[0])

    def put(self, plural: str, body: Object) -> Object:
        """Write an object under a new resourceVersion."""
        metadata = body["metadata"]
        place = (plural, metadata.get("namespace", ""), metadata["name"])
        row = self._db.execute(f"SELECT body FROM objects WHERE {_PLACE}", place).fetchone()
        kind, previous = ("MODIFIED", row[0]) if row else ("ADDED", None)
        metadata["resourceVersion"] = str(self.next_version())
        text = json.dumps(body)
        self._db.execute(
            "INSERT INTO objects VALUES (?, ?, ?, ?)"
            " ON CONFLICT (plural, namespace, name) DO UPDATE SET body = excluded.body",
            (*place, text),
        )
        self._log(kind, *place[:2], text, previous)
        return body

    def remove(self, plural: str, body: Object) -> None:
        """Forget an object."""
        metadata = body["metadata"]
        namespace = metadata.get("namespace", "")
        metadata["resourceVersion"] = str(self.next_version())
        self._db.execute(f"DELETE FROM objects WHERE {_PLACE}", (plural, namespace, metadata["name"]))
        self._log("DELETED", plural, namespace, json.dumps(body), json.dumps(body))

    def changes(self, plural: str, namespace: str | None, after: int) -> list[tuple[str, Object, Object | None]]:
        """What happened to objects of a plural since a version: (ADDED|MODIFIED|DELETED, object, object before)."""
        where = "" if namespace is None else " AND namespace = ?"
        parameters = [after, plural, *([] if namespace is None else [namespace])]
        query = f"SELECT type, body, previous FROM log WHERE version > ? AND plural = ?{where} ORDER BY version"
        rows = self._db.execute(query, parameters)
        return [(kind, json.loads(body), json.loads(before) if before else None) for kind, body, before in rows]

    def oldest_change(self) -> int:
        """The version after which every change is still known."""
        row = self._db.execute("SELECT MIN(version) FROM log").fetchone()
        return int(row[0]) - 1 if row[0] else self.version()

    def _log(self, kind: str, plural: str, namespace: str, text: str, previous: str | None) -> None:
        version = self.version()
        row = (version, kind, plural, namespace, text, previous)
        self._db.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)", row)
        if version % 1000 == 0:
            self._db.execute("DELETE FROM log WHERE version <= ?", (version - LONGEST_LOG,))

    def version(self) -> int:
        """The version of the last write."""
        return int(self.fact("version", "1000"))

    def next_version(self) -> int:
        """A version higher than every earlier one."""
        version = self.version() + 1
        self.set_fact("version", str(version))
        return version

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

    def set_timer(self, due: float, action: str, payload: dict[str, Any]) -> None:
        """Have an action done at a time."""
        self._db.execute(
            "INSERT INTO timers (due, action, payload) VALUES (?, ?, ?)", (due, action, json.dumps(payload))
        )

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
