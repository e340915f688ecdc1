"""Migration from the official CLI's file: the copy has the same settings, and nothing is overwritten."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rsspot.config.files import read
from rsspot.config.loader import resolve
from rsspot.config.manager import migrate
from rsspot.errors import ConfigError

OFFICIAL = "org: acme\nrefreshToken: '1/r:t#x'\naccessToken: a.b.c\nregion: us-central-dfw-1\n"
MIGRATION = "import os; from rsspot.config.manager import migrate; print(migrate(os.environ))"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment whose home folder contains the official CLI's file."""
    (tmp_path / ".spot_config").write_text(OFFICIAL)
    return {"HOME": str(tmp_path)}


def test_the_copy_has_the_same_settings(home: dict[str, str]) -> None:
    """The same organization, tokens, region and state. The official CLI's file is unchanged."""
    before = resolve(environ=home)
    created = migrate(home)
    after = resolve(environ=home)
    assert created == after.config_file == Path(home["HOME"]) / ".config" / "rsspot" / "config.yml"
    assert {name: each.value for name, each in after.settings.items()} == {
        "organization": "acme",
        "refresh_token": "1/r:t#x",
        "access_token": "a.b.c",
        "region": "us-central-dfw-1",
    }
    assert after.options == before.options
    assert (after.profile, after.state_path) == (before.profile, before.state_path)
    assert created.stat().st_mode & 0o777 == 0o600
    assert (Path(home["HOME"]) / ".spot_config").read_text() == OFFICIAL


def test_a_second_migration_does_nothing(home: dict[str, str]) -> None:
    """Later changes are not lost."""
    created = migrate(home)
    assert created is not None
    created.write_text("org: changed later\n")
    assert migrate(home) is None
    assert created.read_text() == "org: changed later\n"


@pytest.mark.parametrize("name", ["config.yml", "config.yaml", "config.toml", "config.json"])
def test_an_existing_config_file_is_never_overwritten(home: dict[str, str], name: str) -> None:
    """Not even an empty one, and no other file is created."""
    existing = Path(home["HOME"]) / ".config" / "rsspot" / name
    existing.parent.mkdir(parents=True)
    existing.touch()
    assert migrate(home) is None
    assert list(existing.parent.iterdir()) == [existing]
    assert existing.read_text() == ""


def test_a_config_file_named_by_a_variable_prevents_a_migration(home: dict[str, str], tmp_path: Path) -> None:
    """Even if it is in another folder."""
    (tmp_path / "named.yml").write_text("org: x")
    assert migrate(home | {"RSSPOT_CONFIG": str(tmp_path / "named.yml")}) is None
    assert not (tmp_path / ".config").exists()


def test_without_the_official_clis_file_there_is_nothing_to_do(tmp_path: Path) -> None:
    """No file or folder is created."""
    assert migrate({"HOME": str(tmp_path)}) is None
    assert list(tmp_path.iterdir()) == []


def test_strings_that_look_like_other_types_stay_strings(home: dict[str, str]) -> None:
    """An organization may be called `no`."""
    (Path(home["HOME"]) / ".spot_config").write_text("org: 'no'\nrefreshToken: '1:30'\nregion: '012'\nxyzzy: ['off']\n")
    before = resolve(environ=home).options
    created = migrate(home)
    assert created is not None and read(created).profiles["default"].model_extra == {"xyzzy": ["off"]}
    assert resolve(environ=home).options == before


def test_the_profiles_of_the_official_clis_file_are_kept(home: dict[str, str]) -> None:
    """A user may have added profiles to that file."""
    (Path(home["HOME"]) / ".spot_config").write_text("activeProfile: b\nprofiles: {a: {org: x}, b: {org: y}}\n")
    before = resolve(environ=home)
    assert migrate(home) is not None
    after = resolve(environ=home)
    assert (after.profile, after.options) == (before.profile, before.options) and after.get("organization") == "y"


@pytest.mark.parametrize("text", ["refreshTokn: secret", "org: [secret]", "org: 'secret", "- secret"])
def test_an_invalid_file_is_named_and_nothing_is_created(home: dict[str, str], text: str) -> None:
    """The message names the invalid file, not the one that would have been created."""
    legacy = Path(home["HOME"]) / ".spot_config"
    legacy.write_text(text)
    with pytest.raises(ConfigError) as caught:
        migrate(home)
    assert str(legacy) in str(caught.value)
    assert "secret" not in f"{caught.value} {caught.value.hint}"
    assert not (Path(home["HOME"]) / ".config" / "rsspot" / "config.yml").exists()


def test_concurrent_migrations_create_one_file(home: dict[str, str]) -> None:
    """One of the four processes creates it, the others have nothing to do."""
    processes = [
        subprocess.Popen([sys.executable, "-c", MIGRATION], env=home, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    outputs = sorted(process.communicate(timeout=60)[0].strip() for process in processes)
    created = Path(home["HOME"]) / ".config" / "rsspot" / "config.yml"
    assert [process.returncode for process in processes] == [0] * 4
    assert outputs == sorted([str(created), "None", "None", "None"])
    assert read(created).profiles["default"].organization == "acme"
