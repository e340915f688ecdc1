"""Opens SQLite files for reading only: nothing in them is changed, migrated or made private."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from rsspot.state.failures import is_unwritable


def connect(path: Path, patience: float) -> sqlite3.Connection:
    """A connection that cannot write. patience: seconds to wait while another process writes. Raises sqlite3.Error."""
    uri = path.absolute().as_uri()
    try:
        return _connected(f"{uri}?mode=ro", patience)
    except sqlite3.OperationalError as error:
        # SQLite makes files beside one in WAL mode. Where it may not, only a file without a log can be read.
        if not is_unwritable(error) or _has_log(path):
            raise
        return _connected(f"{uri}?immutable=1", patience)


def copy_in_memory(path: Path, patience: float) -> sqlite3.Connection:
    """All of a file as it is now, with what is wrong in it, in memory."""
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        with closing(connect(path, patience)) as source:
            source.backup(copy)
    except BaseException:
        copy.close()
        raise
    return copy


def _connected(uri: str, patience: float) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=patience)
    try:
        # The file is opened by the first statement, not before.
        connection.execute("PRAGMA schema_version").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _has_log(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0
