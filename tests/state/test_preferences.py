"""Remembered choices: one for each profile, forgotten on request, and never in the way."""

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
    """Preferences in either store."""
    if request.param == "json":
        return Preferences(JsonStore(tmp_path / "preferences.json", RECORDS))
    return Preferences(SqliteStore(Database(tmp_path / "state.db", durable=False), "preferences", RECORDS))


def test_each_profile_has_its_own(preferences: Preferences) -> None:
    """Somebody who changes one account's region does not change another's."""
    preferences.remember("organization", "acme", "work")
    preferences.remember("region", "dfw", "work")
    preferences.remember("region", "iad", "play")
    preferences.remember("profile", "work")
    assert preferences.of("work") == {"organization": "acme", "region": "dfw"}
    assert preferences.of("play") == {"region": "iad"}
    assert preferences.of("default") == {}
    assert preferences.of(None) == {"profile": "work"}


def test_none_forgets_only_that(preferences: Preferences) -> None:
    """And may be said twice."""
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
def test_names_that_look_like_each_others_keys_are_apart(preferences: Preferences, names: tuple[str, str]) -> None:
    """A profile may be called anything."""
    for name in names:
        preferences.remember("region", f"of {name}", name)
    assert [preferences.of(name) for name in names] == [{"region": f"of {name}"} for name in names]
    assert preferences.of(None) == {}


@pytest.mark.parametrize(("name", "profile"), [("refresh_token", "work"), ("profile", "work"), ("region", None)])
def test_only_a_choice_can_be_remembered(preferences: Preferences, name: str, profile: str | None) -> None:
    """A token has no business in this file."""
    with pytest.raises(UsageError, match=name):
        preferences.remember(name, "x", profile)
    assert preferences.of(profile) == {}


def test_where_there_is_no_state_nothing_is_remembered_and_nothing_made(tmp_path: Path) -> None:
    """Reading settings writes nothing."""
    assert remembered(tmp_path / "state.db")("work") == {}
    assert remembered(tmp_path)(None) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"not a database" * 300, b"\x00" * 5000])
def test_a_file_that_cannot_be_read_is_not_passed_over(tmp_path: Path, content: bytes) -> None:
    """It may say which account is meant; and it is left as it is for whoever can read it."""
    path = tmp_path / "state.db"
    path.write_bytes(content)
    of = remembered(path)
    with pytest.raises(StateError, match="which profile and organization are meant"):
        of("work")
    assert path.read_bytes() == content


def test_a_healthy_file_in_a_folder_that_is_read_only_is_read(tmp_path: Path) -> None:
    """As a container mounts it."""
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
def test_a_row_that_cannot_be_read_remembers_nothing(tmp_path: Path, body: str) -> None:
    """For the profile that it is of."""
    path = tmp_path / "state.db"
    open_preferences(path).remember("region", "dfw", "play")
    database = Database(path)
    with database.transaction() as db:
        db.execute("INSERT INTO preferences VALUES ('region@work', ?, '')", (body,))
    database.close()
    assert remembered(path)("work") == {}
    assert remembered(path)("play") == {"region": "dfw"}


def test_settings_are_resolved_with_what_is_remembered(tmp_path: Path) -> None:
    """Over the file, under the environment, and only for the profile it was remembered for."""
    state = tmp_path / "state.db"
    preferences = open_preferences(state)
    preferences.remember("profile", "play")
    preferences.remember("organization", "remembered", "play")
    config = {"profiles": {"work": {"orgId": "w"}, "play": {"orgId": "p"}}, "activeProfile": "work"}
    environ = {"HOME": str(tmp_path), "RSSPOT_STATE_PATH": str(state)}

    def found(**changes: str) -> tuple[str, str]:
        settled = resolve(config=config, environ=environ | changes, preferences=remembered)
        return settled.profile, settled.get("organization")

    assert found() == ("play", "remembered")
    assert found(RSSPOT_PROFILE="work") == ("work", "w")
    assert found(RSSPOT_ORG="env") == ("play", "env")
    preferences.remember("organization", None, "play")
    preferences.remember("profile", None)
    assert found() == ("work", "w")
    assert found(RSSPOT_PROFILE="play") == ("play", "p")
