"""Keeps the names of the objects that a command listed, for shell completion. Nothing else relies on them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from rsspot.errors import StateError
from rsspot.state.database import IMPATIENT, Database
from rsspot.state.http_cache import SqliteCache
from rsspot.state.store import MOST_BYTES, MOST_ENTRIES

OWNER = "listed names"
"""Whose responses these are, among the cached ones: they are none of any account."""
KEPT_SECONDS = 90 * 24 * 3600.0
MOST_NAMES = 1000


def keep_names(path: Path, names: Mapping[str, Iterable[str]], *, now: float) -> bool:
    """Keep the names of each kind, by plural, instead of earlier ones. Returns False if state.db cannot be written."""
    try:
        database = Database(path, durable=False, patience=IMPATIENT)
        with closing(SqliteCache(database, most_entries=MOST_ENTRIES, most_bytes=MOST_BYTES)) as cache:
            for plural, each in names.items():
                body = json.dumps(sorted(each)[:MOST_NAMES]).encode()
                cache.put(OWNER, plural, "", body, now=now, expires_at=now + KEPT_SECONDS)
    except StateError:
        return False
    return True
