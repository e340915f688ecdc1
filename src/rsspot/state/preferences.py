"""Preferences: the default profile, and the default organization and region of each profile."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from pydantic import TypeAdapter

from rsspot.errors import StateError, UsageError
from rsspot.state import first_release
from rsspot.state.base_store import BaseStore, Records
from rsspot.state.database import Database
from rsspot.state.failures import ERRORS
from rsspot.state.sqlite_store import SqliteStore

RECORDS = Records("preferences", TypeAdapter(str))
PATIENCE = 5.0
"""Seconds to wait while another process creates the file."""
MASK = ""
"""Counts as no default, and hides the one of a first release."""
OF_A_PROFILE = ("organization", "region")


class Preferences:
    """Stored defaults. Each profile has its own.

    beside_of: the state.db of a first release, which is never changed, and whose defaults apply where there are none
    """

    def __init__(self, store: BaseStore[str], beside_of: Path | None = None) -> None:
        self._store = store
        self._beside_of = beside_of

    def of(self, profile: str | None) -> dict[str, str]:
        """The defaults of a profile. With None, the default profile itself."""
        names = ("profile",) if profile is None else OF_A_PROFILE
        values = {name: self._store.get(_key(name, profile)) for name in names}
        return {name: value for name, value in values.items() if value}

    def remember(self, name: str, value: str | None, profile: str | None = None) -> None:
        """Store a default. None deletes it, and masks the one of a first release."""
        if name not in (("profile",) if profile is None else OF_A_PROFILE):
            raise UsageError(f"{name!r} cannot be remembered")
        if value is None and self._beside_of and name in first_release.preferences(self._beside_of):
            self._store.put(_key(name, profile), MASK)
        elif value is None:
            self._store.delete(_key(name, profile))
        else:
            self._store.put(_key(name, profile), value)


def _key(name: str, profile: str | None) -> str:
    return name if profile is None else f"{name}@{profile}"


def open_preferences(path: Path) -> Preferences:
    """Open the preferences in a state.db. Creates the file if it does not exist."""
    return preferences_in(Database(path))


def preferences_in(database: Database) -> Preferences:
    """The preferences in a state.db that is open."""
    return Preferences(SqliteStore(database, "preferences", RECORDS), database.beside_of)


def forget_profile(path: Path, chosen: str | None = None) -> None:
    """Delete the default profile, because it was set elsewhere. Creates no file.

    chosen: the new default, to be stored if a first release's state.db, which is never changed, names another one
    """
    if path.is_file():
        others = first_release.preferences(path) if first_release.is_first_release(path) else {}
        open_preferences(path).remember("profile", chosen if "profile" in others else None)


def _value(body: object) -> object:
    try:
        return json.loads(str(body))
    except (ValueError, RecursionError):
        return None


def remembered(path: Path) -> Callable[[str | None], Mapping[str, str]]:
    """Read all preferences at once, without writing. Returns a function that gives those of a profile.

    A missing file has no preferences. If the file cannot be read, the returned function raises StateError: ignoring
    the file could select the wrong account.
    """
    others: dict[str, str] = {}
    file = path
    if first_release.is_first_release(path):
        file, others = first_release.beside(path), first_release.preferences(path)
    known: dict[str, str] | None = {}
    if file.is_file():
        known = _read(file, "mode=ro")
        known = _read(file, "immutable=1") if known is None else known

    def of(profile: str | None) -> Mapping[str, str]:
        if known is None:
            raise StateError(
                f"cannot read {file}, which may set the profile and organization to use",
                hint="pass --profile and --org, or move the file away",
            )
        names = ("profile",) if profile is None else OF_A_PROFILE
        return {name: value for name in names if (value := known.get(_key(name, profile), others.get(name)))}

    return of


def _read(path: Path, mode: str) -> dict[str, str] | None:
    """All preferences, or None if the file cannot be read.

    mode: a parameter of an SQLite URI. SQLite opens a WAL file in a read-only folder only as immutable.
    """
    try:
        uri = f"{path.absolute().as_uri()}?{mode}"
        with closing(sqlite3.connect(uri, uri=True, timeout=PATIENCE)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'preferences'").fetchone():
                return {}
            rows = connection.execute("SELECT key, body_json FROM preferences").fetchall()
    except ERRORS:
        return None
    return {key: value for key, body in rows if isinstance(value := _value(body), str)}
