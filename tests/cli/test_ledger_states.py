"""Every state that a state.db may be in, as docs/ledger.md has them: what each command says and does, and sends."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from rsspot.cli.app import run
from rsspot.cli.sandbox import folder
from rsspot.state.database import Database
from rsspot.state.migrations import MIGRATIONS
from rsspot.utils.clock import utc_now
from support.shell import STACK, listed, write

ROOT = Path(__file__).parents[2]
LEASE = "UPDATE leases SET holder = 'x', host = 'elsewhere', pid = 7"
NULLABLE = (
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '');"
    "PRAGMA writable_schema = RESET;"
)
AS_OTHERS = pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everywhere")
State = Callable[[Path], object]


def forged(statements: str) -> State:
    """Records as nothing of ours writes them."""

    def forge(file: Path) -> None:
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            database.executescript(f"PRAGMA foreign_keys = OFF; {statements}")

    return forge


def empty(file: Path) -> None:
    file.write_bytes(b"")


def older(file: Path) -> None:
    file.unlink()
    Database(file, MIGRATIONS[:3]).close()


def damaged(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def with_log(file: Path) -> None:
    """As a killed process leaves it."""
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("UPDATE runs SET command = 'killed'")
        log, content = beside(file).read_bytes(), file.read_bytes()
    beside(file).write_bytes(log)
    file.write_bytes(content)


def without_log(file: Path) -> None:
    with_log(file)
    beside(file).unlink()


def with_another_log(file: Path) -> None:
    """A file that was restored, with the log of a larger one left beside it."""
    restored = file.with_name("restored.db")
    Database(restored, ("CREATE TABLE other (a TEXT)",)).close()
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE another (a TEXT)")
        database.executemany("INSERT INTO another VALUES (?)", [("x" * 3000,)] * 50)
        log = beside(file).read_bytes()
    restored.replace(file)
    beside(file).write_bytes(log)


def beside(file: Path) -> Path:
    """The log of a file."""
    return file.with_name(f"{file.name}-wal")


def left_by_a_killed_run(file: Path) -> None:
    forged("UPDATE runs SET outcome = NULL, ended_at = NULL; UPDATE steps SET state = 'intent'")(file)


def copied(file: Path) -> None:
    until = (utc_now() + timedelta(seconds=58)).isoformat()
    forged(f"{LEASE}, expires_at = '{until}'")(file)


STATES: dict[str, State] = {
    "missing": Path.unlink,
    "empty": empty,
    "of an older rsspot": older,
    "of a newer rsspot": forged("PRAGMA user_version = 99"),
    "damaged": damaged,
    "not a database": lambda file: file.write_bytes(b"this is no database " * 500),
    "a folder": a_folder,
    "with the log of a killed process beside it": with_log,
    "without its log": without_log,
    "with the log of another file beside it": with_another_log,
    "copied while a run went on elsewhere": copied,
    "left by a killed run": left_by_a_killed_run,
    "with an owned object that is no JSON": forged("UPDATE managed_objects SET applied_json = '{'"),
    "with an owned object of odd types": forged("UPDATE managed_objects SET address = x'ff', uid = 7"),
    "with a lease without a time zone": forged(f"{LEASE}, expires_at = '2999-01-01T00:00:00'"),
    "with a lease until no time": forged(f"{LEASE}, expires_at = 'soon'"),
    "with a fence that is too large": forged("UPDATE leases SET fence = 9223372036854775807"),
    "with a run of null columns": forged(f"{NULLABLE} UPDATE runs SET command = NULL, plan_json = NULL"),
    "with a run of a huge number": forged("UPDATE runs SET id = 9223372036854775807"),
}
CHECKS = ("ledger", "records", "lock", "runs", "disk")
"""The checks of `doctor` that are about the ledger and its folder."""
GUARDED: dict[str, State] = {
    "read-only": lambda file: file.chmod(0o400),
    "in a read-only folder": lambda file: file.parent.chmod(0o500),
    "unreadable for you": lambda file: file.chmod(0),
}
"""States that need a user who is not root."""
ELSEWHERE = {
    "on a full disk": "tests/applier/test_full_disk.py",
    "deleted or replaced while an apply runs": "tests/applier/test_replaced_ledger.py",
}
"""States that begin while an apply runs."""


def rows() -> dict[str, list[str]]:
    """The table in docs/ledger.md: state -> what rsspot says, and what plan, apply, ledger and doctor do."""
    lines = (ROOT / "docs" / "ledger.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return {row[0]: row[1:] for row in cells[1:]}


@pytest.fixture(autouse=True)
def permissions() -> Iterator[None]:
    """What a test took away is given back, so that its folder can be deleted."""
    yield
    for path in (folder(), folder() / "state.db"):
        with suppress(FileNotFoundError):
            path.chmod(0o700)


def does(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """What a command ends with and prints."""
    capsys.readouterr()
    code = run(["--sandbox", *words])
    printed = capsys.readouterr()
    assert "internal error" not in printed.err and "Traceback" not in printed.err
    return code, printed.out, printed.err


def check(cell: str, says: str, code: int, err: str) -> None:
    """Whether a command did what a cell of the table says, in its first word."""
    word = re.split(r"\W", cell)[0]
    assert code == {"refuses": 1, "waits": 10}.get(word, 0), (cell, err)
    assert ("warning: " in err) == (word == "warns")
    if word in ("refuses", "warns", "waits"):
        assert says in err
    if word == "refuses":
        assert "hint: " in err


@pytest.mark.parametrize("state", [*STATES, *(pytest.param(name, marks=AS_OTHERS) for name in GUARDED)])
def test_a_state_is_as_documented(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command ends as the table says, with its sentence and a way out, and only an apply that applies writes."""
    says, plan, apply, ledger, doctor, way_out = rows()[state]
    says = says.strip("`")
    assert way_out
    assert run(["--sandbox", "apply", write(STACK), "--yes", "--wait", "none"]) == 0
    write(STACK.replace("desired: 2", "desired: 3"))
    file = folder() / "state.db"
    (STATES | GUARDED)[state](file)
    code, out, err = does(capsys, "doctor", "-o", "json")
    checks = [
        each for each in json.loads(out)["checks"] if each["what"] in ("ledger", "records", "lock", "runs", "disk")
    ]
    assert {each["severity"] for each in checks} - {"ok"} <= {{"ok": "ok", "warns": "warn", "fails": "fail"}[doctor]}
    assert code == (doctor == "fails")
    assert doctor == "ok" or all(each["hint"] for each in checks if each["severity"] != "ok")
    code, _, err = does(capsys, "ledger", "runs")
    check(ledger, says, code, "" if "works" in ledger else err)
    code, out, err = does(capsys, "plan", "stack.yaml")
    check(plan, says, code, err)
    assert plan == "refuses" or "desired" in out
    for words in (("ledger", "verify"), ("ledger", "export"), ("history", "list"), ("ledger", "show", "1")):
        assert does(capsys, *words)[0] in (0, 1, 3)
    code, _, err = does(capsys, "apply", "stack.yaml", "--yes", "--wait", "none")
    check(apply, says, code, err)
    for path in (folder(), file):
        with suppress(FileNotFoundError):
            path.chmod(0o700)
    [pool] = listed("spotnodepools", capsys)
    assert pool["spec"]["desired"] == (3 if apply.startswith("applies") else 2)
    assert len(listed("cloudspaces", capsys)) == 1


@pytest.mark.parametrize("command", ["plan --undo 1", "plan stack.yaml --refresh-only"])
def test_what_is_about_the_ledger_refuses_a_damaged_one(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It alone knows what a run did, and what was applied."""
    assert run(["--sandbox", "apply", write(STACK), "--yes", "--wait", "none"]) == 0
    damaged(folder() / "state.db")
    code, _, err = does(capsys, *command.split())
    assert code == 1 and "is damaged" in err and "hint: " in err and "warning" not in err
    assert len(listed("spotnodepools", capsys)) == 1


def test_every_state_is_tested() -> None:
    """And none is tested that is not documented."""
    assert rows().keys() == STATES.keys() | GUARDED.keys() | ELSEWHERE.keys()
    for state, file in ELSEWHERE.items():
        assert rows()[state][0].strip("`") in (ROOT / file).read_text()
