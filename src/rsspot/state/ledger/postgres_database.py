"""PostgresDatabase: transactions and queries on a PostgreSQL server. See `sql_database.LedgerDatabase`.

Transactions of one stack never run into each other: rows are locked before they are judged, and what can only be judged
by looking at many rows is behind an advisory lock (`alone`). Whatever the server takes back all the same (a deadlock, a
connection that was lost before the commit) is raised as `Interrupted`: nothing of it is left, and it can be made again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import RLock
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from rsspot.errors import StateError
from rsspot.state.ledger.interruptions import Interrupted
from rsspot.state.ledger.postgres_failures import UNREACHABLE, interrupted, is_conflict, state_error
from rsspot.state.ledger.postgres_queries import all_values, lock_number, translated, values
from rsspot.state.ledger.postgres_session import PATIENCE, Session
from rsspot.state.ledger.sql_database import EVERYTHING

T = TypeVar("T")
RECONNECTIONS = 3
"""How often a statement is tried again on a new connection that turns out to be lost as well."""


class PostgresDatabase:
    """One ledger on a server. Any thread may use it; one at a time does.

    time: makes the time that leases go by from that of the caller, instead of asking the server
    """

    keeps_time, for_share = True, "FOR SHARE"
    next_run = "(SELECT COALESCE(MAX(id), 0) + 1 FROM runs)"

    def __init__(
        self, url: str, *, patience: float = PATIENCE, time: Callable[[datetime], datetime] | None = None
    ) -> None:
        self._session = Session(url, patience)
        self.name = self._session.name
        self._time = time
        self._guard = RLock()
        self._depth = 0
        self._done_parts: set[int] = set()
        """The depths at which a part is done and not released."""
        self._doomed: Interrupted | None = None
        """Why the transaction that is open cannot be committed any more."""

    @property
    def connection(self) -> psycopg.Connection[dict[str, Any]]:
        """The connection, for what is no query of a ledger."""
        return self._session.connection

    def for_writing(self) -> None:
        """Get ready for transactions. Raises StateError if this user may not write."""
        try:
            self._session.sign_up()
        except psycopg.Error as error:
            raise self._error("write", error) from None

    def now(self, here: datetime) -> datetime:
        if self._time is not None:
            return self._time(here)
        [row] = self.rows("SELECT clock_timestamp() AS now")
        moment: datetime = row["now"]
        return moment.astimezone(UTC)

    def close(self) -> None:
        self._session.close()

    def __del__(self) -> None:
        # Nothing is lost if the caller forgot to close: no transaction outlives its `with` block.
        if hasattr(self, "_session"):
            self.close()

    # Transactions

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._depth > 0

    @contextmanager
    def transaction(self, alone: str = "") -> Iterator[PostgresDatabase]:
        with self._guard, self._part(alone) if self._depth else self._whole(alone):
            yield self

    @contextmanager
    def _whole(self, alone: str) -> Iterator[None]:
        self._doomed = None
        self._begin(alone)
        self._depth, self._done_parts = 1, set()
        try:
            yield
            self._commit()
        except BaseException:
            self._roll_back()
            if self._doomed is not None:
                raise self._doomed from None
            raise
        finally:
            self._depth, self._doomed = 0, None

    def _begin(self, alone: str) -> None:
        if not self._session.writes:
            self.for_writing()
        whole = alone == EVERYTHING
        locks = [f"pg_advisory_xact_lock{'' if whole else '_shared'}({lock_number(EVERYTHING)})"]
        locks += [f"pg_advisory_xact_lock({lock_number(alone)})"] if alone and not whole else []
        # One message to the server: every transaction waits for it.
        self._unless_lost("write", f"BEGIN; {self._session.counting()}; SELECT {', '.join(locks)}")

    def _unless_lost(self, doing: str, query: str, parameters: Any = None) -> psycopg.Cursor[dict[str, Any]]:
        """Execute what needs no transaction that is open, on a new connection if the one we have was lost."""
        for _ in range(RECONNECTIONS):
            if self._session.lost:
                self._session.again()
            try:
                return self.connection.execute(query.encode(), parameters)
            except psycopg.Error as error:
                if not self._session.lost:
                    self._roll_back()
                    raise self._error(doing, error) from None
        raise StateError(f"cannot {doing} the ledger {self.name}: connections to it are lost at once", hint=UNREACHABLE)

    def _commit(self) -> None:
        if self._doomed is not None:
            raise self._doomed
        try:
            if self.connection.execute("COMMIT").statusmessage != "COMMIT":
                raise StateError(f"cannot write the ledger {self.name}: the server rolled back")
        except psycopg.Error as error:
            if not self._session.lost:
                raise self._error("write", error) from None
            if not self._session.again():
                raise interrupted(self.name, error, self._session.secrets) from None
        self._session.committed()

    def _roll_back(self) -> None:
        """Leave no transaction open: it would absorb all later ones."""
        status = self.connection.info.transaction_status
        try:
            if status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
                self.connection.execute("ROLLBACK")
            elif status is not TransactionStatus.IDLE:
                self.connection.close()
        except psycopg.Error:
            self.connection.close()

    @contextmanager
    def _part(self, alone: str) -> Iterator[None]:
        if alone:
            self.execute(f"SELECT pg_advisory_xact_lock({lock_number(alone)}) AS locked")
        depth, name = self._depth, f"part{self._depth}"
        # A part that is done is released by the next one, in the same message; the last ones by the commit.
        before, self._done_parts = depth in self._done_parts, {each for each in self._done_parts if each < depth}
        self._say(f"RELEASE {name}; SAVEPOINT {name}" if before else f"SAVEPOINT {name}")
        self._depth += 1
        try:
            yield
            self._done_parts.add(depth)
        except BaseException:
            self._done_parts = {each for each in self._done_parts if each < depth}
            if self._doomed is None and not self._session.lost:
                self._say(f"ROLLBACK TO {name}; RELEASE {name}")
            raise
        finally:
            self._depth -= 1

    def _say(self, statements: str) -> None:
        """Execute statements without parameters, in one message."""
        self._stated(lambda: self.connection.execute(statements.encode()))

    # Statements

    def execute(self, query: str, parameters: Any = (), /) -> psycopg.Cursor[dict[str, Any]]:
        """Execute a statement of the transaction that is open."""
        return self._stated(lambda: self.connection.execute(translated(query).encode(), values(parameters)))

    def executemany(self, query: str, rows: Any, /) -> None:
        """Execute a statement of the transaction that is open for each of many rows."""
        self._stated(lambda: self.connection.cursor().executemany(translated(query).encode(), all_values(rows)))

    def _stated(self, statement: Callable[[], T]) -> T:
        if self._doomed is not None:
            raise self._doomed
        try:
            return statement()
        except psycopg.Error as error:
            if is_conflict(error) or self._session.lost:
                self._doomed = interrupted(self.name, error, self._session.secrets)
                raise self._doomed from None
            raise self._error("write", error) from None

    def rows(self, query: str, *parameters: Any) -> list[Any]:
        named = parameters[0] if parameters and isinstance(parameters[0], Mapping) else parameters
        with self._guard:
            if self._depth:
                return list(self.execute(query, named).fetchall())
            return self._unless_lost("read", translated(query), values(named)).fetchall()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with self._guard:
            self._doomed = None
            self._unless_lost("read", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            self._depth = 1
            try:
                yield
            finally:
                self._depth = 0
                self._roll_back()

    def _error(self, doing: str, error: psycopg.Error) -> StateError:
        if is_conflict(error):
            return interrupted(self.name, error, self._session.secrets)
        return state_error(doing, self.name, error, self._session.secrets)
