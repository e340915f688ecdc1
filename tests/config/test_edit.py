"""Edits of config files: what is kept, what is refused, and that concurrent reads and edits are safe."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from rsspot.config.files import read
from rsspot.config.loader import resolve
from rsspot.config.manager import edit, file_to_edit
from rsspot.config.problems import Keys
from rsspot.errors import ConfigError

TOKEN = "1/refresh:token#with 'marks' \"and\" more"
YAML = """\
---
# Ours, by hand.
activeProfile: "work"  # the usual one

profiles:
  # first
  work:
    org: 'acme'  # by name
    refresh_token: 'old'
    mine: {kept: [1, "two"]}
    retry:
      maxRetries: 3
  play:
    requestTimeoutSeconds: 10
theirs: yes
"""
TOML = """\
# Ours, by hand.
activeProfile = "work" # the usual one

[profiles.work] # first
org = 'acme' # by name
refresh_token = 'old'
mine = {kept = [1, "two"]}

[profiles.work.retry]
maxRetries = 3

[theirs]
day = 2026-01-01

[profiles.play]
requestTimeoutSeconds = 10
"""
JSON = json.dumps(
    {
        "theirs": None,
        "profiles": {
            "work": {"org": "acme", "refresh_token": "old", "mine": {"kept": [1]}, "retry": {"maxRetries": 3}},
            "play": {"requestTimeoutSeconds": 10},
        },
        "activeProfile": "work",
    }
)
TEXTS = {"yml": YAML, "toml": TOML, "json": JSON}
CHANGES: dict[Keys, Any] = {
    ("activeProfile",): "play",
    ("profiles", "work", "organization"): "other",
    ("profiles", "work", "refreshToken"): "new",
    ("profiles", "work", "retry", "max_retries"): 0,
    ("profiles", "play", "timeout"): 5,
}
"""Every key has another spelling than in the files."""
EDITOR = """
import os, sys
from pathlib import Path
from rsspot.config.manager import edit
os.umask(0)
path, name, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(times):
    edit(path, {("profiles", name, "region"): f"{name}-{number}", ("profiles", name, "timeout"): number + 1})
"""
FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from rsspot.config.manager import edit
from rsspot.errors import ConfigError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
path = Path(sys.argv[1])
try:
    edit(path, {("profiles", "work", "region"): "x" * 4000})
except ConfigError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
edit(path, {("profiles", "work", "region"): "space again"})
"""


def file_with(folder: Path, text: str, suffix: str = "yml") -> Path:
    """A config file with this text."""
    path = folder / f"config.{suffix}"
    path.write_text(text, encoding="utf-8")
    return path


def setting(path: Path, name: str, profile: str | None = None) -> Any:
    """The resolved value of a setting."""
    return resolve(config_path=path, environ={"HOME": str(path.parent)}, profile=profile).get(name)


def mode_of(path: Path) -> int:
    """The permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def visible(folder: Path) -> list[str]:
    """The files of a folder, except lock files, which are never removed."""
    return sorted(each.name for each in folder.iterdir() if not each.name.endswith(".lock"))


# What is kept


@pytest.mark.parametrize("suffix", TEXTS)
def test_a_key_keeps_its_spelling(tmp_path: Path, suffix: str) -> None:
    """With a second spelling of the same key, it would be unclear which one applies."""
    path = file_with(tmp_path, TEXTS[suffix], suffix)
    edit(path, CHANGES)
    text = path.read_text()
    for spelling in ("organization", "refreshToken", "max_retries", "timeout"):
        assert spelling not in text.replace("requestTimeoutSeconds", "")
    resolved = resolve(config_path=path, environ={"HOME": str(tmp_path)}, profile="work")
    assert (resolved.get("organization"), resolved.get("refresh_token"), resolved.get("retry.max_retries")) == (
        "other",
        "new",
        0,
    )
    assert (setting(path, "timeout"), resolve(config_path=path, environ={"HOME": str(tmp_path)}).profile) == (5, "play")


@pytest.mark.parametrize("suffix", ["yml", "toml"])
def test_only_the_given_keys_change(tmp_path: Path, suffix: str) -> None:
    """Comments, order, quotes, blank lines and unknown keys stay. One line per given key differs."""
    path = file_with(tmp_path, TEXTS[suffix], suffix)
    edit(path, CHANGES)
    before, after = TEXTS[suffix].splitlines(), path.read_text().splitlines()
    assert len(before) == len(after)
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == len(CHANGES)
    assert [new.partition("#")[2] for _, new in changed] == [old.partition("#")[2] for old, _ in changed]
    assert [new.split()[0] for _, new in changed] == [old.split()[0] for old, _ in changed]


def test_a_json_file_keeps_order_and_unknown_keys(tmp_path: Path) -> None:
    """JSON has no comments to keep."""
    path = file_with(tmp_path, JSON, "json")
    edit(path, {("profiles", "work", "org"): "ünïcode"})
    expected = json.loads(JSON)
    expected["profiles"]["work"]["org"] = "ünïcode"
    assert json.loads(path.read_text()) == expected
    assert list(json.loads(path.read_text())) == list(expected)
    assert "ünïcode" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("suffix", TEXTS)
def test_none_removes_a_key(tmp_path: Path, suffix: str) -> None:
    """In any spelling. Removing a key that does not exist changes nothing and creates no profile."""
    path = file_with(tmp_path, TEXTS[suffix], suffix)
    edit(path, {("profiles", "work", "organization"): None, ("profiles", "work", "region"): None})
    assert setting(path, "organization", "work") is None
    assert setting(path, "refresh_token", "work") == "old"
    before = path.read_text()
    edit(path, {("profiles", "nobody", "region"): None, ("statePath",): None})
    assert path.read_text() == before
    edit(path, {("profiles", "play"): None})
    assert set(read(path).profiles) == {"work"}


@pytest.mark.parametrize("suffix", TEXTS)
def test_a_key_with_two_spellings_is_changed_as_one(tmp_path: Path, suffix: str) -> None:
    """If only one of the spellings were changed or removed, the other could take precedence."""
    texts = {
        "yml": "profiles:\n  w: {refreshToken: a, refresh_token: b, region: r}\n",
        "toml": "[profiles.w]\nrefreshToken = 'a'\nrefresh_token = 'b'\nregion = 'r'\n",
        "json": '{"profiles": {"w": {"refreshToken": "a", "refresh_token": "b", "region": "r"}}}',
    }
    path = file_with(tmp_path, texts[suffix], suffix)
    edit(path, {("profiles", "w", "refresh_token"): "new"})
    assert setting(path, "refresh_token", "w") == "new"
    edit(path, {("profiles", "w", "refresh_token"): None})
    assert setting(path, "refresh_token", "w") is None
    assert setting(path, "region", "w") == "r"


@pytest.mark.parametrize("suffix", TEXTS)
def test_a_key_keeps_its_spelling_in_the_preferences_too(tmp_path: Path, suffix: str) -> None:
    """`org` is the same key there as in a profile."""
    texts = {
        "yml": "preferences: {org: a}",
        "toml": "[preferences]\norg = 'a'",
        "json": '{"preferences": {"org": "a"}}',
    }
    path = file_with(tmp_path, texts[suffix], suffix)
    edit(path, {("preferences", "organization"): "b"})
    assert "organization" not in path.read_text()
    assert setting(path, "organization") == "b"


@pytest.mark.parametrize("suffix", TEXTS)
def test_a_new_file_is_created_with_its_parent_folders(tmp_path: Path, suffix: str) -> None:
    """Only the owner can read the file and its folder."""
    path = tmp_path / "new" / "rsspot" / f"config.{suffix}"
    edit(path, {("activeProfile",): "work", ("profiles", "work", "org"): "acme"})
    assert setting(path, "organization") == "acme"
    assert (mode_of(path), mode_of(path.parent)) == (0o600, 0o700)
    assert visible(path.parent) == [path.name]


def test_only_new_does_not_change_an_existing_file(tmp_path: Path) -> None:
    """It returns whether the file was written."""
    path = file_with(tmp_path, YAML)
    assert not edit(path, {("activeProfile",): "play"}, only_new=True)
    assert path.read_text() == YAML
    assert edit(tmp_path / "other.yml", {("activeProfile",): "play"}, only_new=True)


@pytest.mark.parametrize("suffix", TEXTS)
@pytest.mark.parametrize(
    "text",
    [
        "no",
        "1:30",
        "1_000",
        "012",
        "2026-01-01",
        "~",
        "null",
        "1e3",
        "a: b",
        "- x",
        "#",
        "*x",
        "é😀",
        "\u2028\x85",
        "x\ny",
    ],
)
def test_a_string_stays_a_string(tmp_path: Path, suffix: str, text: str) -> None:
    """Values and profile names that YAML would read as a number, date or boolean are quoted."""
    path = file_with(tmp_path, TEXTS[suffix], suffix)
    edit(path, {("profiles", text, "region"): text, ("profiles", "work", "mine"): {text: [text]}})
    assert setting(path, "region", text) == text
    assert read(path).profiles["work"].model_extra == {"mine": {text: [text]}}


@pytest.mark.parametrize("suffix", TEXTS)
def test_edits_of_other_keys_keep_the_refresh_token(tmp_path: Path, suffix: str) -> None:
    """The token is never replaced by its masked form."""
    path = file_with(tmp_path, TEXTS[suffix], suffix)
    edit(path, {("profiles", "work", "refreshToken"): TOKEN})
    for number in range(3):
        edit(path, {("profiles", "work", "region"): f"r{number}", ("profiles", f"p{number}", "org"): "x"})
    assert setting(path, "refresh_token", "work") == TOKEN
    assert "**" not in path.read_text()


def test_a_new_profile_among_scattered_tables_is_not_lost(tmp_path: Path) -> None:
    """TOML allows [profiles.b] after an unrelated table. tomlkit can easily lose tables in such a file."""
    path = file_with(tmp_path, "[profiles.a]\norg = 'a'\n[theirs]\nx = 1\n[profiles.b]\norg = 'b'\n", "toml")
    edit(path, {("profiles", "new", "region"): "r", ("profiles", "b", "region"): "s", ("statePath",): "state.db"})
    assert (setting(path, "region", "new"), setting(path, "region", "b")) == ("r", "s")
    assert (setting(path, "organization", "a"), read(path).model_extra) == ("a", {"theirs": {"x": 1}})


# A file whose top level is one profile

FLAT = {
    "yml": "# official\norg: acme # by name\nrefreshToken: t\nretry: {maxRetries: 1}\n",
    "toml": "# official\norg = 'acme' # by name\nrefreshToken = 't'\n[retry]\nmaxRetries = 1\n",
    "json": '{"org": "acme", "refreshToken": "t", "retry": {"maxRetries": 1}}',
}


@pytest.mark.parametrize("suffix", FLAT)
def test_a_single_profile_is_changed_at_the_top_level(tmp_path: Path, suffix: str) -> None:
    """With a key `profiles` added, everything else in the file would be ignored, including credentials."""
    path = file_with(tmp_path, FLAT[suffix], suffix)
    edit(path, {("profiles", "default", "organization"): "other", ("profiles", "default", "retry", "max_retries"): 0})
    assert "profiles" not in path.read_text()
    resolved = resolve(config_path=path, environ={"HOME": str(tmp_path)})
    assert (resolved.get("organization"), resolved.get("refresh_token"), resolved.get("retry.max_retries")) == (
        "other",
        "t",
        0,
    )
    assert suffix == "json" or "# by name" in path.read_text()


@pytest.mark.parametrize("suffix", FLAT)
@pytest.mark.parametrize("keys", [("activeProfile",), ("profiles", "work", "region"), ("preferences", "region")])
def test_a_single_profile_moves_under_profiles_when_other_keys_are_set(tmp_path: Path, suffix: str, keys: Keys) -> None:
    """It becomes the profile `default` and keeps its settings."""
    path = file_with(tmp_path, FLAT[suffix], suffix)
    edit(path, {keys: "default"})
    resolved = resolve(config_path=path, environ={"HOME": str(tmp_path)}, profile="default")
    assert (resolved.get("organization"), resolved.get("refresh_token"), resolved.get("retry.max_retries")) == (
        "acme",
        "t",
        1,
    )


# What is refused


@pytest.mark.parametrize("suffix", TEXTS)
@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("profiles", "work", "timeout"), "soon"),
        (("profiles", "work", "regoin"), "x"),
        (("profiles", "work", "retry", "maxRetries"), -1),
        (("profiles", "work", "org", "deeper"), "x"),
        (("profiles", "work"), "words"),
        (("profiles",), "words"),
        (("activeProfil",), "x"),
    ],
)
def test_an_edit_that_would_make_a_file_invalid_is_refused(tmp_path: Path, suffix: str, keys: Keys, value: Any) -> None:
    """No change is written, not even a valid one of the same edit."""
    path = file_with(tmp_path, TEXTS[suffix], suffix)
    with pytest.raises(ConfigError, match=r"config\."):
        edit(path, {("activeProfile",): "play", keys: value})
    assert path.read_text() == TEXTS[suffix]
    assert visible(tmp_path) == [path.name]


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        ("yml", b"profiles: ["),
        ("yml", b"when: 2024-99-99"),
        ("yml", b"- a list"),
        ("yml", b"a: 1\na: 2"),
        ("toml", b"profiles = ["),
        ("json", b"{"),
        ("json", b"[]"),
        ("yml", b"\xff\xfe\x00"),
        ("toml", b"\xff\xfe\x00"),
        ("json", b"\xff\xfe\x00"),
    ],
)
def test_an_invalid_file_is_not_changed(tmp_path: Path, suffix: str, content: bytes) -> None:
    """Its content may matter to its owner."""
    path = tmp_path / f"config.{suffix}"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"config\."):
        edit(path, {("activeProfile",): "work"})
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("text", "keys", "value"),
    [
        ("base: &b {org: a}\nprofiles:\n  w: *b\n  v: *b\n", ("profiles", "v", "org"), "x"),
        ("base: &b {org: a}\nprofiles:\n  w: {<<: *b}\n", ("profiles", "w", "org"), None),
    ],
)
def test_an_edit_with_side_effects_is_refused(tmp_path: Path, text: str, keys: Keys, value: Any) -> None:
    """A YAML anchor shares one mapping between profiles: editing one would change both."""
    path = file_with(tmp_path, text)
    with pytest.raises(ConfigError, match="does not allow this change"):
        edit(path, {keys: value})
    assert path.read_text() == text


def test_a_circular_reference_is_a_config_error(tmp_path: Path) -> None:
    """A mapping that contains itself, or a symbolic link to itself."""
    path = file_with(tmp_path, "theirs: &a {again: *a}\n")
    (tmp_path / "link.yml").symlink_to("link.yml")
    for each in (path, tmp_path / "link.yml"):
        with pytest.raises(ConfigError, match=each.name):
            edit(each, {("statePath",): "x"})
    assert path.read_text() == "theirs: &a {again: *a}\n"


def test_a_path_that_cannot_be_written_is_a_config_error(tmp_path: Path) -> None:
    """The path is a folder, or its parent is a file."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", tmp_path / "file" / "config.yml"):
        with pytest.raises(ConfigError, match="cannot write"):
            edit(path, {("activeProfile",): "work"})


def test_a_full_disk_leaves_the_file_unchanged(tmp_path: Path) -> None:
    """No temporary file is left. Edits work again once there is space."""
    path = file_with(tmp_path, YAML)
    process = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.startswith(f"cannot write {path}: File too large")
    assert setting(path, "region", "work") == "space again"
    assert setting(path, "refresh_token", "work") == "old"
    assert visible(tmp_path) == [path.name]


# Links, permissions and concurrency


def test_a_symbolic_link_is_followed_and_kept(tmp_path: Path) -> None:
    """Config files are often links into a folder of dotfiles. The target becomes readable by its owner only."""
    target = tmp_path / "dotfiles" / "rsspot.yml"
    target.parent.mkdir()
    target.write_text(YAML)
    target.chmod(0o644)
    link = tmp_path / "config.yml"
    link.symlink_to(target)
    edit(link, {("activeProfile",): "play"})
    assert link.is_symlink() and read(target).active_profile == "play"
    assert mode_of(target) == 0o600
    assert visible(target.parent) == [target.name]


def test_a_reader_never_sees_a_partial_or_publicly_readable_file(tmp_path: Path) -> None:
    """Meanwhile, another process with umask 0 edits the file sixty times."""
    path = file_with(tmp_path, YAML)
    path.chmod(0o600)
    writer = subprocess.Popen([sys.executable, "-c", EDITOR, str(path), "play", "60"])
    timeouts: set[float] = set()
    while writer.poll() is None:
        play = read(path).profiles["play"]
        assert play.region is None or play.region == f"play-{play.timeout - 1:.0f}"
        timeouts.add(play.timeout)
        for each in os.scandir(tmp_path):
            # A temporary file may have been renamed since the folder was listed.
            with suppress(FileNotFoundError):
                assert each.stat(follow_symlinks=False).st_mode & 0o077 == 0, each.name
    assert writer.returncode == 0
    assert read(path).profiles["play"].timeout == 60
    assert len(timeouts) > 5
    assert visible(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", ["yml", "toml"])
def test_concurrent_edits_of_eight_processes_lose_no_change(tmp_path: Path, suffix: str) -> None:
    """Each process edits its own profile, half of them through a symbolic link to the file."""
    path = file_with(tmp_path, TEXTS[suffix], suffix)
    link = tmp_path / f"link.{suffix}"
    link.symlink_to(path)
    writers = [
        subprocess.Popen([sys.executable, "-c", EDITOR, str((path, link)[number % 2]), f"p{number}", "3"])
        for number in range(8)
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0] * 8
    profiles = read(path).profiles
    assert {name: profile.region for name, profile in profiles.items() if name.startswith("p") and name != "play"} == {
        f"p{number}": f"p{number}-2" for number in range(8)
    }
    assert {"work", "play"} < set(profiles)
    assert setting(path, "refresh_token", "work") == "old"


# Which file


def test_edits_go_to_the_file_in_use(tmp_path: Path) -> None:
    """The given path, the one from a variable, the first default path that exists, or the one to create."""
    environ = {"HOME": str(tmp_path)}
    folder = tmp_path / ".config" / "rsspot"
    assert file_to_edit(environ) == folder / "config.yml"
    folder.mkdir(parents=True)
    (folder / "config.toml").touch()
    assert file_to_edit(environ) == folder / "config.toml"
    named = file_with(tmp_path, "")
    assert file_to_edit(environ | {"SPOT_CONFIG_FILE": str(named)}) == named
    given = tmp_path / "not" / "there.yml"
    assert file_to_edit(environ | {"RSSPOT_CONFIG": str(named)}, given) == given
    with pytest.raises(ConfigError, match="no config file"):
        file_to_edit(environ | {"RSSPOT_CONFIG": str(given)})


def test_the_official_clis_file_is_never_edited(tmp_path: Path) -> None:
    """It belongs to another program. `migrate` copies it."""
    (tmp_path / ".spot_config").write_text("org: x")
    assert file_to_edit({"HOME": str(tmp_path)}) == tmp_path / ".config" / "rsspot" / "config.yml"
