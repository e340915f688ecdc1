"""Where the tests of killed and failing applies keep their ledgers: in files, or with RSSPOT_TEST_LEDGER on a server.

A world of these tests is a folder that is copied, and begun again from the copy. A ledger on a server is no file in it,
so its rows are kept in one when something has come to its end, and put back before something begins.
"""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from rsspot.settings import Setting
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.copying import TABLES
from rsspot.state.ledger.protocol import Ledger
from support.postgres import shared_server

VARIABLE = "RSSPOT_TEST_LEDGER"
"""`postgresql` for a server that is started when it is needed, or the URL of a database that is there."""
ON_SERVER = os.environ.get(VARIABLE, "").startswith("postgres")
KEPT = "ledger.rows"
IN_ORDER = tuple(TABLES)
Rows = list[tuple[LiteralString, list[bytes]]]


def url_of(folder: Path) -> str:
    """Where the ledger of a folder is."""
    if not ON_SERVER:
        return str(folder / "state.db")
    if os.environ[VARIABLE] == "postgresql":
        os.environ[VARIABLE] = shared_server().fresh("places")
        open_ledger(os.environ[VARIABLE]).close()
    return os.environ[VARIABLE]


def setting_of(folder: Path) -> Setting | None:
    """The same as the setting of a client; None for its state.db."""
    return Setting(url_of(folder), "test") if ON_SERVER else None


def opened(folder: Path) -> Ledger:
    """The ledger of a folder."""
    return open_ledger(url_of(folder))


def keep(folder: Path) -> None:
    """Keep what is in the ledger of a folder now."""
    if not ON_SERVER:
        return
    with psycopg.connect(url_of(folder)) as connection:
        kept = [(table, _copied(connection, table)) for table in IN_ORDER]
    (folder / KEPT).write_bytes(pickle.dumps(kept))


def put_back(folder: Path, source: Path | None = None) -> None:
    """Make the ledger of a folder what was kept last: in it, or in another one. Nothing if nothing was kept."""
    if not ON_SERVER:
        if source is not None:
            shutil.copy(source / "state.db", folder / "state.db")
        return
    file = (source or folder) / KEPT
    kept: Rows = pickle.loads(file.read_bytes()) if file.exists() else []
    with psycopg.connect(url_of(folder)) as connection:
        for table in reversed(IN_ORDER):
            connection.execute(f"DELETE FROM rsspot.{table}".encode())
        for table, rows in kept:
            with connection.cursor().copy(f"COPY rsspot.{table} FROM STDIN (FORMAT binary)".encode()) as copy:
                for each in rows:
                    copy.write(each)


def _copied(connection: psycopg.Connection[Any], table: str) -> list[bytes]:
    with connection.cursor().copy(f"COPY rsspot.{table} TO STDOUT (FORMAT binary)".encode()) as copy:
        return [bytes(each) for each in copy]
