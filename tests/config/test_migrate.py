"""Taking over the official CLI's file: a copy that means the same, and nothing overwritten."""

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
    """An environment whose home holds the official CLI's file."""
    (tmp_path / ".spot_config").write_text(OFFICIAL)
    return {"HOME": str(tmp_path)}


def test_the_copy_means_the_same(home: dict[str, str]) -> None:
    """The same organization, tokens, region and state; and the file it was made from is as it was."""
    before = resolve(environ=home)
    made = migrate(home)
    after = resolve(environ=home)
    assert made == after.config_file == Path(home["HOME"]) / ".config" / "rsspot" / "config.yml"
    assert {name: each.value for name, each in after.settings.items()} == {
        "organization": "acme",
        "refresh_token": "1/r:t#x",
        "access_token": "a.b.c",
        "region": "us-central-dfw-1",
    }
    assert after.options == before.options
    assert (after.profile, after.state_path) == (before.profile, before.state_path)
    assert made.stat().st_mode & 0o777 == 0o600
    assert (Path(home["HOME"]) / ".spot_config").read_text() == OFFICIAL


def test_a_second_time_does_nothing(home: dict[str, str]) -> None:
    """What was changed since is not lost."""
    made = migrate(home)
    assert made is not None
    made.write_text("org: changed since\n")
    assert migrate(home) is None
    assert made.read_text() == "org: changed since\n"


@pytest.mark.parametrize("name", ["config.yml", "config.yaml", "config.toml", "config.json"])
def test_a_config_file_that_is_there_is_never_overwritten(home: dict[str, str], name: str) -> None:
    """Not even an empty one, and nothing is put beside it."""
    there = Path(home["HOME"]) / ".config" / "rsspot" / name
    there.parent.mkdir(parents=True)
    there.touch()
    assert migrate(home) is None
    assert list(there.parent.iterdir()) == [there]
    assert there.read_text() == ""


def test_a_config_file_that_is_named_is_enough(home: dict[str, str], tmp_path: Path) -> None:
    """Wherever it is."""
    (tmp_path / "named.yml").write_text("org: x")
    assert migrate(home | {"RSSPOT_CONFIG": str(tmp_path / "named.yml")}) is None
    assert not (tmp_path / ".config").exists()


def test_without_the_official_clis_file_there_is_nothing_to_do(tmp_path: Path) -> None:
    """And nothing is made."""
    assert migrate({"HOME": str(tmp_path)}) is None
    assert list(tmp_path.iterdir()) == []


def test_words_that_look_like_something_else_stay_words(home: dict[str, str]) -> None:
    """An organization may be called `no`."""
    (Path(home["HOME"]) / ".spot_config").write_text("org: 'no'\nrefreshToken: '1:30'\nregion: '012'\nxyzzy: ['off']\n")
    before = resolve(environ=home).options
    made = migrate(home)
    assert made is not None and read(made).profiles["default"].model_extra == {"xyzzy": ["off"]}
    assert resolve(environ=home).options == before


def test_a_file_with_profiles_of_its_own_keeps_them(home: dict[str, str]) -> None:
    """Somebody may have written one there."""
    (Path(home["HOME"]) / ".spot_config").write_text("activeProfile: b\nprofiles: {a: {org: x}, b: {org: y}}\n")
    before = resolve(environ=home)
    assert migrate(home) is not None
    after = resolve(environ=home)
    assert (after.profile, after.options) == (before.profile, before.options) and after.get("organization") == "y"


@pytest.mark.parametrize("text", ["refreshTokn: secret", "org: [secret]", "org: 'secret", "- secret"])
def test_a_file_that_cannot_be_used_is_named_and_nothing_is_made(home: dict[str, str], text: str) -> None:
    """The file that is wrong, not the one that would have been made of it."""
    legacy = Path(home["HOME"]) / ".spot_config"
    legacy.write_text(text)
    with pytest.raises(ConfigError) as caught:
        migrate(home)
    assert str(legacy) in str(caught.value)
    assert "secret" not in f"{caught.value} {caught.value.hint}"
    assert not (Path(home["HOME"]) / ".config" / "rsspot" / "config.yml").exists()


def test_two_processes_at_once_make_one_file(home: dict[str, str]) -> None:
    """One of them makes it, the other has nothing to do."""
    processes = [
        subprocess.Popen([sys.executable, "-c", MIGRATION], env=home, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = sorted(process.communicate(timeout=60)[0].strip() for process in processes)
    made = Path(home["HOME"]) / ".config" / "rsspot" / "config.yml"
    assert [process.returncode for process in processes] == [0] * 4
    assert said == sorted([str(made), "None", "None", "None"])
    assert read(made).profiles["default"].organization == "acme"
