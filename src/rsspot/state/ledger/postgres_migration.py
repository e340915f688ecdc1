"""Brings the schema of a PostgreSQL ledger up to date: one process at a time, all of it or nothing."""

from __future__ import annotations

import psycopg

from rsspot.errors import StateError
from rsspot.state.ledger.postgres_database import PostgresDatabase
from rsspot.state.ledger.postgres_failures import state_error
from rsspot.state.ledger.postgres_queries import lock_number
from rsspot.state.ledger.postgres_schema import CREATED, EXISTS, MIGRATED, MIGRATIONS, VERSION

AS_OWNER = "have the owner of the ledger run `rsspot ledger migrate`"


def is_there(database: PostgresDatabase) -> bool:
    """Whether a ledger was ever made in the database."""
    [row] = database.rows(EXISTS)
    return bool(row["there"])


def version_of(database: PostgresDatabase) -> int:
    """How many migrations a ledger has seen; 0 if there is none. Raises StateError for one of a newer rsspot."""
    version = int(database.rows(VERSION)[0]["version"]) if is_there(database) else 0
    if version > len(MIGRATIONS):
        message = f"the ledger {database.name} was written by a newer rsspot (schema {version})"
        raise StateError(message, hint="upgrade rsspot")
    return version


def migrate(database: PostgresDatabase) -> bool:
    """Make the tables that are not there yet. Returns whether any was. Raises StateError."""
    if version_of(database) == len(MIGRATIONS):
        return False
    try:
        with database.connection.transaction():
            return _migrate(database)
    except psycopg.errors.InsufficientPrivilege:
        message = f"the ledger {database.name} is not up to date, and this user may not change its tables"
        raise StateError(message, hint=AS_OWNER) from None
    except psycopg.Error as error:
        raise state_error("migrate", database.name, error, ()) from None


def _migrate(database: PostgresDatabase) -> bool:
    execute = database.connection.execute
    execute(f"SELECT pg_advisory_xact_lock({lock_number('migrations')})".encode())
    if version_of(database) == len(MIGRATIONS):
        return False
    for statement in () if is_there(database) else CREATED:
        execute(statement.encode())
    for migration in MIGRATIONS[version_of(database) :]:
        execute(migration.encode())
    execute(MIGRATED.encode())
    return True
