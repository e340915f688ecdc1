"""`--format released` of the commands about settings: the keys of rsspot 0.3, our values, and no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rsspot.cli.app import run
from rsspot.settings import home

TOKEN = "canary-refresh-token"
PASSWORD = "canary-password"
CONFIG = f"""\
activeProfile: work
profiles:
  work: {{organization: acme, region: us-central-dfw-1, refreshToken: {TOKEN}, proxy: "http://me:{PASSWORD}@proxy"}}
  lab: {{organization: casa, baseUrl: "http://me:{PASSWORD}@127.0.0.1:1", retry: {{maxRetries: 1}}}}
"""
OF_A_PROFILE = [
    *("org", "org_id", "region", "client_id", "refresh_token", "access_token", "base_url", "oauth_url"),
    *("request_timeout_seconds", "verify_ssl", "max_retries", "retry_backoff_factor", "retry", "cache"),
]
OF_A_CONFIG = [
    *("version", "default_profile", "active_profile", "profiles", "preferences", "retry", "cache", "state_path")
]
"""The keys as rsspot 0.3 prints them, in its order."""


@pytest.fixture(autouse=True)
def config(here: Path) -> Path:
    """A config file with two profiles, at the default path."""
    file = home({}) / "config.yml"
    file.parent.mkdir(parents=True)
    file.write_text(CONFIG)
    file.chmod(0o600)
    return file


def released(capsys: pytest.CaptureFixture[str], *command: str) -> Any:
    """What a command prints in the shape of rsspot 0.3."""
    capsys.readouterr()
    assert run(["--format", "released", *command]) == 0
    printed = capsys.readouterr()
    assert TOKEN not in printed.out + printed.err and PASSWORD not in printed.out + printed.err
    return json.loads(printed.out)


def test_the_profiles_are_names(capsys: pytest.CaptureFixture[str]) -> None:
    """Sorted, beside the active one."""
    assert released(capsys, "profiles", "list") == {"active_profile": "work", "profiles": ["lab", "work"]}
    assert run(["profiles", "list", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[1] == {"name": "work", "inUse": True}


def test_a_profile_has_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    """Those that are not set too. What only we know is left out."""
    work = released(capsys, "profiles", "show")
    assert list(work) == OF_A_PROFILE
    assert (work["org"], work["refresh_token"], work["access_token"]) == ("acme", "**********", None)
    lab = released(capsys, "profiles", "show", "lab")
    assert lab["retry"]["max_attempts"] == 2
    assert lab["base_url"] == "http://(secret)@127.0.0.1:1"


def test_the_config_is_whole(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    """With the defaults of state.db, which were in the file there. It says of no token whether there is one."""
    assert run(["config", "set-default", "region", "uk-lon-1"]) == 0
    assert run(["config", "set-default", "profile", "lab"]) == 0
    shown = released(capsys, "config", "info")
    assert list(shown) == [*OF_A_CONFIG, "_source", "_path", "_state"]
    assert {tuple(profile) for profile in shown["profiles"].values()} == {tuple(OF_A_PROFILE)}
    assert {profile["access_token"] for profile in shown["profiles"].values()} == {"<redacted>"}
    assert shown["preferences"] == {
        "default_profile": "lab",
        "default_org": None,
        "default_region": None,
        "profile_orgs": {},
        "profile_regions": {"work": "uk-lon-1"},
    }
    assert (shown["_source"], shown["_path"]) == ("default-path", str(config))
    assert list(shown["_state"]) == ["history_count", "history_max_entries"]
    assert list(shown["cache"]) == ["enabled", "ttl_defaults", "default_ttl", "max_entries", "backend"]
    assert list(shown["retry"]) == ["max_attempts", "base_delay", "max_delay", "jitter", "retry_statuses"]


def test_a_change_of_profiles_shows_the_config(capsys: pytest.CaptureFixture[str]) -> None:
    """As it is afterwards."""
    chosen = released(capsys, "profiles", "use", "lab")
    assert list(chosen) == OF_A_CONFIG
    assert chosen["active_profile"] == "lab"
    assert list(released(capsys, "profiles", "delete", "work")["profiles"]) == ["lab"]


def test_looking_writes_no_file(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    """rsspot 0.3 copied the official CLI's file whenever it read one."""
    config.unlink()
    official = home({}).parents[1] / ".spot_config"
    official.write_text(f"org: acme\nrefreshToken: {TOKEN}\nregion: uk-lon-1\n")
    official.chmod(0o600)
    shown = released(capsys, "config", "info")
    assert (shown["_source"], shown["_path"]) == ("legacy", str(official))
    assert not config.exists()


def test_the_history_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Under the names of rsspot 0.3."""
    assert released(capsys, "config", "history", "info") == {"enabled": True, "max_entries": 2000, "count": 0}
