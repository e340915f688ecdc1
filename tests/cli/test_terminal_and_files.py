"""Where a command meets the terminal, the disk and the ledger: what it refuses, and what it leaves alone."""

from __future__ import annotations

import errno
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rsspot.cli.app import run
from rsspot.cli.sandbox import folder
from support.shell import CLOUDSPACE, STACK, listed, write

RSSPOT = [sys.executable, "-m", "rsspot"]
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


class Terminal:
    """A command whose three streams are a terminal."""

    def __init__(self, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen([*RSSPOT, *arguments], stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        self.shown = ""

    def read_until(self, text: str | None = None, within: float = 30) -> str:
        """Everything shown so far, once this text is there; without one, once the command has ended."""
        deadline = time.monotonic() + within
        while text is None or text not in self.shown:
            ready, _, _ = select.select([self._ours], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"{text!r} was not shown in time: {self.shown}"
            try:
                read = os.read(self._ours, 65536)
            except OSError as error:
                assert error.errno == errno.EIO
                read = b""
            if not read:
                break
            self.shown += read.decode()
        return self.shown

    def close(self) -> None:
        os.close(self._ours)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)


def test_ctrl_c_at_the_question_is_a_no(capsys: pytest.CaptureFixture[str]) -> None:
    """It ends at once with 8, and nothing was made."""
    terminal = Terminal("--sandbox", "apply", write(STACK))
    try:
        terminal.read_until("to go ahead")
        time.sleep(0.3)
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(15) == 8
        assert "Traceback" not in terminal.read_until()
    finally:
        terminal.close()
    assert listed("cloudspaces", capsys) == []


def test_nobody_is_asked_in_json() -> None:
    """Even on a terminal: the question would stand in the document."""
    terminal = Terminal("--sandbox", "apply", write(STACK), "-o", "json")
    try:
        assert terminal.process.wait(30) == 5
        shown = terminal.read_until()
    finally:
        terminal.close()
    assert "--yes" in shown
    assert "to go ahead" not in shown


@pytest.mark.parametrize("command", [["destroy", "--yes"], ["plan", "--prune"], ["apply", "--prune", "--yes"]])
def test_what_is_nobodys_is_not_deleted_for_want_of_a_name(
    capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """Manifests without a Stack document do not say what else is theirs."""
    file = write(STACK)
    assert run(["--sandbox", "apply", file, "--yes"]) == 0
    assert run(["--sandbox", *command, file]) == 3
    assert "add a Stack document" in capsys.readouterr().err
    assert len(listed("spotnodepools", capsys)) == 1


@pytest.mark.parametrize("sort", ["device", "pipe", "directory"])
def test_a_plan_is_not_saved_over_what_is_no_file(capsys: pytest.CaptureFixture[str], sort: str) -> None:
    """Replacing it would destroy it."""
    out = Path("/dev/null") if sort == "device" else Path("out")
    if sort == "pipe":
        os.mkfifo(out)
    elif sort == "directory":
        out.mkdir()
    before = out.stat()
    assert run(["--sandbox", "plan", write(STACK), "--out", str(out)]) == 3
    assert f"cannot write {out}" in capsys.readouterr().err
    assert (out.stat().st_mode, out.stat().st_ino) == (before.st_mode, before.st_ino)


def test_a_plan_is_saved_through_a_link() -> None:
    """The link stays one, and what it points at is written."""
    Path("link.json").symlink_to("target.json")
    assert run(["--sandbox", "plan", write(STACK), "--out", "link.json"]) == 0
    assert Path("link.json").is_symlink()
    assert json.loads(Path("target.json").read_text())["summary"]["create"] == 2


def test_a_group_without_a_command_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    """As lines, not as one line with the newlines spelt out."""
    assert run(["ledger"]) == 3
    said = "".join(capsys.readouterr())
    assert "registrations" in said
    assert "\\n" not in said


def test_a_plan_of_registrations_makes_no_ledger() -> None:
    """A plan writes nothing, whatever it is about."""
    assert run(["--sandbox", "plan", write(REGISTRATION)]) == 0
    assert not (folder() / "state.db").exists()


@pytest.mark.parametrize("sort", ["garbage", "directory"])
def test_a_ledger_that_cannot_be_read(capsys: pytest.CaptureFixture[str], sort: str) -> None:
    """A plan goes on without it and says so; an apply sends nothing."""
    file, state = write(STACK), folder() / "state.db"
    folder().mkdir(parents=True)
    if sort == "garbage":
        state.write_bytes(b"this is no database " * 500)
    else:
        state.mkdir()
    assert run(["--sandbox", "plan", file]) == 0
    assert "going on without the ledger" in capsys.readouterr().err
    assert run(["--sandbox", "apply", file, "--yes"]) == 1
    assert "defect" not in capsys.readouterr().err
    assert listed("cloudspaces", capsys) == []


@pytest.mark.parametrize("where", [">&-", ">/dev/full"])
@pytest.mark.parametrize("arguments", ["--sandbox regions list", "--sandbox regions list -o json", "--help"])
def test_an_output_that_takes_nothing_is_no_defect(where: str, arguments: str) -> None:
    """Closed or full, it is not rsspot that is broken."""
    if where == ">/dev/full" and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    line = f'exec "{sys.executable}" -m rsspot {arguments} {where}'
    ended = subprocess.run(["/bin/sh", "-c", line], stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert "defect" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_broken_sandbox_says_how_to_get_a_new_one(capsys: pytest.CaptureFixture[str]) -> None:
    """In a line and a hint."""
    folder().mkdir(parents=True)
    (folder() / "world.db").write_bytes(b"this is no database " * 500)
    assert run(["--sandbox", "cloudspaces", "list"]) == 1
    error, hint = capsys.readouterr().err.splitlines()
    assert "the sandbox's world cannot be opened" in error
    assert "rsspot simulator reset" in hint


def test_variables_of_a_stack_may_come_from_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are expanded before they are used."""
    monkeypatch.setenv("REGION", "us-central-dfw-1")
    stack = NAMED.replace("---\n", 'spec: {variables: {region: "${env:REGION}"}}\n---\n')
    file = write(stack + CLOUDSPACE.replace("us-central-dfw-1", "${var:region}"))
    assert run(["--sandbox", "apply", file, "--yes", "--wait", "none"]) == 0
    assert [each["spec"]["region"] for each in listed("cloudspaces", capsys)] == ["us-central-dfw-1"]


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An account without a credential, at a service that is not there."""
    for name in (variable for variable in os.environ if variable.startswith(("SPOT_", "RACKSPACE_", "RSSPOT_CONFIG"))):
        monkeypatch.delenv(name)
    monkeypatch.delenv("RSSPOT_REFRESH_TOKEN", raising=False)
    monkeypatch.setenv("RSSPOT_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("RSSPOT_OAUTH_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("RSSPOT_ORG", "nobody")
    return monkeypatch


def test_a_missing_credential_has_its_own_exit_code(
    capsys: pytest.CaptureFixture[str], nowhere: pytest.MonkeyPatch
) -> None:
    """Its error is a PermissionError of Python's too, and is told as ours, with the hint."""
    assert run(["cloudspaces", "list"]) == 4
    said = capsys.readouterr().err
    assert "no refresh token" in said
    assert "RSSPOT_REFRESH_TOKEN" in said
