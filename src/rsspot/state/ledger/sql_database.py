"""What the SQL of the ledger needs of a database, whichever one it is. Opens none and contains no SQL of its own.

Queries are written once, for SQLite and PostgreSQL alike. Parameters are `?`, or all of them are `:name`, and columns
are read by their names. What the two databases do differently is a member of `LedgerDatabase`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

RUNS = "runs"
"""What transactions are about that begin a run: it gets the next number, and must not be in the way of another one."""
REGISTRATIONS = "registrations"
"""What transactions about registrations are about: how they claim machines allows no two at a time."""
EVERYTHING = "everything"
"""What a transaction is about that moves or forgets runs: no other one goes on beside it."""


class Results(Protocol):
    """What a statement has found or changed."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


class Statements(Protocol):
    """A transaction that is open. Rows are mappings of columns to values."""

    def execute(self, query: str, parameters: Any = ..., /) -> Results: ...

    def executemany(self, query: str, rows: Any, /) -> object: ...


class LedgerDatabase(Protocol):
    """A database with the tables of a ledger in it."""

    @property
    def name(self) -> str:
        """What errors call it. Holds no secret."""
        ...

    @property
    def keeps_time(self) -> bool:
        """Whether `now` is the time of a server that all who use the ledger share."""
        ...

    @property
    def for_share(self) -> str:
        """What a query ends with so that what it has found stays as it is until the transaction has ended."""
        ...

    @property
    def next_run(self) -> str:
        """The number of a new run, as an expression."""
        ...

    def now(self, here: datetime) -> datetime:
        """The time that leases and claims go by. here: by the clock of the caller"""
        ...

    def transaction(self, alone: str = "") -> AbstractContextManager[Statements]:
        """Run a transaction and roll it back on any error. One inside another is a part of it, rolled back alone.

        alone: what no other transaction may be about until this one has ended
        """
        ...

    def rows(self, query: str, *parameters: Any) -> list[Any]:
        """Return all rows of a query. parameters: one for each `?`, or one mapping of all that have names"""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """Let all queries of a block see the database as it was at the first of them."""
        ...

    def close(self) -> None:
        """Close it. May be called more than once."""
        ...
