"""`ledger verify`: whatever is wrong with a ledger is found, and nothing in it or beside it is changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rsspot.state.database import Database
from rsspot.state.migrations import MIGRATIONS
from rsspot.state.verification import LedgerFinding, Weight, verify
from support.ledgers import SCOPE, Runs


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A ledger of two runs, an object and a machine, with which nothing is wrong."""
    path = tmp_path / "state.db"
    with closing(Database(path, durable=False)) as database:
        runs = Runs(database)
        runs.made(1, 2)
        runs.made(2, verb="delete")
        runs.register()
    return path


def forge(path: Path, statements: str) -> None:
    """Change a file as nothing of ours would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript(statements)


def found(path: Path, weight: Weight = Weight.ERROR) -> list[LedgerFinding]:
    """The findings of one weight. Each has a way out."""
    findings = verify(path)
    assert all(each.hint and each.message and each.what for each in findings)
    return [each for each in findings if each.weight is weight]


def test_nothing_is_wrong_with_what_applies_leave(file: Path) -> None:
    """Not even a note."""
    assert verify(file) == []


def test_a_missing_file_has_no_ledger_to_be_wrong(tmp_path: Path) -> None:
    """An empty one neither. None is made."""
    assert verify(tmp_path / "state.db") == []
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "state.db").touch()
    assert verify(tmp_path / "state.db") == []


T = "2026-01-01T00:00:00.000Z"
WRONG = {
    "a run with a binary command": ("UPDATE runs SET command = x'00ff' WHERE id = 1", "run 1"),
    "a plan that is cut off": ("UPDATE runs SET plan_json = x'789c00' WHERE id = 1", "the plan of run 1"),
    "a plan of another run": (
        "UPDATE runs SET plan_json = (SELECT plan_json FROM runs WHERE id = 2) WHERE id = 1",
        "run 1: its plan is not the one of its digest",
    ),
    "an end without an outcome": ("UPDATE runs SET outcome = NULL WHERE id = 1", "run 1: it has an outcome or an end"),
    "who started it, as a list": ("UPDATE runs SET made_by = '[]' WHERE id = 2", "run 2"),
    "a step in no state": ("UPDATE steps SET state = 'odd' WHERE seq = 1", "step 1 of run 1"),
    "a step sent before it began": ("UPDATE steps SET state = 'pending' WHERE seq = 1", "run 1, step 1"),
    "a step of no run": ("UPDATE steps SET run_id = 9 WHERE seq = 1", "steps"),
    "an attempt of no step": ("UPDATE attempts SET seq = 9 WHERE seq = 1", "attempts"),
    "an attempt with a binary outcome": ("UPDATE attempts SET outcome = x'ff' WHERE seq = 1", "attempt 1 of step 1"),
    "an attempt at no time": ("UPDATE attempts SET sent_at = 'soon' WHERE seq = 1", "'soon', in attempt 1, is no time"),
    "a run that began at no time": (
        "UPDATE runs SET started_at = '2026-99' WHERE id = 1",
        "run 1: '2026-99' is no time",
    ),
    "applied that is no JSON": ("UPDATE managed_objects SET applied_json = '{'", "the record of CloudSpace/edge-1"),
    "an owner that is missing": ("UPDATE managed_objects SET run_id = 9", "cloudspace/1: its run 9"),
    "a lease without a zone": (
        "UPDATE leases SET holder = 'x', expires_at = '2999-01-01T00:00:00'",
        f"the lease of {SCOPE}",
    ),
    "a fence that is behind": ("UPDATE leases SET fence = 1", f"lease of {SCOPE}: its fence 1 is behind 2"),
    "a huge fence": ("UPDATE leases SET fence = 9223372036854775807", f"the lease of {SCOPE}"),
    "a huge number of a run": ("UPDATE runs SET id = 9223372036854775807 WHERE id = 2", "9223372036854775807"),
    "a machine in no state": ("UPDATE registration_ledger SET status = 'odd'", "registration 'key'"),
    "a newer schema": ("PRAGMA user_version = 99", "a newer rsspot (schema 99)"),
    "a table that is missing": ("DROP TABLE leases", "lacks tables of the ledger"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(name: str, file: Path) -> None:
    """With the record that it is about."""
    statements, named = WRONG[name]
    forge(file, f"PRAGMA foreign_keys = OFF; {statements}")
    lines = [f"{each.what}: {each.message}" for each in found(file)]
    assert any(named in line for line in lines), lines


def test_every_record_is_looked_at_after_a_wrong_one(file: Path) -> None:
    """Not only the first."""
    forge(file, "UPDATE runs SET command = x'ff'; UPDATE managed_objects SET applied_json = 'null'")
    assert len(found(file)) == 3


@pytest.mark.parametrize("how", ["no database", "a folder", "pages overwritten", "an index without its row"])
def test_a_file_that_is_damaged_is_named(how: str, file: Path) -> None:
    """Also where only an index differs, which no command would notice."""
    if how == "no database":
        file.write_bytes(b"this is no database " * 500)
    elif how == "a folder":
        file.unlink()
        file.mkdir()
    elif how == "pages overwritten":
        content = file.read_bytes()
        file.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    else:
        forge(
            file,
            "PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE name = 'steps_by_state';"
            "PRAGMA writable_schema = RESET",
        )
    assert found(file)


def test_what_an_apply_will_settle_is_a_note(tmp_path: Path) -> None:
    """A killed run, and a step that was never looked up: nothing is wrong with the ledger."""
    path = tmp_path / "state.db"
    with closing(Database(path, durable=False)) as database:
        runs = Runs(database)
        killed = runs.left_open(1)
        runs.ledger.finish(runs.left_open(2), "cancelled")
        runs.begin([])
    assert found(path) == []
    notes = [f"{each.what}: {each.message}" for each in found(path, Weight.NOTE)]
    assert notes == [
        f"run {killed}: it goes on, or was killed",
        "run 2, step 0 (cloudspace/2): it is intent, though its run has ended",
        "run 3: it goes on, or was killed",
        f"lease of {SCOPE}: process 4711 on elsewhere holds it, or was killed",
    ]


def test_nothing_is_changed_and_nothing_is_migrated(tmp_path: Path) -> None:
    """An older file is brought up to date in memory, and read there as the next command will read it."""
    path = tmp_path / "state.db"
    Database(path, MIGRATIONS[:1]).close()
    forge(path, f"INSERT INTO runs VALUES (1, 's', 'apply', 'd', '{{\"digest\": \"d\"}}', 1, '{T}', '{T}', 'ok')")
    before = path.read_bytes()
    assert verify(path) == []
    assert path.read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} <= {"state.db", "state.db-wal", "state.db-shm"}
