"""Credentials and profiles: what the user stored is there afterwards, and what one profile says holds for it."""

from __future__ import annotations

import io
import json
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

from rsspot import ConfigError, SpotClient, list_profiles, set_active_profile
from support.loopback_server import failure, write_config

RSSPOT = [sys.executable, "-m", "rsspot"]


@pytest.mark.defect(1)
@pytest.mark.parametrize("name", ["config.yml", "config.toml", "config.json"])
def test_configure_stores_a_token_that_works(loopback, home, rsspot, monkeypatch, name):
    """Otherwise the first command of every newcomer destroys what the second one needs."""
    config_file = home / ".config" / "rsspot" / name
    config_file.parent.mkdir(parents=True)
    config_file.write_text("{}" if name.endswith("json") else "")
    token = loopback.profile()["refreshToken"]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{token}\n"))
    said = rsspot("configure", "--base-url", loopback.url, "--oauth-url", loopback.url, "--token-stdin")
    assert said.code == 0
    assert token not in said.out + said.err
    assert token in config_file.read_text()
    assert rsspot("organizations", "list", "-o", "json").json[0]["name"] == "sandbox"
    (login,) = [each for each in loopback.requests if each.path == "/oauth/token"]
    assert login.form()["refresh_token"] == token


THREE = """\
# written by hand
activeProfile: a
profiles:
  a: {org: first, refreshToken: token-of-a}  # the one for work
  b:
    org: second
    refreshToken: token-of-b
    theirs: kept as it is
  c: {org: third, refreshToken: token-of-c}
"""


@pytest.mark.defect(2)
@pytest.mark.parametrize(
    "command",
    [
        ["profiles", "use", "b"],
        ["profiles", "delete", "c"],
        ["configure", "--profile", "b", "--region", "us-central-dfw-1"],
        ["configure", "--profile", "new", "--org", "fourth", "--no-activate"],
        ["config", "set-default", "profile", "b"],
    ],
    ids=" ".join,
)
def test_no_command_touches_what_it_was_not_asked_to(config_file, rsspot, command):
    """Otherwise switching profiles costs every token in the file, without a word."""
    config_file.parent.mkdir(parents=True)
    config_file.write_text(THREE)
    assert rsspot(*command).code == 0
    after = config_file.read_text()
    assert "# written by hand" in after and "# the one for work" in after and "kept as it is" in after
    for name in "abc":
        assert (f"token-of-{name}" in after) is (command[1:] != ["delete", name])
    assert "***" not in after


@pytest.mark.defect(3)
@pytest.mark.parametrize("step", [["config", "migrate"], ["configure", "--region", "us-central-dfw-1"]], ids=" ".join)
def test_what_is_taken_over_from_the_official_cli_works_ever_after(loopback, home, config_file, rsspot, step):
    """Otherwise a good account works once, and never again."""
    legacy = home / ".spot_config"
    legacy.write_text(json.dumps(loopback.profile()))
    before = legacy.read_bytes()
    for _ in range(2):
        assert rsspot("regions", "list", "--no-cache").code == 0
    assert rsspot(*step).code == 0
    assert loopback.profile()["refreshToken"] in config_file.read_text()
    for _ in range(2):
        assert rsspot("regions", "list", "--no-cache").code == 0
    assert legacy.read_bytes() == before


@pytest.mark.defect(26)
@pytest.mark.parametrize(("variable", "wanted"), [("0", 1), (None, 3), ("4", 5)])
def test_patience_obeys_the_same_precedence_as_everything(account, config, rsspot, monkeypatch, variable, wanted):
    """Otherwise a script that says it wants no retries waits all the same."""
    config(default=account.profile(retry={"maxRetries": 2, "baseDelay": 0.001, "maxDelay": 0.001}))
    if variable is not None:
        monkeypatch.setenv("RSSPOT_MAX_RETRIES", variable)
    account.answer("/regions$", *[failure(503)] * 9)
    assert rsspot("regions", "list").code == 1
    assert len(account.sent("/regions$")) == wanted


@pytest.mark.defect(26)
def test_an_argument_beats_the_environment_in_patience_too(account, monkeypatch):
    """Otherwise a program cannot say how patient it is."""
    monkeypatch.setenv("RSSPOT_TIMEOUT", "29")
    with SpotClient(timeout=3) as client:
        assert client._aio.config.options.timeout == 3


@pytest.mark.defect(27)
def test_a_reader_never_sees_half_a_config_file(config_file):
    """Otherwise a command that runs at the wrong moment has no account."""
    profiles = {f"p{number}": {"org": "o" * 200, "refreshToken": "t" * 200} for number in range(12)}
    write_config(config_file, {"activeProfile": "p0", "profiles": profiles})
    broken: list[object] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                if len(list_profiles()) != 12:
                    broken.append("profiles are missing")
            except ConfigError as error:
                broken.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(8):
        set_active_profile(f"p{number}")
    done.set()
    reader.join()
    assert broken == []
    assert stat.S_IMODE(config_file.stat().st_mode) == 0o600


@pytest.mark.defect(27)
def test_commands_that_configure_at_once_lose_nothing(config_file):
    """Otherwise all of them report success and some profiles are gone."""
    commands = [
        [*RSSPOT, "configure", "--profile", f"p{number}", "--org", f"o{number}", "--no-activate"] for number in range(5)
    ]
    started = [subprocess.Popen(each, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) for each in commands]
    assert [each.wait(60) for each in started] == [0] * 5
    assert list_profiles(config_path=config_file) == [f"p{number}" for number in range(5)]
    assert not [each for each in config_file.parent.iterdir() if each.stat().st_mode & 0o077 and each.is_file()]


@pytest.mark.defect(28)
def test_configure_changes_what_is_given_and_nothing_else(config_file, rsspot):
    """Otherwise adding a region costs the token and the address."""
    profile = {"org": "mine", "refreshToken": "kept", "baseUrl": "https://spot.example.com", "retry": {"maxRetries": 9}}
    write_config(config_file, {"profiles": {"default": profile}})
    assert rsspot("configure", "--region", "us-central-dfw-1").code == 0
    assert yaml.safe_load(config_file.read_text())["profiles"]["default"] == {**profile, "region": "us-central-dfw-1"}


@pytest.mark.defect(29)
@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_config_file_that_is_not_there_is_an_error(account, rsspot, monkeypatch, by):
    """Otherwise a typo runs the command on whatever else is lying around."""
    if by == "variable":
        monkeypatch.setenv("RSSPOT_CONFIG", "typo.yml")
    ended = rsspot("regions", "list", *(["-c", "typo.yml"] if by == "option" else []))
    assert ended.code == 3
    assert "typo.yml" in ended.err
    assert account.requests == []


@pytest.mark.defect(43)
def test_the_profile_in_use_is_not_deleted(config_file, rsspot):
    """Otherwise the next command runs on another account without a word."""
    config_file.parent.mkdir(parents=True)
    config_file.write_text(THREE)
    ended = rsspot("profiles", "delete", "a")
    assert (ended.code, config_file.read_text()) == (3, THREE)
    assert rsspot("profiles", "delete", "b").code == 0
    assert [each["name"] for each in rsspot("profiles", "list", "-o", "json").json if each["inUse"]] == ["a"]


@pytest.mark.defect(43)
@pytest.mark.parametrize("command", [["profiles", "use"], ["config", "set-default", "profile"]], ids=" ".join)
def test_a_profile_that_does_not_exist_is_not_chosen(config_file, rsspot, command):
    """Otherwise the mistake shows up in every later command."""
    config_file.parent.mkdir(parents=True)
    config_file.write_text(THREE)
    ended = rsspot(*command, "nope")
    assert ended.code == 3
    assert "no profile 'nope'" in ended.err
    assert rsspot("profiles", "list").code == 0


@pytest.mark.defect(44)
def test_what_is_set_is_shown_with_where_it_was_set(account, config_file, rsspot, monkeypatch):
    """Otherwise nobody can tell why a command goes where it goes."""
    assert rsspot("config", "set-default", "region", "us-central-ord-1").code == 0
    monkeypatch.setenv("RSSPOT_ORG", "from-the-environment")
    ended = rsspot("config", "explain", "-o", "json")
    shown = {each["setting"]: (each["value"], each["source"]) for each in ended.json}
    assert shown["organization"] == ("from-the-environment", "RSSPOT_ORG")
    assert shown["region"][0] == "us-central-ord-1"
    assert "state.db" in shown["region"][1]
    assert shown["base_url"] == (account.url, f"{config_file} (default)")
    assert shown["timeout"] == (30.0, "default")
    assert shown["state_path"][0] == str(config_file.parent / "state.db")
    assert shown["refresh_token"] == ("(secret)", f"{config_file} (default)")


def test_files_are_where_a_user_looks_for_them(account, config_file, rsspot):
    """Both paths are told, so that they can be backed up or removed."""
    told = rsspot("config", "path", "-o", "json").json
    assert told == {"config": str(config_file), "state": str(Path(config_file).parent / "state.db")}
