"""verify(): everything that can be found wrong with a ledger, without changing anything in it or beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from rsspot.errors import StateError
from rsspot.state.database import Access, Database
from rsspot.state.failures import AWAY, DAMAGED, ERRORS, state_error
from rsspot.state.first_release import own_file
from rsspot.state.health import NEWEST_SCHEMA, PATIENCE, is_ours
from rsspot.state.ledger import is_on_server, open_database
from rsspot.state.ledger.document import odd_times
from rsspot.state.ledger.protocol import CLOSED, AttemptRecord, Lease, RunRecord, StepRecord, StepState
from rsspot.state.ledger.rows import Rows
from rsspot.state.ledger.sql import RUN, SqlLedger
from rsspot.state.ledger.sql_database import LedgerDatabase
from rsspot.state.ledger.sqlite import file_of
from rsspot.state.read_only import connect

R = TypeVar("R")
MOST_DAMAGE = 20
"""How many damaged places are named: after the first ones, the others tell no more."""
NEXT_APPLY = "the next apply of the stack finds out what became of it"


class Weight(StrEnum):
    """ERROR: a record that cannot be right · NOTE: something that is open, and that an apply settles."""

    ERROR = "error"
    NOTE = "note"


@dataclass(frozen=True)
class LedgerFinding:
    """what: the record that it is about · hint: what to do"""

    weight: Weight
    what: str
    message: str
    hint: str


def verify_at(url: str | Path) -> list[LedgerFinding]:
    """What is wrong with the ledger at a path or a URL. A missing one has nothing wrong with it."""
    if is_on_server(url):
        return _verify_on_server(str(url))
    return verify(file_of(str(url)))


def _verify_on_server(url: str) -> list[LedgerFinding]:
    try:
        with closing(open_database(url, create=False, reading=True)) as database, database.snapshot():
            return list(_of_records(database))
    except StateError as error:
        return [LedgerFinding(Weight.ERROR, "ledger", error.message, error.hint or "look at the log of the server")]


def verify(path: Path) -> list[LedgerFinding]:
    """What is wrong with the ledger in a file. A missing file has no ledger, with which nothing is wrong."""
    path = own_file(path)
    if not path.exists():
        return []
    try:
        with closing(connect(path, PATIENCE)) as opened:
            unusable = list(_of_file(path, opened))
        if unusable:
            return unusable
        with closing(Database(path, access=Access.COPY)) as copy:
            return list(_of_records(copy))
    except ERRORS as error:
        return [_unusable(state_error("read", path, error))]
    except StateError as error:
        return [_unusable(error)]


def _unusable(error: StateError) -> LedgerFinding:
    # The hint of a damaged file is to verify it.
    hint = AWAY if error.hint in (None, DAMAGED) else error.hint
    return LedgerFinding(Weight.ERROR, "file", error.message, hint)


def _of_file(path: Path, opened: sqlite3.Connection) -> Iterator[LedgerFinding]:
    """What SQLite finds wrong, and whose file it is."""
    for (found,) in opened.execute(f"PRAGMA integrity_check({MOST_DAMAGE})"):
        if found != "ok":
            yield LedgerFinding(Weight.ERROR, "file", f"{path} is damaged: {found}", AWAY)
    schema = int(opened.execute("PRAGMA user_version").fetchone()[0])
    if schema > NEWEST_SCHEMA:
        message = f"{path} was written by a newer rsspot (schema {schema})"
        yield LedgerFinding(Weight.ERROR, "file", message, "upgrade rsspot")
    elif schema and not is_ours(opened):
        yield LedgerFinding(Weight.ERROR, "file", f"{path} lacks tables of the ledger", AWAY)


def _of_records(database: LedgerDatabase) -> Iterator[LedgerFinding]:
    check = _Records(database)
    yield from check.belonging()
    yield from check.runs()
    yield from check.owned()
    yield from check.leases()
    yield from check.registrations()


class _Records:
    """Reads every record of a ledger, as the commands do."""

    def __init__(self, database: LedgerDatabase) -> None:
        self._db, self._read = database, Rows(database.name)
        self._unreadable: list[LedgerFinding] = []

    def belonging(self) -> Iterator[LedgerFinding]:
        """Each step has its run, and each attempt its step. A server sees to that itself."""
        if not isinstance(self._db, Database):
            return
        for row in self._db.rows("PRAGMA foreign_key_check"):
            message = f"row {row['rowid']} belongs to a row of {row['parent']} that is not there"
            yield LedgerFinding(Weight.ERROR, row["table"], message, AWAY)

    def runs(self) -> Iterator[LedgerFinding]:
        """Each run with its plan, steps and attempts."""
        for row in self._db.rows(f"{RUN} ORDER BY id"):
            if run := self._tried(self._read.run, row):
                yield from self._of_run(run)
            yield from self._told()

    def _of_run(self, run: RunRecord) -> Iterator[LedgerFinding]:
        what = f"run {run.id}"
        [stored] = self._db.rows("SELECT id, plan_json FROM runs WHERE id = ?", run.id)
        plan = self._tried(self._read.plan, stored)
        if plan is not None and plan.get("digest") != run.plan_digest:
            yield LedgerFinding(Weight.ERROR, what, "its plan is not the one of its digest", "do not undo this run")
        if (run.outcome is None) != (run.ended_at is None):
            yield LedgerFinding(Weight.ERROR, what, "it has an outcome or an end, and not both", AWAY)
        for text in odd_times(run.started_at, run.ended_at):
            yield LedgerFinding(Weight.ERROR, what, f"{text!r} is no time", AWAY)
        if run.outcome is None:
            yield LedgerFinding(Weight.NOTE, what, "it goes on, or was killed", NEXT_APPLY)
        attempts: dict[int, list[AttemptRecord]] = {}
        for row in self._db.rows("SELECT * FROM attempts WHERE run_id = ?", run.id):
            if attempt := self._tried(self._read.attempt, row):
                attempts.setdefault(attempt.seq, []).append(attempt)
        for row in self._db.rows("SELECT * FROM steps WHERE run_id = ? ORDER BY seq", run.id):
            if step := self._tried(self._read.step, row):
                yield from self._of_step(run, step, attempts.get(step.seq, []))

    def _of_step(self, run: RunRecord, step: StepRecord, attempts: Sequence[AttemptRecord]) -> Iterator[LedgerFinding]:
        what = f"run {run.id}, step {step.seq} ({step.address})"
        for attempt in attempts:
            for text in odd_times(attempt.sent_at, attempt.ended_at):
                message = f"{text!r}, in attempt {attempt.number}, is no time"
                yield LedgerFinding(Weight.ERROR, what, message, AWAY)
        if attempts and step.state is StepState.PENDING:
            yield LedgerFinding(Weight.ERROR, what, "it was sent, and is on record as not begun", AWAY)
        elif run.outcome is not None and step.state not in CLOSED:
            sent = step.state is not StepState.PENDING
            hint = NEXT_APPLY if sent else "nothing was sent for it, so there is nothing to do"
            yield LedgerFinding(Weight.NOTE, what, f"it is {step.state.value}, though its run has ended", hint)

    def owned(self) -> Iterator[LedgerFinding]:
        """Each owned object; the run that made or changed it last has to be on record."""
        query = "SELECT managed_objects.*, runs.id AS found FROM managed_objects LEFT JOIN runs ON runs.id = run_id"
        for row in self._db.rows(f"{query} ORDER BY managed_objects.scope, kind, name"):
            owned = self._tried(self._read.owned, row)
            if owned is not None and row["found"] is None:
                hint = "the next apply that changes the object writes the record anew"
                yield LedgerFinding(Weight.ERROR, owned.address, f"its run {row['run_id']} is not on record", hint)
            yield from self._told()

    def leases(self) -> Iterator[LedgerFinding]:
        """Each lease; no run may have a higher fence than the lease of its stack."""
        for row in self._db.rows("SELECT * FROM leases ORDER BY scope"):
            fence = self._tried(self._read.fence, row)
            lease = self._tried(self._read.lease, row)
            [last] = self._db.rows("SELECT MAX(fence) AS fence FROM runs WHERE scope = ?", row["scope"])
            if fence is not None and isinstance(last["fence"], int) and last["fence"] > fence:
                message = f"its fence {fence} is behind {last['fence']}, which a run had"
                yield LedgerFinding(Weight.ERROR, f"lease of {row['scope']}", message, AWAY)
            if lease is not None:
                yield LedgerFinding(Weight.NOTE, f"lease of {lease.scope}", *_told_of(lease))
            yield from self._told()

    def registrations(self) -> Iterator[LedgerFinding]:
        """Each registration."""
        self._tried(SqlLedger(self._db).registrations, None)
        yield from self._told()

    def _tried(self, read: Callable[[Any], R], row: Any) -> R | None:
        """What is read of a row, or None if it cannot be, which is then told."""
        try:
            return read(row)
        except StateError as error:
            self._unreadable.append(LedgerFinding(Weight.ERROR, "record", error.message, error.hint or AWAY))
            return None

    def _told(self) -> Iterator[LedgerFinding]:
        yield from self._unreadable
        self._unreadable.clear()


def _told_of(lease: Lease) -> tuple[str, str]:
    """Who holds a lease, and how it becomes free."""
    if lease.reason:
        hint = f"when nobody needs that any more: rsspot lock break {lease.fence}"
        return f"{lease.holder.name} holds it: {lease.reason}", hint
    message = f"process {lease.holder.pid} on {lease.holder.host} holds it, or was killed"
    return message, "wait for it; the next apply takes over what is left behind"
