"""Fixtures for client tests: a home directory without settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.open_files import server

__all__ = ["server"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home directory without settings; shared clients are closed before and after."""
    from rsspot.client import singleton

    for name in [each for each in os.environ if "SPOT" in each or each in ("XDG_CONFIG_HOME", "RXTSPOT_TOKEN")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    singleton.configure()
    singleton.close_all_clients()
    yield tmp_path
    singleton.configure()
    singleton.close_all_clients()
