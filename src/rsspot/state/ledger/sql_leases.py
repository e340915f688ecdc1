"""SqlLeases: who may apply which stack, in a database. Contains only SQL. `rules` decides what is allowed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from rsspot.errors import Locked
from rsspot.state.ledger.protocol import Holder, Lease
from rsspot.state.ledger.rows import Rows
from rsspot.state.ledger.rules import require_free
from rsspot.state.ledger.sql_database import LedgerDatabase


class SqlLeases:
    """See `Ledger` for the methods."""

    _db: LedgerDatabase
    _read: Rows

    def acquire(
        self,
        scope: str,
        holder: Holder,
        now: datetime,
        ttl: float,
        *,
        abandoned: Lease | None = None,
        reason: str = "",
    ) -> Lease:
        with self._db.transaction(alone=f"lease {scope}") as db:
            now = self._db.now(now)
            row = db.execute("SELECT * FROM leases WHERE scope = ?", (scope,)).fetchone()
            require_free(self._read.lease(row) if row else None, holder, now, abandoned)
            fence = self._read.fence(row) if row else 0
            lease = Lease(scope, holder, fence + 1, now + timedelta(seconds=ttl), reason)
            values = (scope, holder.name, holder.host, holder.pid, holder.process, holder.job)
            db.execute(
                "INSERT INTO leases (scope, holder, host, pid, process, job, fence, expires_at, reason)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope) DO UPDATE SET holder = excluded.holder,"
                " host = excluded.host, pid = excluded.pid, process = excluded.process, job = excluded.job,"
                " fence = excluded.fence, expires_at = excluded.expires_at, reason = excluded.reason",
                (*values, lease.fence, lease.expires_at.isoformat(), reason),
            )
        return lease

    def current_lease(self, scope: str) -> Lease | None:
        rows = self._db.rows("SELECT * FROM leases WHERE scope = ?", scope)
        return self._read.lease(rows[0]) if rows else None

    def leases(self) -> list[Lease]:
        rows = self._db.rows("SELECT * FROM leases WHERE holder IS NOT NULL ORDER BY scope")
        return [lease for row in rows if (lease := self._read.lease(row))]

    def renew(self, lease: Lease, now: datetime, ttl: float) -> Lease:
        with self._db.transaction() as db:
            renewed = replace(lease, expires_at=self._db.now(now) + timedelta(seconds=ttl))
            changed = db.execute(
                "UPDATE leases SET expires_at = ? WHERE scope = ? AND holder = ? AND fence = ?",
                (renewed.expires_at.isoformat(), lease.scope, lease.holder.name, lease.fence),
            ).rowcount
        if not changed:
            raise Locked(f"the lease of {lease.scope} was taken over")
        return renewed

    def holds(self, lease: Lease) -> bool:
        return self._holds(lease)

    def _holds(self, lease: Lease, locking: str = "") -> bool:
        # Asked before each write: no more is read than tells.
        query = f"SELECT 1 AS held FROM leases WHERE scope = ? AND holder = ? AND fence = ? {locking}"
        return bool(self._db.rows(query, lease.scope, lease.holder.name, lease.fence))

    @property
    def keeps_time(self) -> bool:
        return self._db.keeps_time

    def time(self, here: datetime) -> datetime:
        return self._db.now(here)

    def release(self, lease: Lease) -> None:
        with self._db.transaction() as db:
            db.execute(
                "UPDATE leases SET holder = NULL WHERE scope = ? AND holder = ? AND fence = ?",
                (lease.scope, lease.holder.name, lease.fence),
            )
