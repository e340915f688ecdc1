"""Fixtures for the defect tests: a simulated service on loopback, a home directory, and the `defect` marker."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rsspot.cli.app import run
from support.loopback_server import Ended, Loopback, write_config


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of this folder; markers are strict."""
    config.addinivalue_line("markers", "defect(*numbers): rules out these of the known defects, by number")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory, and an environment without any setting."""
    for name in [name for name in os.environ if "SPOT" in name or name.lower() == "https_proxy"]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RSSPOT_SANDBOX", str(tmp_path / "sandbox"))
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "home"


@pytest.fixture
def new_loopback() -> Iterator[Callable[..., Loopback]]:
    """Starts services on loopback; takes the options of a World."""
    started: list[Loopback] = []

    def start(**options: Any) -> Loopback:
        started.append(Loopback(**options))
        return started[-1]

    yield start
    for service in started:
        service.close()


@pytest.fixture
def loopback(new_loopback: Callable[..., Loopback]) -> Loopback:
    """A service on loopback with one organization."""
    return new_loopback()


@pytest.fixture
def config_file(home: Path) -> Path:
    """The path of the config file."""
    return home / ".config" / "rsspot" / "config.yml"


@pytest.fixture
def account(loopback: Loopback, config_file: Path) -> Loopback:
    """The service, and a config file with an account on it."""
    write_config(config_file, {"profiles": {"default": loopback.profile()}})
    return loopback


@pytest.fixture
def config(config_file: Path) -> Callable[..., None]:
    """Writes the config file: `config(staging={...}, prod={...}, active="staging")`."""

    def write(active: str | None = None, **profiles: dict[str, Any]) -> None:
        write_config(config_file, {"activeProfile": active, "profiles": profiles})

    return write


@pytest.fixture
def rsspot(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Runs a command in this process."""

    def command(*arguments: str) -> Ended:
        capsys.readouterr()
        code = run([*arguments])
        out, err = capsys.readouterr()
        return Ended(code, out, err)

    return command
