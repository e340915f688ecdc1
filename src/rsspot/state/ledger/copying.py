"""Copies a whole ledger into an empty one, whatever databases they are in, and proves that both hold the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from rsspot.errors import Locked, StateError
from rsspot.state.ledger import open_database
from rsspot.state.ledger.plans import packed, unpacked
from rsspot.state.ledger.rows import Rows
from rsspot.state.ledger.sql_database import EVERYTHING, LedgerDatabase
from rsspot.utils.clock import stamp, utc_now
from rsspot.utils.database_url import shown_url

TABLES: dict[str, tuple[str, str]] = {
    "runs": ("id scope command plan_digest plan_json fence started_at ended_at outcome made_by", "id"),
    "steps": ("run_id seq address kind name verb state readiness detail parent", "run_id, seq"),
    "attempts": ("run_id seq number sent_at ended_at outcome", "run_id, seq, number"),
    "managed_objects": ("scope kind name address uid applied_json run_id", "scope, kind, name"),
    "leases": ("scope holder host pid process job fence expires_at reason", "scope"),
    "registration_ledger": (
        "registration_key vm_uid org_id vmcloudspace vmpool vm_name omni_cluster token_id token_expires_at status"
        " last_error payload_json updated_at",
        "registration_key",
    ),
    "registration_progress": (
        "registration_key reached generation failures retry_at missing_since missing_at passed_over",
        "registration_key",
    ),
    "registration_questions": (
        "registration_key question attempt idempotency_key worker process asked_at ended_at outcome",
        "registration_key, rowid",
    ),
}
"""Table -> its columns, and the order of its rows. Claims are left out: they name workers of one machine."""
Content = dict[str, list[tuple[Any, ...]]]


def copy_ledger(source: str | Path, target: str | Path, now: datetime | None = None) -> dict[str, int]:
    """Copy everything, all or nothing. Returns how many rows each table has.

    now: tells whether the lease of an apply has expired
    Raises Locked while an apply may be running, and StateError if the target holds anything, or if what it then holds
    is not what was read. Nothing is left of such a copy.
    """
    with closing(open_database(source, create=False, reading=True)) as there, there.snapshot():
        _require_idle(there, there.now(now or utc_now()))
        content = _read(there)
    if not any(content.values()):
        name = shown_url(str(source)) if "://" in str(source) else source
        raise StateError(f"there is nothing to copy: the ledger {name} is empty, or not there")
    with closing(open_database(target)) as here, here.transaction(alone=EVERYTHING):
        if any(_read(here).values()):
            raise StateError(f"the ledger {here.name} is not empty", hint="name one that holds nothing")
        _write(here, content)
        written = _read(here)
        for table, rows in content.items():
            if len(written[table]) != len(rows) or _digest(written[table]) != _digest(rows):
                raise StateError(f"{table} in {here.name} differ from what was read; nothing was kept of the copy")
    return {table: len(rows) for table, rows in content.items()}


def _require_idle(database: LedgerDatabase, now: datetime) -> None:
    read = Rows(database.name)
    for row in database.rows("SELECT * FROM leases WHERE holder IS NOT NULL ORDER BY scope"):
        lease = read.lease(row)
        if lease is not None and not lease.reason and now < lease.expires_at:
            until = f"until its lease expires at {stamp(lease.expires_at)}"
            raise Locked(
                f"an apply of {lease.scope} may be running (process {lease.holder.pid} on {lease.holder.host})",
                hint=f"wait for it to end, or {until}",
            )


def _read(database: LedgerDatabase) -> Content:
    return {
        table: [
            _comparable(table, row)
            for row in database.rows(f"SELECT {', '.join(columns.split())} FROM {table} ORDER BY {order}")
        ]
        for table, (columns, order) in TABLES.items()
    }


def _comparable(table: str, row: Mapping[str, Any]) -> tuple[Any, ...]:
    """A row as any database keeps it."""
    values = dict(row)
    if isinstance(values.get("plan_json"), str):
        # As earlier versions stored it.
        values["plan_json"] = packed(unpacked(values["plan_json"]))
    if table == "registration_progress":
        values["passed_over"] = bool(values["passed_over"])
    if table == "leases" and not values["reason"]:
        # Whoever held it has ended. Its fence stays: the next one has a higher one.
        values["holder"] = None
    return tuple(values.values())


def _write(database: LedgerDatabase, content: Content) -> None:
    with database.transaction() as db:
        for table, rows in content.items():
            columns = TABLES[table][0].split()
            marks = ", ".join("?" for _ in columns)
            db.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)


def _digest(rows: list[tuple[Any, ...]]) -> str:
    return hashlib.sha256(repr(rows).encode("utf-8", "surrogatepass")).hexdigest()
