"""Answers to reads, kept in state.db for the next process. Knows bytes and paths; `http.cache` decides what is kept."""

from __future__ import annotations

from rsspot.state.database import Database

TIDY_EVERY = 50
"""Writes from one tidying to the next, the first one of a process among them: to count each time would cost more."""


class SqliteCache:
    """owner: whose answers they are, as a digest · times: seconds since 1970 · most_*: what is kept at most."""

    def __init__(self, database: Database, *, most_entries: int, most_bytes: int) -> None:
        self._db = database
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._writes = 0

    def get(self, owner: str, path: str, query: str, now: float) -> tuple[bytes, float] | None:
        """An answer that is still good and until when, or None."""
        rows = self._db.rows(
            "SELECT body, expires_at FROM http_cache WHERE owner = ? AND path = ? AND query = ? AND expires_at > ?",
            owner,
            path,
            query,
            now,
        )
        return (bytes(rows[0]["body"]), float(rows[0]["expires_at"])) if rows else None

    def put(self, owner: str, path: str, query: str, body: bytes, *, now: float, expires_at: float) -> None:
        """Keep an answer."""
        with self._db.transaction() as db:
            db.execute(
                "INSERT INTO http_cache (owner, path, query, body, expires_at, stored_at) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (owner, path, query) DO UPDATE SET body = excluded.body,"
                " expires_at = excluded.expires_at, stored_at = excluded.stored_at",
                (owner, path, query, body, expires_at, now),
            )
        self._writes += 1
        if self._writes % TIDY_EVERY == 1:
            self.tidy(now)

    def drop(self, owner: str, prefix: str) -> None:
        """Forget what is at a path and below it."""
        # The mark makes other processes look again, also at what they hold in memory only; the next tidying removes it.
        # A range, not LIKE: `_` and `%` are ordinary characters in a path. "0" is the character after "/".
        with self._db.transaction() as db:
            db.execute("DELETE FROM http_cache WHERE owner = ? AND path = ?", (owner, prefix))
            db.execute(
                "DELETE FROM http_cache WHERE owner = ? AND path >= ? AND path < ?", (owner, f"{prefix}/", f"{prefix}0")
            )
            db.execute(
                "INSERT INTO http_cache (owner, path, query, body, expires_at, stored_at) VALUES (?, ?, '#', x'', 0, 0)"
                " ON CONFLICT (owner, path, query) DO UPDATE SET stored_at = stored_at + 1",
                (owner, prefix),
            )

    def clear(self) -> int:
        """Forget everything; gives how much there was."""
        with self._db.transaction() as db:
            return db.execute("DELETE FROM http_cache").rowcount

    def tidy(self, now: float) -> None:
        """Forget what has expired, and the oldest of what is too much."""
        with self._db.transaction() as db:
            db.execute("DELETE FROM http_cache WHERE expires_at <= ?", (now,))
            db.execute(
                "DELETE FROM http_cache WHERE rowid IN (SELECT rowid FROM (SELECT rowid, ROW_NUMBER() OVER newest AS n,"
                " SUM(LENGTH(body)) OVER newest AS bytes FROM http_cache WINDOW newest AS"
                " (ORDER BY stored_at DESC, rowid DESC)) WHERE n > ? OR bytes > ?)",
                (self._most_entries, self._most_bytes),
            )

    def foreign_writes(self) -> int:
        """A number that changes whenever another process has written."""
        return self._db.foreign_writes()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
