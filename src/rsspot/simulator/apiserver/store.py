"""The object store: JSON objects by plural, namespace and name, with one version counter, in one sqlite file.

No rules. Every version of the last while is kept, so that lists can be continued and watches resumed.
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
"""How many versions back a watch may start, and a list may be continued."""
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


class TooOld(LookupError):
    """A version from before all that is remembered."""


@dataclass(frozen=True)
class Revision:
    """One write. type: ADDED, MODIFIED or DELETED · body, previous: JSON texts of the object after and before."""

    version: int
    type: str
    place: Place
    body: str
    previous: str | None


class Store(Memory):
    """Every object and its versions, beside all else that a world remembers. `path=None` keeps it in memory."""

    schema = Memory.schema + _SCHEMA

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
        # Within one namespace the key alone gives the order; sqlite would sort all that is left otherwise.
        beyond, order = ("(namespace, name) > (?, ?)", "namespace, name") if namespace is None else ("name > ?", "name")
        start = after if namespace is None else after[1:]
        query = f"SELECT namespace, name, body FROM objects WHERE {where} AND {beyond} ORDER BY {order} LIMIT ?"
        rows = self._db.execute(query, [*parameters, *start, limit])
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

    def changes(self, plural: str, namespace: str | None, after: int) -> list[Revision]:
        """What happened to objects of a plural since a version. Raises TooOld."""
        if after < self.oldest_change():
            raise TooOld(after)
        where, parameters = _within(plural, namespace)
        query = f"SELECT version, type, namespace, name, body, previous FROM log WHERE {where} AND version > ?"
        rows = self._db.execute(f"{query} ORDER BY version", [*parameters, after])
        return [Revision(row[0], row[1], (row[2], row[3]), row[4], row[5]) for row in rows]

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


def _within(plural: str, namespace: str | None) -> tuple[str, list[str]]:
    if namespace is None:
        return "plural = ?", [plural]
    return "plural = ? AND namespace = ?", [plural, namespace]
