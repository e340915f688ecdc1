"""Preferences: which profile, and for each profile which organisation and region, when nobody says another."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path

from pydantic import TypeAdapter

from rsspot.errors import UsageError
from rsspot.state.database import IMPATIENT, Database
from rsspot.state.sqlite_store import SqliteStore
from rsspot.state.store import BaseStore, Records

RECORDS = Records("preferences", TypeAdapter(str))
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
    """What a state.db remembers, read in one go; nothing where there is none, or none that can be read.

    Opened for reading only: looking something up neither makes the file nor brings it up to date.
    """
    known: dict[str, str] = {}
    if path.is_file():
        with suppress(sqlite3.Error):
            address = f"{path.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(address, uri=True, timeout=IMPATIENT)) as connection:
                rows = connection.execute("SELECT key, body_json FROM preferences").fetchall()
            known = {key: value for key, body in rows if isinstance(value := _value(body), str)}

    def of(profile: str | None) -> Mapping[str, str]:
        names = ("profile",) if profile is None else OF_A_PROFILE
        return {name: known[key] for name in names if (key := _key(name, profile)) in known}

    return of
