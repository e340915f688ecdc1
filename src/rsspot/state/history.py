"""The command history. Stores commands as given, so the caller must redact secrets first."""

from __future__ import annotations

from dataclasses import dataclass

from rsspot.state.database import Database

MAX_COMMANDS = 2000
"""How many commands are kept. The oldest are deleted first."""


@dataclass(frozen=True)
class HistoryEntry:
    """One command that was run. started_at: RFC 3339 in UTC."""

    started_at: str
    command: str
    profile: str | None
    exit_code: int
    seconds: float


class History:
    """The stored commands, newest first."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, entry: HistoryEntry) -> None:
        """Add a command and delete the oldest ones above the limit."""
        with self._db.transaction() as db:
            db.execute(
                "INSERT INTO command_history (started_at, command, profile, exit_code, seconds) VALUES (?, ?, ?, ?, ?)",
                (entry.started_at, entry.command, entry.profile, entry.exit_code, entry.seconds),
            )
            db.execute(
                "DELETE FROM command_history WHERE id <= (SELECT MAX(id) FROM command_history) - ?", (MAX_COMMANDS,)
            )

    def entries(self, limit: int = MAX_COMMANDS) -> list[HistoryEntry]:
        """The most recent commands."""
        rows = self._db.rows(
            "SELECT started_at, command, profile, exit_code, seconds FROM command_history ORDER BY id DESC LIMIT ?",
            limit,
        )
        return [HistoryEntry(*row) for row in rows]

    def count(self) -> int:
        """How many commands there are."""
        return int(self._db.rows("SELECT COUNT(*) FROM command_history")[0][0])

    def clear(self) -> int:
        """Delete all commands. Returns how many there were."""
        with self._db.transaction() as db:
            return db.execute("DELETE FROM command_history").rowcount
