"""Clients that are overheard, as in the service tests, and a place of its own for everything that a test sets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home without settings; what clients were shared is let go of before and after."""
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
