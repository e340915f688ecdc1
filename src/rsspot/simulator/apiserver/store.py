"""The object store: JSON objects by plural, namespace and name, with one version counter, in one SQLite file.

It applies no rules. Recent versions are kept, so that lists can be continued and watches resumed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rsspot.simulator.apiserver.terms import PLACE, Object, Place, TermIndex, Terms, within

__all__ = ["FIRST_VERSION", "LONGEST_LOG", "Object", "Place", "Revision", "Rows", "Store", "TooOld"]

LONGEST_LOG = 10_000
"""How many versions are kept: how far back a watch can start and a list can be continued."""
FIRST_VERSION = 1000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    plural TEXT, namespace TEXT, name TEXT, uid TEXT NOT NULL, terms TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (plural, namespace, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS objects_by_uid ON objects (uid);
CREATE TABLE IF NOT EXISTS log (
    version INTEGER PRIMARY KEY, type TEXT NOT NULL, plural TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    body TEXT NOT NULL, previous TEXT
);
CREATE INDEX IF NOT EXISTS log_by_plural ON log (plural, version);
"""

Rows = dict[str, list[tuple[Any, ...]]]
"""Table -> its rows."""


class TooOld(LookupError):
    """A version that is older than the log."""


@dataclass(frozen=True)
class Revision:
    """One write. type: ADDED, MODIFIED or DELETED · body, previous: the object after and before, as JSON texts"""

    version: int
    type: str
    place: Place
    body: str
    previous: str | None


class Store(TermIndex):
    """Every object and its versions, in the same file as the facts and timers. `path=None` keeps it in memory."""

    schema = TermIndex.schema + _SCHEMA

    def __init__(self, path: Path | None = None, terms: Terms = lambda *_: ()) -> None:
        super().__init__(path, terms)
        self.touched: set[tuple[str, str, str]] = set()
        """Plural, namespace and name of what was written; whoever tells the watches removes them."""

    def _forget(self) -> None:
        self.touched.clear()

    def elsewhere(self) -> int:
        """A number that changes whenever another process writes to the file."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def get(self, plural: str, namespace: str, name: str) -> Object | None:
        """One object; None if it does not exist."""
        text = self.text(plural, namespace, name)
        return None if text is None else self.parse(text)

    def text(self, plural: str, namespace: str, name: str) -> str | None:
        """One object as JSON text; None if it does not exist."""
        row = self._db.execute(f"SELECT body FROM objects WHERE {PLACE}", (plural, namespace, name)).fetchone()
        return str(row[0]) if row else None

    def uid(self, plural: str, namespace: str, name: str) -> str | None:
        """The uid of an object; None if it does not exist. Parses nothing."""
        row = self._db.execute(f"SELECT uid FROM objects WHERE {PLACE}", (plural, namespace, name)).fetchone()
        return str(row[0]) if row else None

    def objects(self, plural: str, namespace: str | None = None) -> list[Object]:
        """Objects sorted by namespace and name."""
        return [self.parse(text) for _, text in self.texts(plural, namespace)]

    def texts(
        self, plural: str, namespace: str | None = None, after: Place = ("", ""), limit: int = -1
    ) -> list[tuple[Place, str]]:
        """Objects as JSON texts, sorted by namespace and name, starting after a place."""
        where, parameters = within(plural, namespace)
        # Within one namespace, SQLite can read the rows in key order. With both columns it would sort them all.
        after_place, order = (
            ("(namespace, name) > (?, ?)", "namespace, name") if namespace is None else ("name > ?", "name")
        )
        start = after if namespace is None else after[1:]
        query = f"SELECT namespace, name, body FROM objects WHERE {where} AND {after_place} ORDER BY {order} LIMIT ?"
        rows = self._db.execute(query, [*parameters, *start, limit])
        return [((place, name), body) for place, name, body in rows]

    def get_at(self, version: int, plural: str, namespace: str, name: str) -> Object | None:
        """One object at an earlier version; None if it did not exist. Raises TooOld."""
        undone = self._undone(version, plural, namespace)
        text = undone.get((namespace, name))
        return self.parse(text) if text else None if (namespace, name) in undone else self.get(plural, namespace, name)

    def texts_at(
        self, version: int, plural: str, namespace: str | None, after: Place, limit: int
    ) -> list[tuple[Place, str]]:
        """Like `texts`, at an earlier version. Raises TooOld."""
        undone = self._undone(version, plural, namespace)
        widened = limit + len(undone) if limit >= 0 else -1
        unchanged = [row for row in self.texts(plural, namespace, after, widened) if row[0] not in undone]
        earlier = [(place, text) for place, text in undone.items() if text is not None and place > after]
        return sorted([*unchanged, *earlier])[: limit if limit >= 0 else None]

    def count(self, plural: str, namespace: str | None, after: Place = ("", "")) -> int:
        """The number of objects after a place. That of all objects is kept, and need not be counted."""
        where, parameters = within(plural, namespace)
        if after == ("", ""):
            query = f"SELECT COALESCE(SUM(count), 0) FROM counts WHERE {where}"
            return int(self._db.execute(query, parameters).fetchone()[0])
        query = f"SELECT COUNT(*) FROM objects WHERE {where} AND (namespace, name) > (?, ?)"
        return int(self._db.execute(query, [*parameters, *after]).fetchone()[0])

    def count_at(self, version: int, plural: str, namespace: str | None, after: Place) -> int:
        """Like `count`, at an earlier version. Raises TooOld."""
        undone = self._undone(version, plural, namespace)
        current = sum(self._exists(plural, place) for place in undone if place > after)
        earlier = sum(text is not None for place, text in undone.items() if place > after)
        return self.count(plural, namespace, after) - current + earlier

    def _undone(self, version: int, plural: str, namespace: str | None) -> dict[Place, str | None]:
        """Every object that changed since a version, as it was then; None if it did not exist. Raises TooOld."""
        if version < self.oldest_change():
            raise TooOld(version)
        where, parameters = within(plural, namespace)
        # SQLite takes the other columns from the row that has the minimum.
        query = f"SELECT namespace, name, previous, MIN(version) FROM log WHERE {where} AND version > ?"
        rows = self._db.execute(f"{query} GROUP BY namespace, name", [*parameters, version])
        return {(place, name): previous for place, name, previous, _ in rows}

    def _exists(self, plural: str, place: Place) -> bool:
        query = f"SELECT 1 FROM objects WHERE {PLACE}"
        return self._db.execute(query, (plural, *place)).fetchone() is not None

    def put(self, plural: str, body: Object) -> Object:
        """Write an object under a new resourceVersion."""
        metadata = body["metadata"]
        place = (plural, metadata.get("namespace", ""), metadata["name"])
        row = self._db.execute(f"SELECT body, terms FROM objects WHERE {PLACE}", place).fetchone()
        version = self.next_version()
        metadata["resourceVersion"] = str(version)
        text, terms = json.dumps(body), json.dumps(self._all_terms(plural, body))
        self._db.execute(
            "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (plural, namespace, name) DO UPDATE SET body = excluded.body, terms = excluded.terms",
            (*place, metadata.get("uid", ""), terms, text),
        )
        self._index(place, row[1] if row else "[]", terms)
        if not row:
            self._count(place, 1)
        self._log(version, "MODIFIED" if row else "ADDED", place, text, row[0] if row else None)
        return body

    def remove(self, plural: str, body: Object) -> None:
        """Delete an object under a new resourceVersion."""
        metadata = body["metadata"]
        place = (plural, metadata.get("namespace", ""), metadata["name"])
        row = self._db.execute(f"DELETE FROM objects WHERE {PLACE} RETURNING body, terms", place).fetchone()
        version = self.next_version()
        metadata["resourceVersion"] = str(version)
        if row:
            self._index(place, row[1], "[]")
            self._count(place, -1)
        self._log(version, "DELETED", place, json.dumps(body), row[0] if row else None)

    def lives(self, uid: str) -> bool:
        """Whether an object with this uid exists."""
        return self._db.execute("SELECT 1 FROM objects WHERE uid = ?", (uid,)).fetchone() is not None

    def changes(self, plural: str, namespace: str | None, after: int, name: str = "") -> list[Revision]:
        """The writes to objects of a plural since a version. name: of the only object to look at. Raises TooOld."""
        if after < self.oldest_change():
            raise TooOld(after)
        where, parameters = within(plural, namespace)
        where, parameters = (f"{where} AND name = ?", [*parameters, name]) if name else (where, parameters)
        query = f"SELECT version, type, namespace, name, body, previous FROM log WHERE {where} AND version > ?"
        rows = self._db.execute(f"{query} ORDER BY version", [*parameters, after])
        return [Revision(row[0], row[1], (row[2], row[3]), row[4], row[5]) for row in rows]

    def places_changed(self, plural: str, after: int, kind: str = "") -> list[Place]:
        """Where a plural's objects changed since a version. kind: ADDED for new ones only. Raises TooOld."""
        if after < self.oldest_change():
            raise TooOld(after)
        query = "SELECT DISTINCT namespace, name FROM log WHERE plural = ? AND version > ?"
        if kind:
            return self._db.execute(f"{query} AND type = ?", (plural, after, kind)).fetchall()
        return self._db.execute(query, (plural, after)).fetchall()

    def oldest_change(self) -> int:
        """The oldest version whose later changes are all in the log; 0 if the log was never compacted."""
        oldest = self._db.execute("SELECT MIN(version) FROM log").fetchone()[0] or self.version() + 1
        return int(oldest) - 1 if oldest > FIRST_VERSION + 1 else 0

    def compact(self, version: int) -> None:
        """Delete the log up to a version."""
        self._db.execute("DELETE FROM log WHERE version <= ?", (version,))

    def _log(self, version: int, kind: str, place: tuple[str, str, str], text: str, previous: str | None) -> None:
        self.touched.add(place)
        row = (version, kind, *place, text, previous)
        self._db.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        if version % 1000 == 0:
            self.compact(version - LONGEST_LOG)

    def rows(self) -> Rows:
        """Every row that is stored."""
        tables = self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: self._db.execute(f"SELECT * FROM {name}").fetchall() for (name,) in tables}

    def add_rows(self, rows: Rows) -> None:
        """Store rows, each in the place of one with its key."""
        for name, several in rows.items():
            if several:
                places = ", ".join("?" * len(several[0]))
                self._db.executemany(f"INSERT OR REPLACE INTO {name} VALUES ({places})", several)

    def version(self) -> int:
        """The version of the last write."""
        return int(self.fact("version", str(FIRST_VERSION)))

    def next_version(self) -> int:
        """Increment the version counter and return it."""
        return self._counted("version", FIRST_VERSION)
