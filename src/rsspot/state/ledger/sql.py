"""SqlLedger: the ledger in a database. Contains the SQL only. What is allowed is decided in `rules`.

The same SQL for every database: what they do differently is a matter of `LedgerDatabase`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rsspot.models.refs import Ref
from rsspot.state.ledger.plans import MADE_BY, packed
from rsspot.state.ledger.protocol import (
    STILL_OPEN,
    AttemptRecord,
    Lease,
    OpenStep,
    OwnedObject,
    RunRecord,
    StepRecord,
    StepState,
)
from rsspot.state.ledger.rows import LARGEST_RUN, Rows
from rsspot.state.ledger.rules import others, require_apart, require_held, require_open
from rsspot.state.ledger.sql_database import RUNS, LedgerDatabase, Statements
from rsspot.state.ledger.sql_leases import SqlLeases
from rsspot.state.ledger.sql_registration_history import SqlRegistrationHistory
from rsspot.utils.clock import Clock, exact_stamp
from rsspot.utils.serialization import canonical, without_surrogates

RUN = (
    "SELECT id, scope, command, plan_digest, started_at, ended_at, outcome, made_by,"
    " CASE WHEN made_by IS NULL THEN plan_json END AS plan_json FROM runs"
)
"""What a list of runs needs. Plans are large: only those are read that say who started their run."""


class SqlLedger(SqlLeases, SqlRegistrationHistory):
    """See `Ledger` for the methods. clock: tells the times on record; that of this machine unless given"""

    def __init__(self, database: LedgerDatabase, clock: Clock | None = None) -> None:
        super().__init__(database, clock)
        self._read = Rows(database.name)

    def close(self) -> None:
        self._db.close()

    def _noted_at(self) -> str:
        """The time that runs have on record. Nothing goes by it, so no server is asked for it."""
        return exact_stamp(self._clock.now())

    @contextmanager
    def together(self) -> Iterator[None]:
        with self._db.transaction():
            yield

    # Runs

    def begin(self, lease: Lease, command: str, plan: dict[str, Any], steps: Sequence[StepRecord]) -> int:
        made_by = without_surrogates(canonical(plan.get(MADE_BY, {})))
        stored = packed({name: value for name, value in plan.items() if name != MADE_BY})
        with self._db.transaction(alone=RUNS) as db:
            require_apart(steps, self._under_way(lease.scope))
            run = db.execute(
                "INSERT INTO runs (id, scope, command, plan_digest, plan_json, fence, started_at, made_by)"
                f" VALUES ({self._db.next_run}, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (lease.scope, command, plan["digest"], stored, lease.fence, self._noted_at(), made_by),
            ).fetchone()["id"]
            db.executemany(
                "INSERT INTO steps (run_id, seq, address, kind, name, verb, state, parent)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(run, s.seq, s.address, s.ref.kind, s.ref.name, s.verb, s.state.value, s.parent) for s in steps],
            )
        return int(run)

    def _under_way(self, scope: str) -> list[OpenStep]:
        """The steps that runs of other stacks of the same account have still to do, unless their lease has expired."""
        rows = [
            row
            for lease in others(self.leases(), scope, self._db.now(self._clock.now()))
            for row in self._db.rows(
                "SELECT steps.* FROM steps JOIN runs ON runs.id = steps.run_id WHERE runs.scope = ? AND runs.fence = ?"
                " AND runs.outcome IS NULL AND steps.state IN ('pending', 'intent', 'unknown')",
                lease.scope,
                lease.fence,
            )
        ]
        return [OpenStep(row["run_id"], self._read.step(row)) for row in rows]

    def intend(self, run: int, seq: int, *, lease: Lease | None = None) -> int:
        with self._fenced(lease) as db:
            self._move(db, run, seq, StepState.INTENT)
            row = db.execute(
                "INSERT INTO attempts (run_id, seq, number, sent_at)"
                " SELECT :run, :seq, COALESCE(MAX(number), 0) + 1, :now FROM attempts"
                " WHERE run_id = :run AND seq = :seq"
                " RETURNING number",
                {"run": run, "seq": seq, "now": self._noted_at()},
            ).fetchone()
        return int(row["number"])

    def answered(self, run: int, seq: int, attempt: int, outcome: str) -> None:
        with self._db.transaction() as db:
            db.execute(
                "UPDATE attempts SET ended_at = ?, outcome = ?"
                " WHERE run_id = ? AND seq = ? AND number = ? AND outcome IS NULL",
                (self._noted_at(), outcome, run, seq, attempt),
            )

    def settle(
        self,
        run: int,
        seq: int,
        state: StepState,
        *,
        detail: str = "",
        owned: OwnedObject | None = None,
        gone: Ref | None = None,
        lease: Lease | None = None,
    ) -> None:
        with self._fenced(lease) as db:
            self._move(db, run, seq, state, detail)
            if owned:
                db.execute(
                    "INSERT INTO managed_objects (scope, kind, name, address, uid, applied_json, run_id)"
                    " SELECT scope, ?, ?, ?, ?, ?, id FROM runs WHERE id = ?"
                    " ON CONFLICT (scope, kind, name) DO UPDATE SET"
                    " address = excluded.address, uid = excluded.uid,"
                    " applied_json = excluded.applied_json, run_id = excluded.run_id",
                    (*owned.ref, owned.address, owned.uid, canonical(owned.applied), run),
                )
            if gone:
                db.execute(
                    "DELETE FROM managed_objects WHERE scope = (SELECT scope FROM runs WHERE id = ?)"
                    " AND kind = ? AND name = ?",
                    (run, *gone),
                )

    def skip(self, run: int, reasons: Mapping[int, str], *, lease: Lease | None = None) -> None:
        skipped, pending = StepState.SKIPPED.value, StepState.PENDING.value
        with self._fenced(lease) as db:
            db.executemany(
                "UPDATE steps SET state = ?, detail = ? WHERE run_id = ? AND seq = ? AND state = ?",
                [(skipped, reason, run, seq, pending) for seq, reason in reasons.items()],
            )

    @contextmanager
    def _fenced(self, lease: Lease | None) -> Iterator[Statements]:
        """A transaction of whoever holds a lease. Raises Locked if somebody else has it by now."""
        with self._db.transaction() as db:
            if lease is not None and not self._holds(lease, self._db.for_share):
                require_held(self.current_lease(lease.scope), lease)
            yield db

    def _move(self, db: Statements, run: int, seq: int, state: StepState, detail: str = "") -> None:
        """Set the state of a step that is open."""
        changed = db.execute(
            "UPDATE steps SET state = ?, detail = ? WHERE run_id = ? AND seq = ? AND state IN (?, ?, ?)",
            (state.value, detail, run, seq, *(each.value for each in STILL_OPEN)),
        ).rowcount
        if not changed:
            row = db.execute("SELECT * FROM steps WHERE run_id = ? AND seq = ?", (run, seq)).fetchone()
            require_open(self._read.step(row).state if row else None, run, seq)

    def ready(self, run: int, seq: int, readiness: str) -> None:
        with self._db.transaction() as db:
            db.execute("UPDATE steps SET readiness = ? WHERE run_id = ? AND seq = ?", (readiness, run, seq))

    def finish(self, run: int, outcome: str, *, lease: Lease | None = None) -> None:
        with self._fenced(lease) as db:
            db.execute(
                "UPDATE runs SET ended_at = ?, outcome = ? WHERE id = ? AND outcome IS NULL",
                (self._noted_at(), outcome, run),
            )

    # Reading

    def owned(self, scope: str) -> dict[Ref, OwnedObject]:
        rows = self._db.rows("SELECT * FROM managed_objects WHERE scope = ?", scope)
        return {owned.ref: owned for owned in map(self._read.owned, rows)}

    def owned_refs(self, account: str) -> set[Ref]:
        query = "SELECT kind, name FROM managed_objects WHERE substr(scope, 1, length(:account)) = :account"
        return {Ref(str(row["kind"]), str(row["name"])) for row in self._db.rows(query, {"account": account})}

    def open_steps(self, scope: str) -> list[OpenStep]:
        rows = self._db.rows(
            "SELECT steps.* FROM steps JOIN runs ON runs.id = steps.run_id"
            " WHERE runs.scope = ? AND steps.state IN ('intent', 'unknown') ORDER BY run_id, seq",
            scope,
        )
        arrived = {
            (run, attempt.seq)
            for run in {row["run_id"] for row in rows}
            for attempt in self.attempts(run)
            if attempt.may_have_arrived
        }
        return [OpenStep(row["run_id"], self._read.step(row), (row["run_id"], row["seq"]) in arrived) for row in rows]

    def unfinished_runs(self, scope: str) -> list[int]:
        return [row["id"] for row in self._db.rows("SELECT id FROM runs WHERE scope = ? AND outcome IS NULL", scope)]

    def scopes(self) -> list[str]:
        rows = self._db.rows("SELECT scope FROM runs UNION SELECT scope FROM managed_objects ORDER BY scope")
        return [str(row["scope"]) for row in rows]

    def runs(
        self, scope: str | None = None, *, stack: str | None = None, unfinished: bool = False, limit: int | None = None
    ) -> list[RunRecord]:
        chosen = {
            "scope = :scope": scope,
            "substr(scope, length(scope) - length(:ending) + 1) = :ending": None if stack is None else f"/{stack}",
            "outcome IS NULL": unfinished or None,
        }
        conditions = " AND ".join(["TRUE", *(text for text, value in chosen.items() if value is not None)])
        limited = "" if limit is None else "LIMIT :limit"
        found = self._db.rows(
            f"{RUN} WHERE {conditions} ORDER BY started_at DESC, id DESC {limited}",
            {"scope": scope, "ending": f"/{stack}", "limit": limit},
        )
        return [self._read.run(row) for row in found]

    def run(self, number: int) -> RunRecord | None:
        # Databases have no larger numbers, and refuse them with an error of their own.
        rows = self._db.rows(f"{RUN} WHERE id = :id", {"id": min(number, LARGEST_RUN)})
        return self._read.run(rows[0]) if rows else None

    def plan(self, run: int) -> dict[str, Any]:
        rows = self._db.rows("SELECT id, plan_json FROM runs WHERE id = ?", run)
        if not rows:
            raise LookupError(f"the ledger has no run {run}")
        return {name: value for name, value in self._read.plan(rows[0]).items() if name != MADE_BY}

    def step_counts(self, run: int) -> dict[StepState, int]:
        rows = self._db.rows(
            "SELECT MIN(run_id) AS run_id, MIN(seq) AS seq, state, COUNT(*) AS number FROM steps"
            " WHERE run_id = ? GROUP BY state",
            run,
        )
        return {self._read.state(row): row["number"] for row in rows}

    def steps(self, run: int) -> list[StepRecord]:
        return [self._read.step(row) for row in self._db.rows("SELECT * FROM steps WHERE run_id = ? ORDER BY seq", run)]

    def attempts(self, run: int, seq: int | None = None) -> list[AttemptRecord]:
        rows = self._db.rows(
            "SELECT seq, number, sent_at, ended_at, outcome FROM attempts"
            " WHERE run_id = ? AND seq = COALESCE(?, seq) ORDER BY seq, number",
            run,
            seq,
        )
        return [self._read.attempt(row) for row in rows]
