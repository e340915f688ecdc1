"""Migrations from the first schema to the current one: they keep every row and a copy of the old file."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rsspot.errors import StateError
from rsspot.models.refs import Ref
from rsspot.state.database import Database
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import StepState
from rsspot.state.ledger.registrations import RegistrationStatus
from rsspot.state.migrations import MIGRATIONS

ROWS = {
    "runs": (7, "scope", "apply", "sha256:1", "{}", 3, "2026-01-01T00:00:00.000+00:00", None, None),
    "steps": (7, 0, "cloudspace/edge", "CloudSpace", "edge", "create", "intent", "", "détail"),
    "attempts": (7, 0, 1, "2026-01-01T00:00:01.000+00:00", None, None),
    "managed_objects": ("scope", "CloudSpace", "edge", "cloudspace/edge", "uid", '{"spec/region":"dfw"}', 7),
    "leases": ("scope", "me", "elsewhere", 1, 3, "2026-01-01T00:01:00+00:00"),
    "registration_ledger": (
        *("key", "uid", "org", "group", "pool", "vm", "omni", "t1", "2027-01-01T00:00:00Z"),
        *("token_issued", "no", '{"ipAddress":"10.0.0.1"}', "2026-01-01T00:00:00.000+00:00"),
    ),
}
"""One row for each table of the first schema."""
OPENER = """
import sys
from pathlib import Path
from rsspot.state.database import Database
Database(Path(sys.argv[1])).close()
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A state.db of the first schema with a row in every table."""
    path = tmp_path / "state.db"
    database = Database(path, MIGRATIONS[:1])
    with database.transaction() as db:
        for table, row in ROWS.items():
            db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' for _ in row)})", row)
    database.close()
    return path


def content(path: Path) -> tuple[int, dict[str, list[tuple[object, ...]]]]:
    """The schema number, and all rows of the first schema's tables with only its columns."""
    with closing(sqlite3.connect(path)) as db:
        rows = {
            table: [each[: len(row)] for each in db.execute(f"SELECT * FROM {table}")] for table, row in ROWS.items()
        }
        return int(db.execute("PRAGMA user_version").fetchone()[0]), rows


def test_every_row_of_every_table_is_kept(old: Path) -> None:
    """Rows are unchanged, and the ledger can read them."""
    tables = {table: [row] for table, row in ROWS.items()}
    assert content(old) == (1, tables)
    ledger = open_ledger(old)
    assert [run.id for run in ledger.runs("scope")] == [7]
    assert [each.step.state for each in ledger.open_steps("scope")] == [StepState.INTENT]
    assert [attempt.number for attempt in ledger.attempts(7)] == [1]
    assert ledger.owned("scope")[Ref("CloudSpace", "edge")].applied == {"spec/region": "dfw"}
    machine = ledger.registration("key")
    assert machine is not None
    assert (machine.status, machine.token_id, machine.claimed_by) == (RegistrationStatus.TOKEN_ISSUED, "t1", None)
    assert [each.registration_key for each in ledger.claim_registrations("worker", ttl=60)] == ["key"]
    ledger.close()
    assert content(old) == (len(MIGRATIONS), tables)


def test_a_copy_of_the_old_file_is_kept(old: Path) -> None:
    """The copy is private and complete, and the old version can open it."""
    Database(old).close()
    copy = old.with_name("state.db.schema1")
    assert content(copy) == (1, {table: [row] for table, row in ROWS.items()})
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    Database(copy, MIGRATIONS[:1]).close()


def test_a_new_or_a_current_file_is_not_copied(tmp_path: Path) -> None:
    """There is no older schema to restore."""
    for _ in range(2):
        Database(tmp_path / "state.db").close()
    assert [each.name for each in tmp_path.iterdir()] == ["state.db"]


def test_a_failed_migration_leaves_the_old_file_usable(old: Path) -> None:
    """The copy is kept as well."""
    with pytest.raises(StateError):
        Database(old, (*MIGRATIONS[:1], "CREATE TABLE later (x); nonsense"))
    assert content(old) == (1, {table: [row] for table, row in ROWS.items()})
    assert content(old.with_name("state.db.schema1"))[0] == 1
    Database(old).close()


def test_eight_processes_at_once_migrate_once(old: Path) -> None:
    """Only one process migrates, and the copy has the old schema."""
    openers = [
        subprocess.Popen([sys.executable, "-c", OPENER, str(old)], stderr=subprocess.PIPE, text=True) for _ in range(8)
    ]
    errors = [opener.communicate(timeout=60)[1] for opener in openers]
    assert [opener.returncode for opener in openers] == [0] * 8, errors
    tables = {table: [row] for table, row in ROWS.items()}
    assert content(old) == (len(MIGRATIONS), tables)
    assert content(old.with_name("state.db.schema1")) == (1, tables)


def test_nothing_is_copied_or_migrated_while_another_process_writes(old: Path) -> None:
    """The copy is made inside the migration's transaction, which waits for other writers."""
    with closing(sqlite3.connect(old, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateError, match="locked"):
            Database(old, patience=0.05)
        assert not old.with_name("state.db.schema1").exists()
        other.execute("ROLLBACK")
    Database(old).close()
    assert content(old.with_name("state.db.schema1"))[0] == 1


def test_a_newer_schema_is_refused_and_not_copied(tmp_path: Path) -> None:
    """The durable setting makes no difference."""
    path = tmp_path / "state.db"
    Database(path, (*MIGRATIONS, "CREATE TABLE later (x)")).close()
    before = path.read_bytes()
    for durable in (True, False):
        with pytest.raises(StateError, match="newer rsspot"):
            Database(path, durable=durable)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["state.db"]
