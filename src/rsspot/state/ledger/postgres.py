"""PostgresLedger: the ledger on a PostgreSQL server, which many machines share. Needs `rsspot[postgres]`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from rsspot.state.database import Database
from rsspot.state.ledger.interruptions import persistently
from rsspot.state.ledger.postgres_database import PostgresDatabase
from rsspot.state.ledger.postgres_migration import is_there, migrate
from rsspot.state.ledger.protocol import Ledger
from rsspot.state.ledger.registration_history import RegistrationHistory
from rsspot.state.ledger.registrations import RegistrationLedger
from rsspot.state.ledger.sql import SqlLedger
from rsspot.state.ledger.sqlite import SqliteLedger
from rsspot.utils.clock import Clock

C = TypeVar("C", bound=type)
NOT_ALONE = frozenset({"together", "close", "keeps_time", "time"})
"""What cannot be made again as a whole, or makes no transaction."""


def open_at(url: str, *, create: bool, reading: bool = False) -> Ledger:
    """See `state.ledger.open_ledger`."""
    database = open_database(url, create=create, reading=reading)
    return PostgresLedger(database) if isinstance(database, PostgresDatabase) else SqliteLedger(database)


def open_database(url: str, *, create: bool = True, reading: bool = False) -> PostgresDatabase | Database:
    """The database, up to date. An empty one in memory if it holds no ledger, and must not be made to."""
    database = PostgresDatabase(url)
    try:
        if not create and not is_there(database):
            database.close()
            return Database(None)
        migrate(database)
        if not reading:
            # Whoever may only read is refused now, and not when a plan has been made and approved.
            database.for_writing()
    except BaseException:
        database.close()
        raise
    return database


def _persistent(write: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(write)
    def made(self: PostgresLedger, *arguments: Any, **named: Any) -> Any:
        if self.in_transaction:
            return write(self, *arguments, **named)
        return persistently(lambda: write(self, *arguments, **named))

    return made


def _all_persistent(ledger: C) -> C:
    """Have each method made once more if its transaction was interrupted."""
    protocols = (Ledger, RegistrationHistory, RegistrationLedger)
    for name in {name for each in protocols for name in vars(each) if not name.startswith("_")} - NOT_ALONE:
        setattr(ledger, name, _persistent(getattr(ledger, name)))
    return ledger


@_all_persistent
class PostgresLedger(SqlLedger):
    """See `Ledger` for the methods. Each is made once more if its transaction was interrupted.

    A block of writes `together` is not: whoever has it does it again, see `interruptions.persistently`.
    """

    def __init__(self, database: PostgresDatabase, clock: Clock | None = None) -> None:
        super().__init__(database, clock)
        self._server = database

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, of which the next write is a part."""
        return self._server.in_transaction
