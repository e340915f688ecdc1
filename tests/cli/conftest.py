"""The folder and environment that the commands of these tests run in."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from rsspot.cli.app import run
from support.shell import Command


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, with its own home and sandbox."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RSSPOT_SANDBOX", str(tmp_path / "sandbox"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def rsspot(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command on the sandbox, expects its exit code, and gives what it printed."""

    def command(line: str, code: int = 0) -> str:
        assert run(["--sandbox", *shlex.split(line)]) == code, capsys.readouterr()
        printed = capsys.readouterr()
        return printed.out + printed.err

    return command
