"""Finds stored objects by terms and counts them, without reading the others.

A term is a text, such as the uid of an owner. Which other terms an object has is for the service to say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rsspot.simulator.apiserver.kv import Memory

Object = dict[str, Any]
Place = tuple[str, str]
"""Namespace and name."""

Terms = Callable[[str, Object], Iterable[str]]
"""From a plural and an object to the terms that it is found by. None of them begins with `owner/`."""
_OWNER = "owner/"
PLACE = "plural = ? AND namespace = ? AND name = ?"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS terms (
    term TEXT, plural TEXT, namespace TEXT, name TEXT, PRIMARY KEY (term, plural, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counts (
    plural TEXT, namespace TEXT, count INTEGER NOT NULL, PRIMARY KEY (plural, namespace)
) WITHOUT ROWID;
"""


class TermIndex(Memory):
    """The terms and counts of objects, beside the facts and timers. terms: those of an object, besides its owners"""

    schema = Memory.schema + _SCHEMA

    def __init__(self, path: Path | None, terms: Terms) -> None:
        super().__init__(path)
        self._terms = terms
        self.parsed = 0
        """How many objects were parsed so far: most of the time goes into that."""

    def parse(self, text: str) -> Object:
        """The object of a stored text."""
        self.parsed += 1
        body: Object = json.loads(text)
        return body

    # CROSS JOIN keeps the order of the tables: from the few rows of a term to their objects.
    def having(self, term: str, plural: str, namespace: str | None = None) -> list[Object]:
        """The objects with a term, sorted by namespace and name. Reads no others."""
        where, parameters = within(plural, namespace)
        query = f"SELECT body FROM terms CROSS JOIN objects USING (plural, namespace, name) WHERE term = ? AND {where}"
        rows = self._db.execute(f"{query} ORDER BY namespace, name", [term, *parameters])
        return [self.parse(text) for (text,) in rows]

    def any_having(self, term: str, plural: str, namespace: str | None = None, besides: str = "") -> bool:
        """Whether any object has a term. besides: the name of one that does not count"""
        where, parameters = within(plural, namespace)
        query = f"SELECT 1 FROM terms WHERE term = ? AND {where} AND name != ? LIMIT 1"
        return self._db.execute(query, [term, *parameters, besides]).fetchone() is not None

    def terms_of(self, prefix: str) -> list[str]:
        """The terms in use that begin with a prefix, sorted, without it."""
        found, last, end = [], prefix, f"{prefix}\U0010ffff"
        query = "SELECT MIN(term) FROM terms WHERE term > ? AND term < ?"
        # One seek for each term, however many objects have it.
        while (last := self._db.execute(query, (last, end)).fetchone()[0]) is not None:
            found.append(last[len(prefix) :])
        return found

    def _all_terms(self, plural: str, body: Object) -> list[str]:
        owners = body["metadata"].get("ownerReferences") or ()
        return sorted({*(f"{_OWNER}{reference.get('uid', '')}" for reference in owners), *self._terms(plural, body)})

    def _index(self, place: tuple[str, str, str], before: str, after: str) -> None:
        """Make an object found by its terms, given as JSON before and after a write."""
        if before == after:
            return
        old, new = set(json.loads(before)), set(json.loads(after))
        if gone := old - new:
            self._db.executemany(f"DELETE FROM terms WHERE term = ? AND {PLACE}", [(term, *place) for term in gone])
        if came := new - old:
            self._db.executemany("INSERT INTO terms VALUES (?, ?, ?, ?)", [(term, *place) for term in came])

    def _count(self, place: tuple[str, str, str], more: int) -> None:
        self._db.execute(
            "INSERT INTO counts VALUES (?, ?, ?)"
            " ON CONFLICT (plural, namespace) DO UPDATE SET count = count + excluded.count",
            (*place[:2], more),
        )

    def dependents(self, uid: str) -> list[tuple[str, Object]]:
        """The objects that have an owner with this uid, with their plurals."""
        query = "SELECT plural, body FROM terms CROSS JOIN objects USING (plural, namespace, name) WHERE term = ?"
        rows = self._db.execute(f"{query} ORDER BY plural, namespace, name", (_OWNER + uid,))
        return [(plural, self.parse(body)) for plural, body in rows]

    def dependent_places(self, uid: str) -> list[tuple[str, str, str, str]]:
        """Plural, namespace, name and uid of the objects that have an owner with this uid. Parses nothing."""
        query = "SELECT plural, namespace, name, uid FROM terms CROSS JOIN objects USING (plural, namespace, name)"
        return self._db.execute(f"{query} WHERE term = ? ORDER BY plural, namespace, name", (_OWNER + uid,)).fetchall()

    def owned(self, uid: str, plural: str) -> list[Object]:
        """The objects of a plural that have an owner with this uid."""
        return self.having(_OWNER + uid, plural)


def within(plural: str, namespace: str | None) -> tuple[str, list[str]]:
    """The condition for the objects of a plural in a namespace, or in all, and its parameters."""
    if namespace is None:
        return "plural = ?", [plural]
    return "plural = ? AND namespace = ?", [plural, namespace]
