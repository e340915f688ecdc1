"""The object store: JSON objects by plural, namespace and name, with one version counter, in one SQLite file.

It applies no rules. Recent versions are kept, so that lists can be continued and watches resumed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rsspot.simulator.apiserver.kv import Memory

Object = dict[str, Any]
Place = tuple[str, str]
"""Namespace and name."""

LONGEST_LOG = 10_000
"""How many versions are kept: how far back a watch can start and a list can be continued."""
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


class Store(Memory):
    """Every object and its versions, in the same file as the facts and timers. `path=None` keeps it in memory."""

    schema = Memory.schema + _SCHEMA

    def get(self, plural: str, namespace: str, name: str) -> Object | None:
        """One object; None if it does not exist."""
        row = self._db.execute(f"SELECT body FROM objects WHERE {_PLACE}", (plural, namespace, name)).fetchone()
        return json.loads(row[0]) if row else None

    def objects(self, plural: str, namespace: str | None = None) -> list[Object]:
        """Objects sorted by namespace and name."""
        return [json.loads(text) for _, text in self.texts(plural, namespace)]

    def texts(
        self, plural: str, namespace: str | None = None, after: Place = ("", ""), limit: int = -1
    ) -> list[tuple[Place, str]]:
        """Objects as JSON texts, sorted by namespace and name, starting after a place."""
        where, parameters = _within(plural, namespace)
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
        return json.loads(text) if text else None if (namespace, name) in undone else self.get(plural, namespace, name)

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
        """The number of objects after a place."""
        where, parameters = _within(plural, namespace)
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
        where, parameters = _within(plural, namespace)
        # SQLite takes the other columns from the row that has the minimum.
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
        owners = sorted({reference.get("uid", "") for reference in metadata.get("ownerReferences") or ()})
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
        """Delete an object under a new resourceVersion."""
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
        """The objects that have an owner with this uid, with their plurals."""
        query = "SELECT plural, body FROM owned JOIN objects USING (plural, namespace, name) WHERE owner = ?"
        rows = self._db.execute(f"{query} ORDER BY plural, namespace, name", (uid,))
        return [(plural, json.loads(body)) for plural, body in rows]

    def lives(self, uid: str) -> bool:
        """Whether an object with this uid exists."""
        return self._db.execute("SELECT 1 FROM objects WHERE uid = ?", (uid,)).fetchone() is not None

    def changes(self, plural: str, namespace: str | None, after: int) -> list[Revision]:
        """The writes to objects of a plural since a version. Raises TooOld."""
        if after < self.oldest_change():
            raise TooOld(after)
        where, parameters = _within(plural, namespace)
        query = f"SELECT version, type, namespace, name, body, previous FROM log WHERE {where} AND version > ?"
        rows = self._db.execute(f"{query} ORDER BY version", [*parameters, after])
        return [Revision(row[0], row[1], (row[2], row[3]), row[4], row[5]) for row in rows]

    def oldest_change(self) -> int:
        """The oldest version whose later changes are all in the log; 0 if the log was never compacted."""
        oldest = self._db.execute("SELECT MIN(version) FROM log").fetchone()[0] or self.version() + 1
        return int(oldest) - 1 if oldest > FIRST_VERSION + 1 else 0

    def compact(self, version: int) -> None:
        """Delete the log up to a version."""
        self._db.execute("DELETE FROM log WHERE version <= ?", (version,))

    def _log(self, version: int, kind: str, place: tuple[str, str, str], text: str, previous: str | None) -> None:
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


def _within(plural: str, namespace: str | None) -> tuple[str, list[str]]:
    if namespace is None:
        return "plural = ?", [plural]
    return "plural = ? AND namespace = ?", [plural, namespace]
