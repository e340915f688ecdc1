"""SqliteStore: keeps records in one table of state.db. Many processes can use it at once."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping
from typing import Generic, TypeVar

from rsspot.errors import StateError
from rsspot.state.base_store import Records
from rsspot.state.database import Database
from rsspot.utils.clock import stamp, utc_now
from rsspot.utils.serialization import canonical

T = TypeVar("T")


class SqliteStore(Generic[T]):
    """See `state.base_store.BaseStore` for the methods. The table has the columns key, body_json and updated_at."""

    def __init__(self, database: Database, table: str, records: Records[T]) -> None:
        if not re.fullmatch("[a-z_]+", table):
            raise ValueError(f"{table!r} is not a table name")
        self._db = database
        self._table = table
        self._records = records

    def get(self, key: str) -> T | None:
        rows = self._db.rows(f"SELECT key, body_json FROM {self._table} WHERE key = ?", key)
        return self._record(rows[0]) if rows else None

    def put(self, key: str, record: T) -> None:
        self.put_all({key: record})

    def put_all(self, records: Mapping[str, T]) -> None:
        now = stamp(utc_now())
        rows = [(key, canonical(self._records.dump(record)), now) for key, record in records.items()]
        with self._db.transaction() as db:
            db.executemany(
                f"INSERT INTO {self._table} (key, body_json, updated_at) VALUES (?, ?, ?)"
                " ON CONFLICT (key) DO UPDATE SET body_json = excluded.body_json, updated_at = excluded.updated_at",
                rows,
            )

    def delete(self, key: str) -> bool:
        with self._db.transaction() as db:
            return bool(db.execute(f"DELETE FROM {self._table} WHERE key = ?", (key,)).rowcount)

    def all(self) -> dict[str, T]:
        rows = self._db.rows(f"SELECT key, body_json FROM {self._table} ORDER BY key")
        return {row["key"]: self._record(row) for row in rows}

    def _record(self, row: sqlite3.Row) -> T:
        where = f"{self._db.path}: {self._table}: {row['key']!r}"
        try:
            body = json.loads(row["body_json"])
        except ValueError:
            raise StateError(f"{where} is not JSON") from None
        return self._records.load(body, where)
