"""What an error of SQLite or of the file system means for a state.db: a sentence and a way out."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from rsspot.errors import StateError

AWAY = "restore it from a backup, or move it away: the next command makes a new one, and live objects stay the truth"
DAMAGED = f"`rsspot ledger verify` lists what is wrong; {AWAY}"
NO_ROOM = "make room, then run the command again"
NOT_YOURS = "give the file and its folder back to your user, or set RSSPOT_STATE_PATH to another file"
FOLDER = "move it away, or set RSSPOT_STATE_PATH to a file"
IN_USE = "wait until the other rsspot has ended, then run the command again"
REPLACED = "nothing more is sent; find out who moves the file, then run the command again: it looks up what was sent"
OTHERWISE = "is the disk full, or does the file belong to another user?"
IN_SQLITE: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_NOTADB: ("it is not a SQLite database", AWAY),
    sqlite3.SQLITE_CORRUPT: ("it is damaged", DAMAGED),
    sqlite3.SQLITE_FULL: ("the disk is full", NO_ROOM),
    sqlite3.SQLITE_READONLY: ("it is read-only", NOT_YOURS),
    sqlite3.SQLITE_PERM: ("it may not be opened", NOT_YOURS),
    sqlite3.SQLITE_CANTOPEN: ("the file, or its -wal or -shm beside it, cannot be opened", NOT_YOURS),
    sqlite3.SQLITE_BUSY: ("it is locked by another process", IN_USE),
    sqlite3.SQLITE_LOCKED: ("it is locked by another process", IN_USE),
}
"""Result code -> what it means and what to do."""
IN_SYSTEM: dict[int, str] = {
    errno.ENOSPC: NO_ROOM,
    errno.EDQUOT: NO_ROOM,
    errno.EACCES: NOT_YOURS,
    errno.EPERM: NOT_YOURS,
    errno.EROFS: NOT_YOURS,
}
ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What a query may raise. A message of SQLite about a damaged file may quote bytes of it that are not text."""
UNWRITABLE = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN})


def state_error(doing: str, path: Path | None, error: Exception) -> StateError:
    """The error for a file that could not be used. doing: open, read, write or compact · error: one of ERRORS"""
    if isinstance(error, OSError):
        return StateError(
            f"cannot {doing} {path}: {error.strerror or error}", hint=IN_SYSTEM.get(error.errno or 0, OTHERWISE)
        )
    if path is not None and path.is_dir():
        return StateError(f"cannot {doing} {path}: it is a folder", hint=FOLDER)
    if isinstance(error, UnicodeDecodeError):
        return StateError(f"cannot {doing} {path}: it is damaged", hint=DAMAGED)
    reason, hint = IN_SQLITE.get(_code(error), (str(error), OTHERWISE))
    return StateError(f"cannot {doing} {path}: {reason}", hint=hint)


def is_unwritable(error: Exception) -> bool:
    """Whether a file may still be read that could not be opened for writing."""
    if isinstance(error, OSError):
        return error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
    return _code(error) in UNWRITABLE


def is_locked(error: Exception) -> bool:
    """Whether another process is using the file."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _code(error: Exception) -> int:
    """The primary result code; 0 for an error that Python's module found by itself."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
