"""Credentials and profiles: what is stored can be used, and each profile's settings apply only to it."""

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
    """Otherwise the first command of a new user breaks the second one."""
    config_file = home / ".config" / "rsspot" / name
    config_file.parent.mkdir(parents=True)
    config_file.write_text("{}" if name.endswith("json") else "")
    token = loopback.profile()["refreshToken"]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{token}\n"))
    ended = rsspot("configure", "--base-url", loopback.url, "--oauth-url", loopback.url, "--token-stdin")
    assert ended.code == 0
    assert token not in ended.out + ended.err
    assert token in config_file.read_text()
    assert rsspot("organizations", "list", "-o", "json").json[0]["name"] == "sandbox"
    (login,) = [request for request in loopback.requests if request.path == "/oauth/token"]
    assert login.form()["refresh_token"] == token


THREE = """\
# written by hand
activeProfile: a
profiles:
  a: {org: first, refreshToken: token-of-a}  # the one for work
  b:
    org: second
    refreshToken: token-of-b
    custom: kept as it is
  c: {org: third, refreshToken: token-of-c}
"""


@pytest.mark.defect(2)
@pytest.mark.parametrize(
    "command",
    [
        ["profiles", "use", "b"],
        ["profiles", "delete", "c"],
        ["configure", "--profile", "b", "--region", "us-central-dfw-1", "--no-verify"],
        ["configure", "--profile", "new", "--org", "fourth", "--no-activate"],
        ["config", "set-default", "profile", "b"],
    ],
    ids=" ".join,
)
def test_commands_keep_the_rest_of_the_config_file(config_file, rsspot, command):
    """Otherwise switching profiles silently deletes every token in the file."""
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
def test_settings_of_the_official_cli_keep_working(loopback, home, config_file, rsspot, step):
    """Otherwise a valid account works once and never again."""
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
def test_retry_settings_follow_the_usual_precedence(account, config, rsspot, monkeypatch, variable, wanted):
    """Otherwise a script that disables retries still waits."""
    config(default=account.profile(retry={"maxRetries": 2, "baseDelay": 0.001, "maxDelay": 0.001}))
    if variable is not None:
        monkeypatch.setenv("RSSPOT_MAX_RETRIES", variable)
    account.answer("/regions$", *[failure(503)] * 9)
    assert rsspot("regions", "list").code == 1
    assert len(account.sent("/regions$")) == wanted


@pytest.mark.defect(26)
def test_a_timeout_argument_overrides_the_environment(account, monkeypatch):
    """Otherwise a program cannot choose its timeout."""
    monkeypatch.setenv("RSSPOT_TIMEOUT", "29")
    with SpotClient(timeout=3) as client:
        assert client._aio.config.options.timeout == 3


@pytest.mark.defect(27)
def test_the_config_file_is_replaced_atomically(config_file):
    """Otherwise a command that runs at the wrong moment finds no account."""
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
def test_concurrent_configure_commands_lose_nothing(config_file):
    """Otherwise all of them report success and some profiles are missing."""
    commands = [
        [*RSSPOT, "configure", "--profile", f"p{number}", "--org", f"o{number}", "--no-activate"] for number in range(5)
    ]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    processes = [subprocess.Popen(command, **quiet) for command in commands]
    assert [process.wait(60) for process in processes] == [0] * 5
    assert list_profiles(config_path=config_file) == [f"p{number}" for number in range(5)]
    assert not [file for file in config_file.parent.iterdir() if file.stat().st_mode & 0o077 and file.is_file()]


@pytest.mark.defect(28)
def test_configure_changes_only_the_given_values(config_file, rsspot):
    """Otherwise adding a region deletes the token and the URL."""
    profile = {"org": "mine", "refreshToken": "kept", "baseUrl": "https://spot.example.com", "retry": {"maxRetries": 9}}
    write_config(config_file, {"profiles": {"default": profile}})
    assert rsspot("configure", "--region", "us-central-dfw-1", "--no-verify").code == 0
    assert yaml.safe_load(config_file.read_text())["profiles"]["default"] == {**profile, "region": "us-central-dfw-1"}


@pytest.mark.defect(29)
@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_missing_config_file_is_an_error(account, rsspot, monkeypatch, by):
    """Otherwise a typo runs the command with some other configuration."""
    if by == "variable":
        monkeypatch.setenv("RSSPOT_CONFIG", "typo.yml")
    ended = rsspot("regions", "list", *(["-c", "typo.yml"] if by == "option" else []))
    assert ended.code == 3
    assert "typo.yml" in ended.err
    assert account.requests == []


@pytest.mark.defect(43)
def test_the_profile_in_use_cannot_be_deleted(config_file, rsspot):
    """Otherwise the next command silently uses another account."""
    config_file.parent.mkdir(parents=True)
    config_file.write_text(THREE)
    ended = rsspot("profiles", "delete", "a")
    assert (ended.code, config_file.read_text()) == (3, THREE)
    assert rsspot("profiles", "delete", "b").code == 0
    listed = rsspot("profiles", "list", "-o", "json").json
    assert [profile["name"] for profile in listed if profile["inUse"]] == ["a"]


@pytest.mark.defect(43)
@pytest.mark.parametrize("command", [["profiles", "use"], ["config", "set-default", "profile"]], ids=" ".join)
def test_a_missing_profile_cannot_be_selected(config_file, rsspot, command):
    """Otherwise the mistake only shows in later commands."""
    config_file.parent.mkdir(parents=True)
    config_file.write_text(THREE)
    ended = rsspot(*command, "nope")
    assert ended.code == 3
    assert "no profile 'nope'" in ended.err
    assert rsspot("profiles", "list").code == 0


@pytest.mark.defect(44)
def test_config_explain_shows_the_source_of_each_setting(account, config_file, rsspot, monkeypatch):
    """Otherwise users cannot tell why a command uses a certain account."""
    assert rsspot("config", "set-default", "region", "us-central-ord-1").code == 0
    monkeypatch.setenv("RSSPOT_ORG", "from-the-environment")
    ended = rsspot("config", "explain", "-o", "json")
    shown = {entry["setting"]: (entry["value"], entry["source"]) for entry in ended.json}
    assert shown["organization"] == ("from-the-environment", "RSSPOT_ORG")
    assert shown["region"][0] == "us-central-ord-1"
    assert "state.db" in shown["region"][1]
    assert shown["base_url"] == (account.url, f"{config_file} (default)")
    assert shown["timeout"] == (30.0, "default")
    assert shown["state_path"][0] == str(config_file.parent / "state.db")
    assert shown["refresh_token"] == ("(secret)", f"{config_file} (default)")


def test_config_path_shows_both_files(account, config_file, rsspot):
    """So that they can be backed up or deleted."""
    paths = rsspot("config", "path", "-o", "json").json
    assert paths == {"config": str(config_file), "state": str(Path(config_file).parent / "state.db")}
