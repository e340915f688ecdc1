"""What an error of PostgreSQL means for a ledger: a sentence without secrets, and a way out."""

from __future__ import annotations

from collections.abc import Collection

import psycopg
from psycopg import errors

from rsspot.errors import StateError
from rsspot.state.ledger.interruptions import Interrupted
from rsspot.utils.database_url import HIDDEN

UNREACHABLE = "nothing is sent without the ledger; see that the server runs, then run the command again"
CREDENTIALS = "check the user and the password: in the URL, in PGPASSWORD, or in the password file of PostgreSQL"
NO_DATABASE = "create it (createdb), or name another one in the URL"
PRIVILEGES = "ask the owner of the ledger for the privileges that the documentation of teams lists"
IN_USE = "somebody holds it for long: look at pg_locks, then run the command again"
NO_ROOM = "make room on the server, then run the command again"
STANDBY = "the server takes no writes; name the primary in the URL, or add target_session_attrs=read-write"
OTHERWISE = "look at the log of the server"
MEANINGS: dict[str, tuple[str, str]] = {
    "28": ("the server does not accept the user or the password", CREDENTIALS),
    "3D000": ("there is no such database", NO_DATABASE),
    "42501": ("the user lacks a privilege", PRIVILEGES),
    "25006": ("it is read-only", STANDBY),
    "55P03": ("it is locked by another session", IN_USE),
    "57P03": ("the server is starting or stopping", UNREACHABLE),
    "53100": ("the disk of the server is full", NO_ROOM),
    "53300": ("the server has no connection left", "let other sessions end, or raise max_connections"),
}
"""SQLSTATE, or its class -> what it means and what to do."""
TAKEN_BACK = (errors.SerializationFailure, errors.DeadlockDetected)
STARTING = ("57P03", "53300")
"""What a server says that may be usable in a moment."""


def is_conflict(error: BaseException) -> bool:
    """Whether the server took the transaction back because of another one."""
    return isinstance(error, TAKEN_BACK)


def is_starting(error: psycopg.Error) -> bool:
    """Whether the server has answered that it may be usable in a moment."""
    return _state(error) in STARTING


def is_refused(error: psycopg.Error) -> bool:
    """Whether the server has answered, and trying to connect again is of no use."""
    state = _state(error)
    return bool(state) and state not in STARTING


def state_error(doing: str, name: str, error: psycopg.Error, secrets: Collection[str]) -> StateError:
    """The error for a ledger that could not be used. doing: open, read or write · name: of the ledger"""
    state = _state(error)
    reason, hint = MEANINGS.get(state) or MEANINGS.get(state[:2]) or (_reason(error), OTHERWISE)
    if not state and isinstance(error, psycopg.OperationalError):
        hint = UNREACHABLE
    return StateError(without(f"cannot {doing} the ledger {name}: {reason}", secrets), hint=hint)


def interrupted(name: str, error: psycopg.Error, secrets: Collection[str]) -> Interrupted:
    """The error for a transaction that left nothing behind."""
    message = f"the ledger {name} took back what was being written: {_reason(error)}"
    return Interrupted(without(message, secrets), hint=UNREACHABLE)


def without(text: str, secrets: Collection[str]) -> str:
    """A text with each secret masked, the longest first."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _state(error: psycopg.Error) -> str:
    """The SQLSTATE; of a connection that was refused, it is only in the words of libpq."""
    if error.sqlstate:
        return error.sqlstate
    text = str(error)
    for words, state in (
        ("password authentication failed", "28P01"),
        ("no password supplied", "28P01"),
        ("no pg_hba.conf entry", "28000"),
        ("Peer authentication failed", "28000"),
        ("database system is", "57P03"),
        ("too many clients", "53300"),
        ("too many connections", "53300"),
        ("remaining connection slots", "53300"),
    ):
        if words in text:
            return state
    if "FATAL" in text and "database" in text and "does not exist" in text:
        return "3D000"
    return "28000" if "FATAL" in text and "role" in text and "does not exist" in text else ""


def _reason(error: psycopg.Error) -> str:
    """The first line that says something, since the others tell the user of another program what to do."""
    text = error.diag.message_primary or str(error)
    return next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
