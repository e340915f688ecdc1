"""Commands with terminals, special files, unreadable state and closed output."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rsspot.cli.app import run
from rsspot.cli.sandbox import folder
from support.shell import CLOUDSPACE, STACK, listed, write
from support.terminal import Terminal

NAMED = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: things}\n---\n"
REGISTRATION = """\
apiVersion: ngpc.rxt.io/v1
kind: VMCloudSpace
metadata: {name: vms}
spec: {region: us-central-dfw-2, vmSshKeyRef: {name: operators}}
---
apiVersion: rsspot.dev/v1
kind: Registration
metadata: {name: known}
spec: {vmCloudSpace: vms, omniCluster: prod, registrar: {exec: ["/bin/false"]}}
"""


def test_ctrl_c_at_the_prompt_cancels(capsys: pytest.CaptureFixture[str]) -> None:
    """The command exits at once with 8 and creates nothing."""
    terminal = Terminal("--sandbox", "apply", write(STACK))
    try:
        terminal.read_until("to continue")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(60) == 8
        assert "Traceback" not in terminal.read_until()
    finally:
        terminal.close()
    assert listed("cloudspaces", capsys) == []


def test_no_prompt_with_json_output() -> None:
    """Not even on a terminal: the prompt would be part of the document."""
    terminal = Terminal("--sandbox", "apply", write(STACK), "-o", "json")
    try:
        assert terminal.process.wait(60) == 5
        shown = terminal.read_until()
    finally:
        terminal.close()
    assert "--yes" in shown
    assert "to continue" not in shown


@pytest.mark.parametrize("command", [["destroy", "--yes"], ["plan", "--prune"], ["apply", "--prune", "--yes"]])
def test_an_unnamed_stack_deletes_nothing(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    """Without a Stack document, it is unknown which undeclared objects belong to the stack."""
    file = write(STACK)
    assert run(["--sandbox", "apply", file, "--yes"]) == 0
    assert run(["--sandbox", *command, file]) == 3
    assert "add a Stack document" in capsys.readouterr().err
    assert len(listed("spotnodepools", capsys)) == 1


@pytest.mark.parametrize("sort", ["device", "pipe", "directory"])
def test_a_plan_is_not_saved_over_a_special_file(capsys: pytest.CaptureFixture[str], sort: str) -> None:
    """Replacing a device, pipe or directory would destroy it."""
    out = Path("/dev/null") if sort == "device" else Path("out")
    if sort == "pipe":
        os.mkfifo(out)
    elif sort == "directory":
        out.mkdir()
    before = out.stat()
    assert run(["--sandbox", "plan", write(STACK), "--out", str(out)]) == 3
    assert f"cannot write {out}" in capsys.readouterr().err
    assert (out.stat().st_mode, out.stat().st_ino) == (before.st_mode, before.st_ino)


def test_a_plan_is_saved_through_a_symlink() -> None:
    """The symlink stays, and its target is written."""
    Path("link.json").symlink_to("target.json")
    assert run(["--sandbox", "plan", write(STACK), "--out", "link.json"]) == 0
    assert Path("link.json").is_symlink()
    assert json.loads(Path("target.json").read_text())["summary"]["create"] == 2


def test_a_group_without_a_command_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    """As separate lines, not as one line with escaped newlines."""
    assert run(["ledger"]) == 3
    output = "".join(capsys.readouterr())
    assert "registrations" in output
    assert "\\n" not in output


def test_a_plan_with_registrations_writes_nothing_to_the_ledger() -> None:
    """Whatever the kind. Only the history has the command; without a history there is not even a file."""
    assert run(["--sandbox", "plan", write(REGISTRATION)]) == 0
    with closing(sqlite3.connect(folder() / "state.db")) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        filled = {name for name in tables if database.execute(f"SELECT 1 FROM {name}").fetchone()}
    assert filled - {"sqlite_sequence"} == {"command_history"}


def test_a_plan_without_a_history_creates_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan itself writes nothing."""
    monkeypatch.setenv("RSSPOT_HISTORY", "false")
    assert run(["--sandbox", "plan", write(REGISTRATION)]) == 0
    assert not (folder() / "state.db").exists()


@pytest.mark.parametrize("sort", ["garbage", "directory"])
def test_an_unreadable_ledger(capsys: pytest.CaptureFixture[str], sort: str) -> None:
    """A plan warns and continues without it; an apply sends nothing."""
    file, state = write(STACK), folder() / "state.db"
    folder().mkdir(parents=True)
    if sort == "garbage":
        state.write_bytes(b"this is no database " * 500)
    else:
        state.mkdir()
    assert run(["--sandbox", "plan", file]) == 0
    assert "continuing without the ledger" in capsys.readouterr().err
    assert run(["--sandbox", "apply", file, "--yes"]) == 1
    assert "internal error" not in capsys.readouterr().err
    assert listed("cloudspaces", capsys) == []


@pytest.mark.parametrize("where", [">&-", ">/dev/full"])
@pytest.mark.parametrize("arguments", ["--sandbox regions list", "--sandbox regions list -o json", "--help"])
def test_a_closed_or_full_output_is_not_an_internal_error(where: str, arguments: str) -> None:
    """The fault is not in rsspot."""
    if where == ">/dev/full" and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    line = f'exec "{sys.executable}" -m rsspot {arguments} {where}'
    ended = subprocess.run(["/bin/sh", "-c", line], stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert "internal error" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_corrupt_sandbox_hints_at_reset(capsys: pytest.CaptureFixture[str]) -> None:
    """The error is one line, with one line of hint."""
    folder().mkdir(parents=True)
    (folder() / "world.db").write_bytes(b"this is no database " * 500)
    assert run(["--sandbox", "cloudspaces", "list"]) == 1
    error, hint = capsys.readouterr().err.splitlines()
    assert "cannot open the sandbox" in error
    assert "rsspot simulator reset" in hint


def test_stack_variables_can_use_environment_variables(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """References in a variable's value are expanded before it is used."""
    monkeypatch.setenv("REGION", "us-central-dfw-1")
    stack = NAMED.replace("---\n", 'spec: {variables: {region: "${env:REGION}"}}\n---\n')
    file = write(stack + CLOUDSPACE.replace("us-central-dfw-1", "${var:region}"))
    assert run(["--sandbox", "apply", file, "--yes", "--wait", "none"]) == 0
    assert [cloudspace["spec"]["region"] for cloudspace in listed("cloudspaces", capsys)] == ["us-central-dfw-1"]


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without credentials, whose service is unreachable."""
    for name in (variable for variable in os.environ if variable.startswith(("SPOT_", "RACKSPACE_", "RSSPOT_CONFIG"))):
        monkeypatch.delenv(name)
    monkeypatch.delenv("RSSPOT_REFRESH_TOKEN", raising=False)
    monkeypatch.setenv("RSSPOT_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("RSSPOT_OAUTH_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("RSSPOT_ORG", "nobody")
    return monkeypatch


def test_a_missing_credential_has_its_own_exit_code(
    capsys: pytest.CaptureFixture[str], no_credentials: pytest.MonkeyPatch
) -> None:
    """The error is also a PermissionError, but is reported as an RsspotError with its hint."""
    assert run(["cloudspaces", "list"]) == 4
    message = capsys.readouterr().err
    assert "no refresh token" in message
    assert "RSSPOT_REFRESH_TOKEN" in message
