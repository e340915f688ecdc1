"""The history of commands: which are recorded, where, with what, and that it never gets in a command's way."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rsspot.cli.app import run
from rsspot.cli.sandbox import folder
from rsspot.state.history import MAX_COMMANDS
from support.shell import STACK, write


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state.db of an account that no command of these tests contacts. It is not there yet."""
    for name in ("BASE_URL", "OAUTH_URL", "FEEDS_URL"):
        monkeypatch.setenv(f"RSSPOT_{name}", "http://127.0.0.1:9")
    return Path.home() / ".config" / "rsspot" / "state.db"


def history(capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    """The recorded commands, oldest first."""
    capsys.readouterr()
    assert run([*options, "history", "list", "-o", "json"]) == 0
    return list(reversed(json.loads(capsys.readouterr().out)))


def commands(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Those of the sandbox, as text and without `--sandbox`."""
    return [entry["command"].removeprefix("--sandbox ") for entry in history(capsys, "--sandbox")]


def sandboxed(*arguments: str) -> int:
    """Run a command in the sandbox."""
    return run(["--sandbox", *arguments])


def test_every_command_is_recorded_with_exit_code_and_duration(capsys: pytest.CaptureFixture[str]) -> None:
    """Those that use the service and those that do not, those that fail and those that are refused."""
    file = "stack.yaml"
    write(STACK, file)
    assert sandboxed("regions", "list") == 0
    assert sandboxed("validate", file) == 0
    assert sandboxed("validate", "gone.yaml") == 3
    assert sandboxed("plan", file, "--nonsense") == 3
    assert sandboxed("plan", file, "-o", "nonsense") == 3
    assert sandboxed("apply", file) == 5
    assert sandboxed("cloudspaces", "get", "nope") == 1
    assert sandboxed("configure", "--org", "acme") == 3
    assert sandboxed("plan", "-p") == 3
    entries = history(capsys, "--sandbox")
    assert [(entry["command"].removeprefix("--sandbox "), entry["exit_code"]) for entry in entries] == [
        ("regions list", 0),
        (f"validate {file}", 0),
        ("validate gone.yaml", 3),
        (f"plan {file} --***", 3),
        (f"plan {file} -o nonsense", 3),
        (f"apply {file}", 5),
        ("cloudspaces get nope", 1),
        ("configure --org acme", 3),
        ("plan -p", 3),
    ]
    for entry in entries:
        assert 0 <= entry["seconds"] < 120
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry["started_at"])
        assert entry["profile"] == "sandbox"


@pytest.mark.parametrize("line", ["--help", "plan --help", "cloudspaces list --help", "", "--version"])
def test_help_is_not_recorded(capsys: pytest.CaptureFixture[str], line: str) -> None:
    """No command has run."""
    sandboxed("regions", "list")
    sandboxed(*line.split())
    assert commands(capsys) == ["regions list"]


def test_the_first_command_that_uses_the_service_creates_the_file(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readable by its owner only. One that does not use the service creates nothing."""
    monkeypatch.setenv("RSSPOT_ACCESS_TOKEN", "opaque")
    monkeypatch.setenv("RSSPOT_MAX_RETRIES", "0")
    assert run(["config", "path"]) == 0
    assert run(["nonsense"]) == 3
    assert not real.exists()
    assert run(["regions", "list"]) == 1
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert run(["config", "path"]) == 0
    with closing(sqlite3.connect(real)) as database:
        rows = database.execute("SELECT command, exit_code FROM command_history").fetchall()
    assert rows == [("regions list", 1), ("config path", 0)]


def test_the_sandbox_has_a_history_of_its_own(real: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside its ledger, so that `simulator reset` deletes both."""
    sandboxed("regions", "list")
    assert (folder() / "state.db").is_file()
    assert not real.exists()
    assert run(["simulator", "reset"]) == 0
    assert commands(capsys) == []


def test_a_history_that_is_turned_off_records_nothing(
    real: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the sandbox too. What is there already stays until it is cleared."""
    sandboxed("regions", "list")
    monkeypatch.setenv("RSSPOT_HISTORY", "false")
    sandboxed("regions", "list")
    assert commands(capsys) == ["regions list"]
    sandboxed("history", "info", "-o", "json")
    assert json.loads(capsys.readouterr().out)["enabled"] is False
    monkeypatch.setenv("RSSPOT_ACCESS_TOKEN", "opaque")
    monkeypatch.setenv("RSSPOT_MAX_RETRIES", "0")
    assert run(["regions", "list"]) == 1
    assert not real.exists()


def test_a_profile_can_turn_it_off(real: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its own setting."""
    real.parent.mkdir(parents=True)
    (real.parent / "config.yml").write_text("profiles: {loud: {org: a}, quiet: {org: a, history: false}}\n")
    assert run(["config", "set-default", "profile", "loud"]) == 0
    assert run(["-p", "quiet", "profiles", "show"]) == 0
    assert run(["profiles", "show"]) == 0
    entries = history(capsys)
    assert [entry["command"] for entry in entries] == ["config set-default profile loud", "profiles show"]


def test_an_unknown_profile_is_not_named(real: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command is recorded, but what was given as its profile may be anything."""
    real.parent.mkdir(parents=True)
    (real.parent / "config.yml").write_text("profiles: {loud: {org: a}}\n")
    assert run(["config", "set-default", "profile", "loud"]) == 0
    assert run(["-p", "canary-Token", "whoami"]) == 3
    last = history(capsys)[-1]
    assert (last["command"], last["profile"], last["exit_code"]) == ("-p *** whoami", None, 3)


@pytest.mark.parametrize("sort", ["garbage", "folder", "newer", "locked"])
def test_a_history_that_cannot_be_written_changes_nothing(capsys: pytest.CaptureFixture[str], sort: str) -> None:
    """Neither the output nor the exit code."""
    state = folder() / "state.db"
    assert sandboxed("regions", "list", "--no-cache") == 0
    expected = capsys.readouterr()
    with closing(sqlite3.connect(state)) as database:
        if sort == "locked":
            database.execute("BEGIN EXCLUSIVE")
        if sort == "newer":
            database.execute("PRAGMA user_version = 999")
            database.commit()
        if sort in ("garbage", "folder"):
            for part in folder().glob("state.db*"):
                part.unlink()
        if sort == "garbage":
            state.write_bytes(b"this is no database " * 500)
        if sort == "folder":
            state.mkdir()
        assert sandboxed("regions", "list", "--no-cache") == 0
        assert capsys.readouterr() == expected


def test_list_clear_and_info(capsys: pytest.CaptureFixture[str]) -> None:
    """Clearing removes all that was before it."""
    for _ in range(3):
        sandboxed("regions", "list")
    capsys.readouterr()
    sandboxed("history", "list", "--limit", "2", "-o", "json")
    assert len(json.loads(capsys.readouterr().out)) == 2
    sandboxed("history", "info", "-o", "json")
    about = json.loads(capsys.readouterr().out)
    state = str(folder() / "state.db")
    assert about == {"enabled": True, "entries": 4, "maxEntries": MAX_COMMANDS, "state": state}
    sandboxed("history", "clear", "-o", "json")
    assert json.loads(capsys.readouterr().out) == {"forgotten": 5}
    assert commands(capsys) == ["history clear -o json"]


def test_verbose_prints_one_line_about_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Duration, requests and retries; without secrets, and on standard error, whatever the output format."""
    assert sandboxed("regions", "list", "--no-cache", "-v", "-o", "json") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)
    line = printed.err.splitlines()[-1]
    assert re.fullmatch(
        r"rsspot --sandbox regions list --no-cache -v -o json: \d+\.\d\d s, 2 requests, 0 retries", line
    )
    assert sandboxed("plan", "gone.yaml", "--var", "token=hunter2", "-v") == 3
    line = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(r"rsspot --sandbox plan gone.yaml --var \*\*\* -v: \d+\.\d\d s, 0 requests, 0 retries", line)


def test_without_verbose_nothing_is_said_about_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard error is for what went wrong."""
    assert sandboxed("regions", "list") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("login --store nowhere", "--store takes file, keyring, command, not 'nowhere'"),
        ("login --keyring --store file", "cannot combine --keyring with --store file"),
    ],
)
def test_an_unknown_credential_store_is_a_usage_error(
    real: Path, capsys: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    """Before anybody is asked to log in."""
    assert run(line.split()) == 3
    assert message in capsys.readouterr().err
