"""SqlRegistrations: machine registrations in a database. Contains only SQL. `rules` decides what is allowed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

from rsspot.errors import StateError
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus
from rsspot.state.ledger.rules import OPEN, advanced, has_ended, learned
from rsspot.state.ledger.sql_database import REGISTRATIONS, LedgerDatabase, Statements
from rsspot.utils.clock import Clock, SystemClock, exact_stamp
from rsspot.utils.serialization import canonical

COLUMNS = tuple(each.name for each in fields(RegistrationRecord) if each.name != "payload")
"""The columns named like the record's fields. The payload is stored as JSON under another name."""


class SqlRegistrations:
    """See `RegistrationLedger` for the methods."""

    def __init__(self, database: LedgerDatabase, clock: Clock | None = None) -> None:
        self._db = database
        self._clock = clock or SystemClock()

    def _now(self) -> str:
        """The time that claims go by."""
        return exact_stamp(self._db.now(self._clock.now()))

    def _writing(self) -> AbstractContextManager[Statements]:
        return self._db.transaction(alone=REGISTRATIONS)

    def registration(self, key: str) -> RegistrationRecord | None:
        rows = self._db.rows("SELECT * FROM registration_ledger WHERE registration_key = ?", key)
        return _registration(rows[0]) if rows else None

    def registrations(self, organization: str | None = None) -> list[RegistrationRecord]:
        where, parameters = ("WHERE org_id = ?", (organization,)) if organization else ("", ())
        query = f"SELECT * FROM registration_ledger {where} ORDER BY vmcloudspace, vm_name, registration_key"
        return [_registration(row) for row in self._db.rows(query, *parameters)]

    def registered(self, organization: str) -> list[RegistrationRecord]:
        rows = self._db.rows(
            "SELECT * FROM registration_ledger WHERE org_id = ? AND status = ? ORDER BY registration_key",
            organization,
            RegistrationStatus.REGISTERED.value,
        )
        return [_registration(row) for row in rows]

    def discover(self, record: RegistrationRecord) -> RegistrationRecord:
        with self._writing() as db:
            # A machine that moved to another cluster starts again. A registered one must be retired first.
            db.execute(
                "DELETE FROM registration_ledger WHERE registration_key = ? AND omni_cluster <> ? AND status <> ?"
                " AND (claimed_by IS NULL OR claimed_until <= ?)",
                (record.registration_key, record.omni_cluster, RegistrationStatus.REGISTERED.value, self._now()),
            )
            db.execute(
                "INSERT INTO registration_ledger (registration_key, vm_uid, org_id, vmcloudspace, vmpool, vm_name,"
                " omni_cluster, status, payload_json, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (registration_key) DO NOTHING",
                (
                    record.registration_key,
                    record.vm_uid,
                    record.org_id,
                    record.vmcloudspace,
                    record.vmpool,
                    record.vm_name,
                    record.omni_cluster,
                    RegistrationStatus.DISCOVERED.value,
                    canonical(record.payload),
                    self._now(),
                ),
            )
        return self._existing(record.registration_key)

    def advance(
        self,
        key: str,
        status: RegistrationStatus,
        *,
        token_id: str | None = None,
        token_expires_at: str | None = None,
        last_error: str | None = None,
        worker: str | None = None,
    ) -> RegistrationRecord:
        with self._writing() as db:
            row = db.execute("SELECT * FROM registration_ledger WHERE registration_key = ?", (key,)).fetchone()
            record = advanced(
                _registration(row) if row else None,
                status,
                worker=worker,
                now=self._now(),
                token_id=token_id,
                token_expires_at=token_expires_at,
                last_error=last_error,
            )
            db.execute(
                "UPDATE registration_ledger SET status = ?, token_id = ?, token_expires_at = ?, last_error = ?,"
                " updated_at = ?, claimed_by = ?, claimed_until = ? WHERE registration_key = ?",
                (
                    record.status.value,
                    record.token_id,
                    record.token_expires_at,
                    record.last_error,
                    record.updated_at,
                    record.claimed_by,
                    record.claimed_until,
                    key,
                ),
            )
        return record

    def claim_registrations(
        self,
        worker: str,
        *,
        ttl: float,
        organization: str | None = None,
        omni_cluster: str | None = None,
        key: str | None = None,
        limit: int = 1,
    ) -> list[RegistrationRecord]:
        # A caller that names one machine may also claim it if it was skipped.
        statuses = OPEN if key is None else (*OPEN, RegistrationStatus.SKIPPED)
        filters = {"org_id": organization, "omni_cluster": omni_cluster, "registration_key": key}
        conditions = [(f"{column} = ?", value) for column, value in filters.items() if value is not None]
        marks = ", ".join("?" for _ in statuses)
        where = " AND ".join([f"status IN ({marks})", *(condition for condition, _ in conditions)])
        with self._writing() as db:
            now = self._db.now(self._clock.now())
            _release_claims_of_ended_workers(db)
            rows = db.execute(
                "UPDATE registration_ledger SET claimed_by = ?, claimed_until = ? WHERE registration_key IN"
                f" (SELECT registration_key FROM registration_ledger WHERE {where}"
                " AND (claimed_by IS NULL OR claimed_by = ? OR claimed_until <= ?)"
                " ORDER BY updated_at, registration_key LIMIT ?) RETURNING *",
                (
                    worker,
                    exact_stamp(now + timedelta(seconds=ttl)),
                    *(status.value for status in statuses),
                    *(value for _, value in conditions),
                    worker,
                    exact_stamp(now),
                    limit,
                ),
            ).fetchall()
        return [_registration(row) for row in rows]

    def release_registration(self, key: str, worker: str) -> None:
        with self._writing() as db:
            db.execute(
                "UPDATE registration_ledger SET claimed_by = NULL, claimed_until = NULL"
                " WHERE registration_key = ? AND claimed_by = ?",
                (key, worker),
            )

    def learn(self, key: str, facts: Mapping[str, Any]) -> RegistrationRecord:
        with self._writing():
            record = learned(self.registration(key), key, facts, now=self._now())
            self.put_registrations([record])
        return record

    def note(self, key: str, payload: Mapping[str, Any]) -> RegistrationRecord:
        with self._writing() as db:
            known = self._existing(key)
            noted = replace(known, payload={**known.payload, **payload})
            db.execute(
                "UPDATE registration_ledger SET payload_json = ? WHERE registration_key = ?",
                (canonical(noted.payload), key),
            )
        return noted

    def put_registrations(self, records: Iterable[RegistrationRecord]) -> None:
        columns = (*COLUMNS, "payload_json")
        marks = ", ".join("?" for _ in columns)
        # Local claims stay, because an import knows nothing about the workers of this machine.
        replaced = [column for column in columns[1:] if not column.startswith("claimed_")]
        assignments = ", ".join(f"{column} = excluded.{column}" for column in replaced)
        rows = [
            (*(getattr(each, name) for name in COLUMNS), canonical(each.payload))
            for each in (replace(each, updated_at=each.updated_at or self._now()) for each in records)
        ]
        with self._writing() as db:
            db.executemany(
                f"INSERT INTO registration_ledger ({', '.join(columns)}) VALUES ({marks})"
                f" ON CONFLICT (registration_key) DO UPDATE SET {assignments}",
                rows,
            )

    def is_newer(self, record: RegistrationRecord) -> bool:
        """Whether a record from elsewhere counts more than ours."""
        known = self.registration(record.registration_key)
        return known is None or (known.claimed_by is None and (known.updated_at or "") < (record.updated_at or ""))

    def forget_registration(self, key: str) -> bool:
        with self._writing() as db:
            return bool(db.execute("DELETE FROM registration_ledger WHERE registration_key = ?", (key,)).rowcount)

    def retire(self, key: str) -> bool:
        record = self.registration(key)
        if record is None or record.status is not RegistrationStatus.REGISTERED:
            return False
        self.advance(key, RegistrationStatus.SKIPPED)
        return True

    def _existing(self, key: str) -> RegistrationRecord:
        record = self.registration(key)
        if record is None:
            raise StateError(f"registration {key} is no longer in {self._db.name}")
        return record


def _release_claims_of_ended_workers(db: Statements) -> None:
    """Release the claims of workers on this machine that have ended."""
    rows = db.execute("SELECT DISTINCT claimed_by FROM registration_ledger WHERE claimed_by IS NOT NULL").fetchall()
    for worker in (row["claimed_by"] for row in rows):
        if has_ended(worker):
            db.execute(
                "UPDATE registration_ledger SET claimed_by = NULL, claimed_until = NULL WHERE claimed_by = ?", (worker,)
            )


def _registration(row: Any) -> RegistrationRecord:
    columns = dict(row)
    try:
        payload = json.loads(columns.pop("payload_json"))
        return RegistrationRecord(**columns | {"status": RegistrationStatus(row["status"]), "payload": payload})
    except (ValueError, TypeError):
        raise StateError(
            f"cannot read registration {row['registration_key']!r}: it was not written by rsspot"
        ) from None
