"""Records for the two stores: a type that has what records have, and where each store keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from rsspot.state.base_store import BaseStore, Records
from rsspot.state.database import Database
from rsspot.state.json_store import JsonStore
from rsspot.state.sqlite_store import SqliteStore


@dataclass(frozen=True)
class Note:
    """A record with what records have: texts, numbers, times, lists and things that may be missing."""

    title: str
    pages: int = 1
    written_at: datetime | None = None
    tags: tuple[str, ...] = field(default=())


NOTES = Records("notes", TypeAdapter(Note))
TABLE = "CREATE TABLE notes (key TEXT PRIMARY KEY, body_json TEXT NOT NULL, updated_at TEXT NOT NULL)"


def json_store(folder: Path) -> BaseStore[Note]:
    """Notes in a JSON file."""
    return JsonStore(folder / "notes.json", NOTES)


def sqlite_store(folder: Path) -> BaseStore[Note]:
    """Notes in a table."""
    return SqliteStore(Database(folder / "notes.db", (TABLE,), durable=False), "notes", NOTES)


STORES = {"json_store": json_store, "sqlite_store": sqlite_store}
"""By the names that programs are given."""
