"""An environment without an account, for tests of what a command says about it."""

from __future__ import annotations

import pytest

from rsspot.settings import ALIASES, CONFIG_PATHS


def without_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset every variable that a setting is read from."""
    for name in (*CONFIG_PATHS, *(name for names in ALIASES.values() for name in names)):
        monkeypatch.delenv(name, raising=False)
