"""`rsspot` with a ledger on a server: named in four places, used by every command, its password nowhere seen."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rsspot.cli.app import run
from rsspot.state.ledger import open_ledger
from support.postgres import shared_server
from support.shell import STACK, listed, write

SECRET = "geheim-4711"


@pytest.fixture
def url(here: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty database, for a user with a password."""
    server = shared_server()
    server.fresh()
    server.execute("DROP ROLE IF EXISTS strict", f"CREATE ROLE strict LOGIN SUPERUSER PASSWORD '{SECRET}'")
    return f"postgresql://strict:{SECRET}@/ledger?host={server.folder}"


def shell(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    """What a command prints, in which the password never is."""
    capsys.readouterr()
    ended = run(list(words))
    printed = capsys.readouterr()
    assert ended == code, printed.err
    assert SECRET not in printed.out + printed.err
    return printed.out + printed.err


def document(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """What a command prints as JSON."""
    return json.loads(shell(capsys, *words, "-o", "json"))


def test_a_stack_is_applied_with_a_shared_ledger(url: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Plan, apply, look, check, prune and copy; nothing of the ledger is in a file, and the password is in none."""
    write(STACK)
    there = ("--sandbox", "--ledger", url)
    shell(capsys, "plan", str(here), *there)
    assert "exit=0" in shell(capsys, "apply", str(here), "--yes", *there)
    assert "No changes" in shell(capsys, "plan", str(here), *there)
    [applied] = document(capsys, "ledger", "runs", *there)
    assert applied["outcome"] == "ok"
    assert "Nothing is wrong" in shell(capsys, "ledger", "verify", *there)
    assert "No run is old enough" in shell(capsys, "ledger", "prune", "--keep", "1d", *there)
    assert "can be reached and read" in shell(capsys, "doctor", *there)
    shell(capsys, "lock", "hold", "--stack", applied["stack"], "--reason", "holidays", *there)
    [held] = document(capsys, "lock", "status", *there)
    assert held["reason"] == "holidays"
    shell(capsys, "lock", "break", str(held["fence"]), "--yes", *there)
    copied = shell(capsys, "ledger", "copy", url, str(here / "copy.db"), "--sandbox")
    assert "Copied and compared: 1 runs" in copied
    with closing(open_ledger(url)) as ledger:
        assert len(ledger.runs()) == 1
    for file in here.parent.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file
    with closing(sqlite3.connect(next(here.parent.rglob("state.db")))) as state:
        assert state.execute("SELECT COUNT(*) FROM runs").fetchone() == (0,)


def test_the_ledger_is_named_in_four_places(
    url: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first one of them counts, and its password is not shown."""
    config = here / "config.yaml"
    config.write_text("ledger: /nowhere/config.db\n")
    shown = document(capsys, "config", "explain", "-c", str(config))
    assert "/nowhere/config.db" in json.dumps(shown)
    monkeypatch.setenv("RSSPOT_LEDGER_URL", url)
    shown = json.dumps(document(capsys, "config", "explain", "-c", str(config)))
    assert "postgresql://strict:***@/ledger" in shown and "RSSPOT_LEDGER_URL" in shown
    assert document(capsys, "ledger", "runs", "-c", str(config)) == []
    message = shell(capsys, "ledger", "runs", "--ledger", "mysql://x/y", "-c", str(config), code=3)
    assert "no ledger backend for mysql://" in message


def test_a_stack_names_its_ledger_and_a_saved_plan_remembers_it(
    url: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a password, which is not the Stack's to give."""
    monkeypatch.setenv("PGPASSWORD", SECRET)
    public = url.replace(f":{SECRET}", "")
    text = f"apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {{name: shared}}\nspec: {{ledger: '{public}'}}\n---\n"
    write(text + STACK)
    plan = here / "saved.json"
    shell(capsys, "plan", str(here), "--out", str(plan), "--sandbox")
    assert json.loads(plan.read_text())["inputs"]["ledger"] == public
    shell(capsys, "apply", "--plan", str(plan), "--yes", "--sandbox")
    with closing(open_ledger(url)) as ledger:
        assert [run.outcome for run in ledger.runs()] == ["ok"]
    write(text.replace(public, url) + STACK)
    assert "must be a URL without a password" in shell(capsys, "plan", str(here), "--sandbox", code=3)


def test_without_the_server_a_plan_warns_and_nothing_is_applied(
    url: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is planned, asked or sent."""
    write(STACK)
    gone = ("--sandbox", "--ledger", f"postgresql://strict:{SECRET}@127.0.0.1:1/ledger")
    assert "continuing without the ledger" in shell(capsys, "plan", str(here), *gone)
    message = shell(capsys, "apply", str(here), "--yes", *gone, code=1)
    assert "cannot open the ledger postgresql://strict:***@127.0.0.1:1/ledger" in message
    assert "nothing is sent without the ledger" in message
    assert listed("cloudspaces", capsys) == []
