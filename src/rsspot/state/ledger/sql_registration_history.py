"""SqlRegistrationHistory: the history of registrations in a database. SQL only; the rules are elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, fields, replace
from datetime import datetime
from typing import Any

from rsspot.errors import StateError
from rsspot.models.absence import Absence
from rsspot.state.ledger.registration_history import ANSWERED, MOST_KEPT, QuestionRecord
from rsspot.state.ledger.registration_progress import (
    RegistrationProgress,
    absence,
    progressed,
    restarted,
    sighted,
)
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus, worker_of_this_process
from rsspot.state.ledger.rules import require_claim, returned
from rsspot.state.ledger.sql_registrations import SqlRegistrations

_S = RegistrationStatus
PROGRESS = tuple(each.name for each in fields(RegistrationProgress))
QUESTION = tuple(each.name for each in fields(QuestionRecord))
"""The columns of the two tables, named like the fields of their records."""
BY_HAND_SECONDS = 60.0


class SqlRegistrationHistory(SqlRegistrations):
    """See `RegistrationHistory` for the methods."""

    # What every change of a status means for the progress

    def discover(self, record: RegistrationRecord) -> RegistrationRecord:
        with self._writing():
            known = self.registration(record.registration_key)
            found = super().discover(record)
            if known is not None and known.omni_cluster != found.omni_cluster:
                generation = self.progress(found.registration_key).generation + 1
                self._put_progress(found.registration_key, RegistrationProgress(generation=generation))
        return found

    def advance(self, key: str, status: RegistrationStatus, **learned: Any) -> RegistrationRecord:
        with self._writing():
            before = self.registration(key)
            record = super().advance(key, status, **learned)
            if before is not None:
                self._put_progress(key, progressed(self.progress(key), before.status, status))
        return record

    def forget_registration(self, key: str) -> bool:
        with self._writing() as db:
            db.execute("DELETE FROM registration_progress WHERE registration_key = ?", (key,))
            db.execute("DELETE FROM registration_questions WHERE registration_key = ?", (key,))
            return super().forget_registration(key)

    def retire(self, key: str) -> bool:
        with self._writing():
            progress = self.progress(key)
            if progress.passed_over:
                self._put_progress(key, replace(progress, passed_over=False))
                return True
            return super().retire(key)

    # Progress

    def progress(self, key: str) -> RegistrationProgress:
        rows = self._db.rows("SELECT * FROM registration_progress WHERE registration_key = ?", key)
        return _progress(rows[0]) if rows else RegistrationProgress()

    def progresses(self) -> dict[str, RegistrationProgress]:
        rows = self._db.rows("SELECT * FROM registration_progress")
        return {row["registration_key"]: _progress(row) for row in rows}

    def _put_progress(self, key: str, progress: RegistrationProgress) -> None:
        marks = ", ".join("?" for _ in PROGRESS)
        assignments = ", ".join(f"{name} = excluded.{name}" for name in PROGRESS)
        with self._writing() as db:
            db.execute(
                f"INSERT INTO registration_progress (registration_key, {', '.join(PROGRESS)}) VALUES (?, {marks})"
                f" ON CONFLICT (registration_key) DO UPDATE SET {assignments}",
                (key, *astuple(progress)),
            )

    def sighted(self, *, found: Iterable[str] = (), missing: Iterable[str] = (), now: datetime) -> None:
        with self._writing():
            for keys, is_found in ((found, True), (missing, False)):
                for key in keys:
                    self._put_progress(key, sighted(self.progress(key), now, found=is_found))

    # Questions

    def questions(self, key: str) -> list[QuestionRecord]:
        rows = self._db.rows(
            f"SELECT {', '.join(QUESTION)} FROM registration_questions WHERE registration_key = ? ORDER BY rowid", key
        )
        return [_question(row) for row in rows]

    def ask(self, key: str, question: str, identity: Callable[[int], str], worker: str) -> QuestionRecord:
        with self._writing() as db:
            earlier = db.execute(
                "SELECT max(attempt) AS attempt FROM registration_questions"
                " WHERE registration_key = ? AND question = ?",
                (key, question),
            ).fetchone()["attempt"]
            attempt = (earlier or 0) + 1
            asked = QuestionRecord(key, question, attempt, identity(attempt), worker, self._now())
            marks = ", ".join("?" for _ in QUESTION)
            db.execute(
                f"INSERT INTO registration_questions ({', '.join(QUESTION)}) VALUES ({marks})",
                [getattr(asked, name) for name in QUESTION],
            )
            db.execute(
                "DELETE FROM registration_questions WHERE registration_key = ? AND question = ? AND attempt <= ?",
                (key, question, asked.attempt - MOST_KEPT),
            )
        return asked

    def asked_by(self, asked: QuestionRecord, process: str) -> None:
        self._set(asked, "process = ?", process)

    def end_question(self, asked: QuestionRecord, outcome: str) -> None:
        self._set(asked, "ended_at = ?, outcome = ?", self._now(), outcome)

    def _set(self, asked: QuestionRecord, assignments: str, *values: str) -> None:
        with self._writing() as db:
            db.execute(
                f"UPDATE registration_questions SET {assignments}"
                " WHERE registration_key = ? AND question = ? AND attempt = ? AND ended_at IS NULL",
                (*values, asked.registration_key, asked.question, asked.attempt),
            )

    def answer(
        self,
        asked: QuestionRecord,
        *statuses: RegistrationStatus,
        token_id: str | None = None,
        token_expires_at: str | None = None,
    ) -> RegistrationRecord:
        with self._writing():
            self.end_question(asked, ANSWERED)
            for status in statuses:
                token = {"token_id": token_id, "token_expires_at": token_expires_at}
                self.advance(
                    asked.registration_key,
                    status,
                    worker=asked.worker,
                    **(token if status is _S.TOKEN_ISSUED else {}),
                )
            return self._existing(asked.registration_key)

    def fail(
        self, asked: QuestionRecord, outcome: str, error: str, *, retry_at: datetime, restart: bool = False
    ) -> RegistrationProgress:
        key = asked.registration_key
        with self._writing():
            self.end_question(asked, outcome)
            self.advance(key, _S.FAILED, worker=asked.worker, last_error=error)
            progress = self.progress(key)
            progress = replace(restarted(progress), reached=_S.DISCOVERED) if restart else progress
            progress = replace(progress, failures=progress.failures + 1, retry_at=retry_at.isoformat())
            self._put_progress(key, progress)
        return progress

    # To an earlier status

    def resume(self, key: str, worker: str | None = None) -> RegistrationRecord:
        with self._writing():
            record = self._existing(key)
            # What a script or another program made fail is known by its token alone.
            reached = self.progress(key).reached or (_S.TOKEN_ISSUED if record.token_id else _S.DISCOVERED)
            return self._return_to(record, reached, worker)

    def restart(self, key: str, worker: str | None = None) -> RegistrationRecord:
        with self._writing() as db:
            self._return_to(self._existing(key), _S.DISCOVERED, worker)
            db.execute("UPDATE registration_ledger SET token_expires_at = NULL WHERE registration_key = ?", (key,))
            self._put_progress(key, restarted(self.progress(key)))
            return self._existing(key)

    def _return_to(
        self, record: RegistrationRecord, status: RegistrationStatus, worker: str | None
    ) -> RegistrationRecord:
        with self._writing() as db:
            record = returned(record, status, worker=worker, now=self._now())
            db.execute(
                "UPDATE registration_ledger SET status = ?, updated_at = ? WHERE registration_key = ?",
                (status.value, record.updated_at, record.registration_key),
            )
        return record

    # By hand

    def retry(self, key: str, *, anew: bool = False) -> RegistrationRecord:
        with self._by_hand(key) as (record, worker):
            if anew or record.status is _S.SKIPPED:
                self.restart(key, worker)
            self._put_progress(key, replace(self.progress(key), failures=0, retry_at=None, passed_over=False))
        return self._existing(key)

    def pass_over(self, key: str) -> RegistrationRecord:
        with self._by_hand(key) as (record, worker):
            if record.status in (_S.TOKEN_ISSUED, _S.SUBMITTED):
                self.advance(key, _S.FAILED, worker=worker)
            if record.status is not _S.SKIPPED:
                self.advance(key, _S.SKIPPED, worker=worker)
            self._put_progress(key, replace(self.progress(key), passed_over=True))
        return self._existing(key)

    @contextmanager
    def _by_hand(self, key: str) -> Iterator[tuple[RegistrationRecord, str]]:
        """Claim an unfinished machine for a change by hand. Raises StateError if it is registered, or not free."""
        worker = worker_of_this_process()
        with self._writing():
            record = self._existing(key)
            if record.status is _S.REGISTERED:
                raise StateError(f"{record.vm_name or record.vm_uid} is registered", hint="retire it first")
            if not self.claim_registrations(worker, key=key, ttl=BY_HAND_SECONDS):
                require_claim(record, worker, self._now())
            yield record, worker
            self.release_registration(key, worker)

    def retire_gone(self, key: str) -> bool:
        with self._writing():
            gone = absence(self.progress(key), self._clock.now()) is Absence.GONE
            return gone and super().retire(key)


def _progress(row: Any) -> RegistrationProgress:
    values: dict[str, Any] = {name: row[name] for name in PROGRESS}
    reached = row["reached"]
    try:
        return RegistrationProgress(
            **values | {"reached": _S(reached) if reached else None, "passed_over": bool(row["passed_over"])}
        )
    except ValueError:
        raise StateError(
            f"cannot read the progress of registration {row['registration_key']!r}: it was not written by rsspot"
        ) from None


def _question(row: Any) -> QuestionRecord:
    return QuestionRecord(**{name: row[name] for name in QUESTION})
