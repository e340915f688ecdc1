"""Preferences: which profile, and for each profile which organization and region, when nobody says another."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from pydantic import TypeAdapter

from rsspot.errors import StateError, UsageError
from rsspot.state.base_store import BaseStore, Records
from rsspot.state.database import Database
from rsspot.state.sqlite_store import SqliteStore

RECORDS = Records("preferences", TypeAdapter(str))
PATIENCE = 5.0
"""Seconds to wait for another process that is just making the file."""
OF_A_PROFILE = ("organization", "region")


class Preferences:
    """Remembered choices. One made for a profile never touches another profile."""

    def __init__(self, store: BaseStore[str]) -> None:
        self._store = store

    def of(self, profile: str | None) -> dict[str, str]:
        """What is remembered for a profile; None: the profile to use."""
        names = ("profile",) if profile is None else OF_A_PROFILE
        found = {name: self._store.get(_key(name, profile)) for name in names}
        return {name: value for name, value in found.items() if value is not None}

    def remember(self, name: str, value: str | None, profile: str | None = None) -> None:
        """Use a value from now on; None: no longer."""
        if name not in (("profile",) if profile is None else OF_A_PROFILE):
            raise UsageError(f"{name!r} cannot be remembered")
        if value is None:
            self._store.delete(_key(name, profile))
        else:
            self._store.put(_key(name, profile), value)


def _key(name: str, profile: str | None) -> str:
    return name if profile is None else f"{name}@{profile}"


def open_preferences(path: Path) -> Preferences:
    """The preferences in a state.db."""
    return Preferences(SqliteStore(Database(path), "preferences", RECORDS))


def forget_profile(path: Path) -> None:
    """No longer remember which profile to use: somebody has said it elsewhere. Makes no file for that."""
    if path.is_file():
        open_preferences(path).remember("profile", None)


def _value(body: object) -> object:
    try:
        return json.loads(str(body))
    except (ValueError, RecursionError):
        return None


def remembered(path: Path) -> Callable[[str | None], Mapping[str, str]]:
    """What a state.db remembers, read in one go and for reading only; nothing where there is none.

    What comes of it raises StateError when there is one that cannot be read: it may say which account is meant.
    """
    known: dict[str, str] | None = {}
    if path.is_file():
        known = _read(path, "mode=ro")
        known = _read(path, "immutable=1") if known is None else known

    def of(profile: str | None) -> Mapping[str, str]:
        if known is None:
            raise StateError(
                f"{path} cannot be read, and it may say which profile and organization are meant",
                hint="name both (--profile, --org), or move the file away",
            )
        names = ("profile",) if profile is None else OF_A_PROFILE
        return {name: known[key] for name in names if (key := _key(name, profile)) in known}

    return of


def _read(path: Path, how: str) -> dict[str, str] | None:
    """Every row; None where they cannot be read. A file in a folder that is read-only can be had as immutable only."""
    try:
        address = f"{path.absolute().as_uri()}?{how}"
        with closing(sqlite3.connect(address, uri=True, timeout=PATIENCE)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'preferences'").fetchone():
                return {}
            rows = connection.execute("SELECT key, body_json FROM preferences").fetchall()
    except sqlite3.Error:
        return None
    return {key: value for key, body in rows if isinstance(value := _value(body), str)}
