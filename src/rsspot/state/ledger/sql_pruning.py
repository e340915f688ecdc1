"""Forgets old runs of a ledger, and never one that still matters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rsspot.state.ledger.protocol import RunRecord
from rsspot.state.ledger.rows import Rows
from rsspot.state.ledger.sql import RUN
from rsspot.state.ledger.sql_database import EVERYTHING, LedgerDatabase
from rsspot.utils.clock import exact_stamp

OLD = """
    outcome IS NOT NULL AND COALESCE(ended_at, started_at) < :before
    AND id <> (SELECT MAX(id) FROM runs)
    AND id NOT IN (SELECT run_id FROM managed_objects)
    AND NOT EXISTS (SELECT 1 FROM steps WHERE run_id = runs.id AND state IN ('intent', 'unknown'))
"""
"""Kept are a run that is open or has a step to be looked up, one that an owned object refers to, and the last one: its
number would be given once more."""


@dataclass(frozen=True)
class Pruned:
    """What went: the runs, oldest first, and how many steps and attempts they had."""

    runs: list[RunRecord]
    steps: int
    attempts: int


def prune(database: LedgerDatabase, before: datetime, *, dry_run: bool = False) -> Pruned:
    """Forget the runs that ended before a moment. dry_run: only say which"""
    named = {"before": exact_stamp(before)}
    read = Rows(database.name)
    if dry_run:
        return _pruned(database, read, named)
    with database.transaction(alone=EVERYTHING) as db:
        pruned = _pruned(database, read, named)
        numbers = [(run.id,) for run in pruned.runs]
        for table, column in (("attempts", "run_id"), ("steps", "run_id"), ("runs", "id")):
            db.executemany(f"DELETE FROM {table} WHERE {column} = ?", numbers)
    return pruned


def _pruned(database: LedgerDatabase, read: Rows, named: dict[str, str]) -> Pruned:
    runs = [read.run(row) for row in database.rows(f"{RUN} WHERE {OLD} ORDER BY id", named)]
    counts = [
        database.rows(f"SELECT COUNT(*) AS n FROM {table} WHERE run_id IN (SELECT id FROM runs WHERE {OLD})", named)
        for table in ("steps", "attempts")
    ]
    return Pruned(runs, *(int(rows[0]["n"]) for rows in counts))
