"""Caches responses in state.db for later processes. `http.cache` decides what to cache and for how long."""

from __future__ import annotations

from rsspot.state.database import Database

TIDY_EVERY = 50
"""Tidy once per this many writes, starting with the first one of a process. Tidying on every write would be slow."""


class SqliteCache:
    """Cached responses by owner, path and query. Times are in seconds since 1970.

    owner: a digest of the account that the responses belong to · most_entries, most_bytes: limits, applied by `tidy`
    """

    def __init__(self, database: Database, *, most_entries: int, most_bytes: int) -> None:
        self._db = database
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._writes = 0

    def get(self, owner: str, path: str, query: str, now: float) -> tuple[bytes, float] | None:
        """A response that has not expired and its expiry time, or None."""
        rows = self._db.rows(
            "SELECT body, expires_at FROM http_cache WHERE owner = ? AND path = ? AND query = ? AND expires_at > ?",
            owner,
            path,
            query,
            now,
        )
        return (bytes(rows[0]["body"]), float(rows[0]["expires_at"])) if rows else None

    def put(self, owner: str, path: str, query: str, body: bytes, *, now: float, expires_at: float) -> None:
        """Cache a response."""
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
        """Delete the responses at a path and below it."""
        # The row with query '#' tells other processes that something was dropped, even if they have it in memory only.
        # It has expired already, so the next tidying deletes it.
        # This compares a range instead of using LIKE, because paths may contain `_` and `%`. "0" is the character
        # after "/".
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

    def drop_beginning(self, owner: str, start: str) -> None:
        """Delete the responses whose paths begin with a text."""
        with self._db.transaction() as db:
            db.execute(
                "DELETE FROM http_cache WHERE owner = ? AND substr(path, 1, length(?)) = ?", (owner, start, start)
            )

    def drop_expired(self, now: float) -> int:
        """Delete expired responses. Returns how many there were."""
        with self._db.transaction() as db:
            return db.execute("DELETE FROM http_cache WHERE expires_at <= ?", (now,)).rowcount

    def clear(self) -> int:
        """Delete all responses. Returns how many there were."""
        with self._db.transaction() as db:
            return db.execute("DELETE FROM http_cache").rowcount

    def tidy(self, now: float) -> None:
        """Delete expired responses, then the oldest ones above the limits."""
        with self._db.transaction() as db:
            self.drop_expired(now)
            db.execute(
                "DELETE FROM http_cache WHERE rowid IN (SELECT rowid FROM (SELECT rowid, ROW_NUMBER() OVER newest AS n,"
                " SUM(LENGTH(body)) OVER newest AS bytes FROM http_cache WINDOW newest AS"
                " (ORDER BY stored_at DESC, rowid DESC)) WHERE n > ? OR bytes > ?)",
                (self._most_entries, self._most_bytes),
            )

    def foreign_writes(self) -> int:
        """A number that changes whenever another connection has written to the file."""
        return self._db.foreign_writes()

    def close(self) -> None:
        """Close the file."""
        self._db.close()
