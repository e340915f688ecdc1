"""Preferences: separate for each profile, deletable, and strict about files that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsspot.config.loader import resolve
from rsspot.errors import StateError, UsageError
from rsspot.state.database import Database
from rsspot.state.json_store import JsonStore
from rsspot.state.preferences import RECORDS, Preferences, open_preferences, remembered
from rsspot.state.sqlite_store import SqliteStore


@pytest.fixture(params=["json", "sqlite"])
def preferences(request: pytest.FixtureRequest, tmp_path: Path) -> Preferences:
    """Preferences in each type of store."""
    if request.param == "json":
        return Preferences(JsonStore(tmp_path / "preferences.json", RECORDS))
    return Preferences(SqliteStore(Database(tmp_path / "state.db", durable=False), "preferences", RECORDS))


def test_each_profile_has_its_own_preferences(preferences: Preferences) -> None:
    """Changing the region of one account does not change that of another."""
    preferences.remember("organization", "acme", "work")
    preferences.remember("region", "dfw", "work")
    preferences.remember("region", "iad", "play")
    preferences.remember("profile", "work")
    assert preferences.of("work") == {"organization": "acme", "region": "dfw"}
    assert preferences.of("play") == {"region": "iad"}
    assert preferences.of("default") == {}
    assert preferences.of(None) == {"profile": "work"}


def test_none_deletes_one_preference(preferences: Preferences) -> None:
    """Deleting it again is allowed."""
    for profile in ("work", "play"):
        preferences.remember("region", "dfw", profile)
        preferences.remember("organization", "acme", profile)
    for _ in range(2):
        preferences.remember("region", None, "work")
    assert preferences.of("work") == {"organization": "acme"}
    assert preferences.of("play") == {"organization": "acme", "region": "dfw"}
    preferences.remember("profile", "play")
    preferences.remember("profile", None)
    assert preferences.of(None) == {}


@pytest.mark.parametrize("names", [("a", "a@b"), ("a@b", "b"), ("profile", "region@profile"), ("", "@"), ("%", "_")])
def test_profile_names_that_look_like_keys_do_not_collide(preferences: Preferences, names: tuple[str, str]) -> None:
    """A profile may have any name."""
    for name in names:
        preferences.remember("region", f"of {name}", name)
    assert [preferences.of(name) for name in names] == [{"region": f"of {name}"} for name in names]
    assert preferences.of(None) == {}


@pytest.mark.parametrize(("name", "profile"), [("refresh_token", "work"), ("profile", "work"), ("region", None)])
def test_only_known_preferences_can_be_stored(preferences: Preferences, name: str, profile: str | None) -> None:
    """A token must not get into this file."""
    with pytest.raises(UsageError, match=name):
        preferences.remember(name, "x", profile)
    assert preferences.of(profile) == {}


def test_reading_a_missing_file_creates_nothing(tmp_path: Path) -> None:
    """It has no preferences."""
    assert remembered(tmp_path / "state.db")("work") == {}
    assert remembered(tmp_path)(None) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"not a database" * 300, b"\x00" * 5000])
def test_an_unreadable_file_is_not_ignored(tmp_path: Path, content: bytes) -> None:
    """Ignoring it could select the wrong account. The file is not changed."""
    path = tmp_path / "state.db"
    path.write_bytes(content)
    of = remembered(path)
    with pytest.raises(StateError, match="which may set the profile and organization"):
        of("work")
    assert path.read_bytes() == content


def test_a_file_in_a_read_only_folder_can_be_read(tmp_path: Path) -> None:
    """Containers mount folders like this."""
    path = tmp_path / "sealed" / "state.db"
    open_preferences(path).remember("region", "dfw", "work")
    for each in path.parent.iterdir():
        each.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        assert remembered(path)("work") == {"region": "dfw"}
    finally:
        path.parent.chmod(0o700)


@pytest.mark.parametrize("body", ["{", "5", "null", '["x"]'])
def test_an_unreadable_row_is_ignored(tmp_path: Path, body: str) -> None:
    """Other profiles are not affected."""
    path = tmp_path / "state.db"
    open_preferences(path).remember("region", "dfw", "play")
    database = Database(path)
    with database.transaction() as db:
        db.execute("INSERT INTO preferences VALUES ('region@work', ?, '')", (body,))
    database.close()
    assert remembered(path)("work") == {}
    assert remembered(path)("play") == {"region": "dfw"}


def test_settings_are_resolved_with_preferences(tmp_path: Path) -> None:
    """They override the file, the environment overrides them, and they apply only to their own profile."""
    state = tmp_path / "state.db"
    preferences = open_preferences(state)
    preferences.remember("profile", "play")
    preferences.remember("organization", "remembered", "play")
    config = {"profiles": {"work": {"orgId": "w"}, "play": {"orgId": "p"}}, "activeProfile": "work"}
    environ = {"HOME": str(tmp_path), "RSSPOT_STATE_PATH": str(state)}

    def resolved(**changes: str) -> tuple[str, str]:
        settings = resolve(config=config, environ=environ | changes, preferences=remembered)
        return settings.profile, settings.get("organization")

    assert resolved() == ("play", "remembered")
    assert resolved(RSSPOT_PROFILE="work") == ("work", "w")
    assert resolved(RSSPOT_ORG="env") == ("play", "env")
    preferences.remember("organization", None, "play")
    preferences.remember("profile", None)
    assert resolved() == ("work", "w")
    assert resolved(RSSPOT_PROFILE="play") == ("play", "p")
