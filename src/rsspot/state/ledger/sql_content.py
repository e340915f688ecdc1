"""All of a ledger at once: read for an export, and merged with another one without loss."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import asdict

from rsspot.errors import StateError
from rsspot.state.ledger.document import LedgerContent, OwnedEntry, RunEntry, StepEntry
from rsspot.state.ledger.plans import packed
from rsspot.state.ledger.protocol import CLOSED, AttemptRecord
from rsspot.state.ledger.rows import Rows
from rsspot.state.ledger.sql import SqlLedger
from rsspot.state.ledger.sql_database import EVERYTHING, LedgerDatabase, Statements
from rsspot.utils.serialization import canonical, without_surrogates

GOING = "verb IN ('delete', 'detach') AND state IN ('done', 'satisfied')"
"""The steps after which an object is no longer of its stack."""
COUNTED = ("runs", "steps", "attempts", "owned", "registrations")
SAME = "scope = :scope AND command = :command AND plan_digest = :plan_digest AND started_at = :started_at"
"""Two runs with all of these in common are one: a stack has one run at a time."""


def read_content(database: LedgerDatabase) -> LedgerContent:
    """Everything on record, in the order of the keys. Raises StateError for a record that cannot be read."""
    ledger, read = SqlLedger(database), Rows(database.name)
    with database.snapshot():
        runs = {run.id: run for run in ledger.runs()}
        fences = {row["id"]: row["fence"] for row in database.rows("SELECT id, fence FROM runs")}
        rows = database.rows("SELECT * FROM managed_objects ORDER BY scope, kind, name")
        return LedgerContent(
            runs=tuple(
                RunEntry(**asdict(runs[id]), fence=fences[id], plan=ledger.plan(id), steps=_steps(ledger, id))
                for id in sorted(runs)
            ),
            owned=tuple(
                OwnedEntry(
                    **{**asdict(read.owned(row)), "ref": read.owned(row).ref},
                    scope=row["scope"],
                    run=row["run_id"] if row["run_id"] in runs else None,
                )
                for row in rows
            ),
            registrations=tuple(sorted(ledger.registrations(), key=lambda each: each.registration_key)),
        )


def _steps(ledger: SqlLedger, run: int) -> tuple[StepEntry, ...]:
    attempts: dict[int, list[AttemptRecord]] = {}
    for attempt in ledger.attempts(run):
        attempts.setdefault(attempt.seq, []).append(attempt)
    return tuple(
        StepEntry(**{**asdict(step), "ref": step.ref}, attempts=tuple(attempts.get(step.seq, ())))
        for step in ledger.steps(run)
    )


def merge_content(database: LedgerDatabase, content: LedgerContent) -> dict[str, int]:
    """Merge another ledger into this one, all or nothing. Returns how many records of each sort are new or changed.

    A run that is not here gets a number of its own if its number is taken. Of a run that is, what was open here and is
    closed there becomes closed; nothing opens again. Of an owned object, the record of the newer run counts.
    """
    try:
        with database.transaction(alone=EVERYTHING) as db:
            return dict(_Merge(database, db).all(content))
    except OverflowError:
        raise StateError("the exported ledger is damaged: it holds a number that is too large") from None


class _Merge:
    """One import, inside its transaction."""

    def __init__(self, database: LedgerDatabase, db: Statements) -> None:
        self._database, self._db = database, db
        self._counts: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
        self._numbers: dict[int, int] = {}
        """The number of a run there -> here."""
        self._unused = itertools.count(1)
        """Numbers that no run has, here or there."""

    def all(self, content: LedgerContent) -> Counter[str]:
        """Merge everything. Returns the counts."""
        started = {run.id: run.started_at for run in content.runs}
        last = self._db.execute("SELECT MAX(id) AS id FROM runs").fetchone()["id"] or 0
        self._unused = itertools.count(max([last, *started]) + 1)
        for run in sorted(content.runs, key=lambda run: (run.started_at, run.id)):
            self._run(run)
        if self._counts["runs"]:
            for scope in sorted({run.scope for run in content.runs}):
                self._forget_gone(scope)
        for owned in content.owned:
            self._owned(owned, started.get(owned.run or 0, ""))
        self._registrations(content)
        return self._counts

    def _run(self, run: RunEntry) -> None:
        known = self._db.execute(f"SELECT id, outcome FROM runs WHERE {SAME}", asdict(run)).fetchone()
        if known is None:
            self._numbers[run.id] = self._insert(run)
            self._counts["runs"] += 1
        else:
            self._numbers[run.id] = known["id"]
            if known["outcome"] is None and run.outcome is not None:
                closed = (run.ended_at, run.outcome, known["id"])
                self._db.execute("UPDATE runs SET ended_at = ?, outcome = ? WHERE id = ?", closed)
                self._counts["runs"] += 1
        for step in run.steps:
            self._step(self._numbers[run.id], step)

    def _insert(self, run: RunEntry) -> int:
        taken = self._db.execute("SELECT id FROM runs WHERE id = ?", (run.id,)).fetchone()
        number = next(self._unused) if taken else run.id
        values = (
            *(number, run.scope, run.command, run.plan_digest, packed(run.plan), run.fence),
            *(run.started_at, run.ended_at, run.outcome, without_surrogates(canonical(run.made_by))),
        )
        self._db.execute(
            "INSERT INTO runs (id, scope, command, plan_digest, plan_json, fence, started_at, ended_at, outcome,"
            " made_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )
        return number

    def _step(self, run: int, step: StepEntry) -> None:
        # A step that is open here learns how it ended there.
        opened = ", ".join(f"'{state.value}'" for state in type(step.state) if state not in CLOSED)
        self._counts["steps"] += self._db.execute(
            "INSERT INTO steps (run_id, seq, address, kind, name, verb, state, readiness, detail, parent)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id, seq) DO UPDATE SET state = excluded.state,"
            " readiness = excluded.readiness, detail = excluded.detail"
            f" WHERE steps.state IN ({opened}) AND excluded.state NOT IN ({opened})",
            (
                *(run, step.seq, step.address, *step.ref, step.verb),
                *(step.state.value, step.readiness, step.detail, step.parent),
            ),
        ).rowcount
        for attempt in step.attempts:
            self._counts["attempts"] += self._db.execute(
                "INSERT INTO attempts (run_id, seq, number, sent_at, ended_at, outcome) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (run_id, seq, number) DO UPDATE SET ended_at = excluded.ended_at,"
                " outcome = excluded.outcome WHERE attempts.outcome IS NULL AND excluded.outcome IS NOT NULL",
                (run, attempt.seq, attempt.number, attempt.sent_at, attempt.ended_at, attempt.outcome),
            ).rowcount

    def _forget_gone(self, scope: str) -> None:
        """Forget the objects that a run, of which only the other ledger knew, deleted or detached."""
        self._counts["owned"] += self._db.execute(
            "DELETE FROM managed_objects WHERE scope = ? AND EXISTS (SELECT 1 FROM steps JOIN runs ON runs.id = run_id"
            f" WHERE {GOING} AND runs.scope = managed_objects.scope AND steps.kind = managed_objects.kind"
            " AND steps.name = managed_objects.name AND started_at >"
            " (SELECT started_at FROM runs WHERE id = managed_objects.run_id))",
            (scope,),
        ).rowcount

    def _owned(self, owned: OwnedEntry, since: str) -> None:
        """since: when the run began that made or changed the object last"""
        key = (owned.scope, *owned.ref)
        newer = self._db.execute(
            "SELECT 1 FROM managed_objects LEFT JOIN runs ON runs.id = run_id WHERE managed_objects.scope = ?"
            " AND kind = ? AND name = ? AND COALESCE(started_at, '') >= ? UNION ALL"
            " SELECT 1 FROM steps JOIN runs ON runs.id = run_id"
            f" WHERE runs.scope = ? AND kind = ? AND name = ? AND started_at > ? AND {GOING}",
            (*key, since, *key, since),
        ).fetchone()
        if newer:
            return
        run = self._numbers.get(owned.run or 0, 0)
        self._db.execute(
            "INSERT INTO managed_objects (scope, kind, name, address, uid, applied_json, run_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope, kind, name) DO UPDATE SET address = excluded.address,"
            " uid = excluded.uid, applied_json = excluded.applied_json, run_id = excluded.run_id",
            (*key, owned.address, owned.uid, canonical(owned.applied), run),
        )
        self._counts["owned"] += 1

    def _registrations(self, content: LedgerContent) -> None:
        """The newer record of a machine counts. One that a worker here has claimed is not touched."""
        ledger = SqlLedger(self._database)
        newer = [record for record in content.registrations if ledger.is_newer(record)]
        ledger.put_registrations(newer)
        self._counts["registrations"] += len(newer)
