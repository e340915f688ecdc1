"""The history of commands. What it is given is kept as it is: secrets have to be taken out before."""

from __future__ import annotations

from dataclasses import dataclass

from rsspot.state.database import Database

MOST = 2000
"""Commands that are kept; the oldest go first."""


@dataclass(frozen=True)
class HistoryEntry:
    """One command that was run. started_at is RFC 3339 in UTC."""

    started_at: str
    command: str
    profile: str | None
    exit_code: int
    seconds: float


class History:
    """Commands, the newest first."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, entry: HistoryEntry) -> None:
        """Note a command."""
        with self._db.transaction() as db:
            db.execute(
                "INSERT INTO command_history (started_at, command, profile, exit_code, seconds) VALUES (?, ?, ?, ?, ?)",
                (entry.started_at, entry.command, entry.profile, entry.exit_code, entry.seconds),
            )
            db.execute("DELETE FROM command_history WHERE id <= (SELECT MAX(id) FROM command_history) - ?", (MOST,))

    def entries(self, limit: int = MOST) -> list[HistoryEntry]:
        """The last commands."""
        rows = self._db.rows(
            "SELECT started_at, command, profile, exit_code, seconds FROM command_history ORDER BY id DESC LIMIT ?",
            limit,
        )
        return [HistoryEntry(*row) for row in rows]

    def clear(self) -> int:
        """Forget every command; gives how many there were."""
        with self._db.transaction() as db:
            return db.execute("DELETE FROM command_history").rowcount
