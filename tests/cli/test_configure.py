"""`configure` checks what it is given before it writes, however the token arrives, and never shows it."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from rsspot.cli.app import run
from support.loopback_server import PROD, STAGING, Loopback

TOKEN = STAGING.refresh_token
Command = Callable[..., str]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """A service with two accounts; the environment variables point to it."""
    loopback = Loopback(organizations=[STAGING, PROD])
    for name in ("BASE_URL", "OAUTH_URL", "FEEDS_URL"):
        monkeypatch.setenv(f"RSSPOT_{name}", loopback.url)
    yield loopback
    loopback.close()


@pytest.fixture
def rsspot(service: Loopback, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command, checks its exit code and returns its standard error. Fails if the token is printed."""

    def command(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        assert run([*arguments]) == code
        printed = capsys.readouterr()
        assert TOKEN not in printed.out + printed.err
        return printed.err

    return command


def config_file() -> Path:
    """The config file that the commands write."""
    return Path.home() / ".config" / "rsspot" / "config.yml"


def profile(name: str = "default") -> dict[str, str]:
    """What the file has of a profile."""
    written: dict[str, str] = yaml.safe_load(config_file().read_text())["profiles"][name]
    return written


# What is checked


def test_what_is_given_is_checked_by_requests(rsspot: Command, service: Loopback) -> None:
    """The token, the organization and the region; nothing else is sent."""
    rsspot("configure", "--org", "staging", "--region", "us-central-dfw-1", "--refresh-token", TOKEN)
    assert {line.rpartition("/")[2] for line in service.sent()} == {"token", "organizations", "regions"}
    assert profile() == {"organization": "staging", "region": "us-central-dfw-1", "refreshToken": TOKEN}


@pytest.mark.parametrize(
    ("arguments", "code", "message", "hint"),
    [
        (["--refresh-token", "wrong"], 4, "the token does not work", "rsspot login"),
        (["--refresh-token", TOKEN, "--org", "stagin"], 1, "no organization 'stagin'", "did you mean 'staging'?"),
        (
            ["--refresh-token", TOKEN, "--org-id", "org_none"],
            1,
            "no organization 'org_none'",
            "organizations: prod, staging",
        ),
        (
            ["--refresh-token", TOKEN, "--region", "us-central-dfw"],
            3,
            "no region 'us-central-dfw'",
            "did you mean 'us-central-dfw-",
        ),
    ],
)
def test_the_one_that_is_wrong_is_named_and_nothing_is_written(
    rsspot: Command, arguments: list[str], code: int, message: str, hint: str
) -> None:
    """With what there is to choose from."""
    errors = rsspot("configure", *arguments, code=code)
    assert message in errors and hint in errors
    assert not config_file().exists()


@pytest.mark.parametrize("option", [("--org", "prod"), ("--org", PROD.namespace), ("--org-id", PROD.id)])
def test_a_token_for_another_organization_is_refused(rsspot: Command, option: tuple[str, str]) -> None:
    """Its user belongs to both, but the service would refuse what the profile asks. The way out stores it unchecked."""
    errors = rsspot("configure", "--refresh-token", TOKEN, *option, code=3)
    assert f"the token is for the organization 'staging', not {option[1]!r}" in errors
    assert "organizations of the token: staging; --no-verify" in errors
    assert not config_file().exists()
    rsspot("configure", "--refresh-token", TOKEN, *option, "--no-verify")
    assert profile()["refreshToken"] == TOKEN


def test_a_new_token_is_for_the_organization_that_the_profile_has(rsspot: Command) -> None:
    """Although no organization is given with it; changing both together is possible."""
    rsspot("configure", "--org", "prod")
    assert "not 'prod'" in rsspot("configure", "--refresh-token", TOKEN, code=3)
    assert profile() == {"organization": "prod"}
    rsspot("configure", "--refresh-token", TOKEN, "--org", "staging")
    assert "not 'prod'" in rsspot("configure", "--org", "prod", code=3)
    assert profile() == {"organization": "staging", "refreshToken": TOKEN}


def test_whoami_says_that_the_token_is_for_another_organization(rsspot: Command) -> None:
    """In one line, with the ways out. It is said in no other case."""
    rsspot("configure", "--refresh-token", TOKEN)
    assert [rsspot("whoami"), rsspot("whoami", "--org", "staging"), rsspot("whoami", "--org", STAGING.id)] == [""] * 3
    assert rsspot("whoami", "--org", "prod").splitlines() == [
        "warning: the token is for the organization 'staging', not 'prod';"
        " pass --org staging, or get a token with `rsspot login --org prod`"
    ]


def test_a_service_that_cannot_be_reached_is_no_success(rsspot: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way out stores the values unchecked."""
    monkeypatch.setenv("RSSPOT_OAUTH_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("RSSPOT_MAX_RETRIES", "0")
    assert "--no-verify" in rsspot("configure", "--refresh-token", TOKEN, code=1)
    assert not config_file().exists()
    rsspot("configure", "--refresh-token", TOKEN, "--no-verify")
    assert profile() == {"refreshToken": TOKEN}


def test_without_any_token_nothing_can_be_checked(rsspot: Command, service: Loopback) -> None:
    """The values are stored, and that is said."""
    assert "not verified" in rsspot("configure", "--org", "later")
    assert service.sent() == []
    assert profile() == {"organization": "later"}


def test_a_stored_token_is_used_to_check_later_values(rsspot: Command) -> None:
    """As when only the region changes."""
    rsspot("configure", "--refresh-token", TOKEN)
    rsspot("configure", "--region", "nowhere", code=3)
    rsspot("configure", "--region", "us-east-iad-1", "--org-id", STAGING.id)
    assert profile() == {"refreshToken": TOKEN, "region": "us-east-iad-1", "organizationId": STAGING.id}


def test_a_replaced_refresh_token_is_not_lost(rsspot: Command) -> None:
    """The service may replace a refresh token at its first use. The next command logs in with the new one."""
    rsspot("configure", "--org", "staging", "--refresh-token", TOKEN)
    rsspot("whoami")


# How the token arrives


def test_a_token_in_an_argument_is_noted_and_never_recorded(
    rsspot: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on standard error, which names the private way."""
    for arguments in (["--refresh-token", TOKEN], [f"--refresh-token={TOKEN}", "--access-token", "a.b.c"]):
        errors = rsspot("configure", *arguments)
        assert errors.count("\n") == 1 and "--token-stdin" in errors
    rsspot("regions", "list", "--refresh-token", TOKEN, code=3)
    assert run(["history", "list"]) == 0
    assert TOKEN not in capsys.readouterr().out


@pytest.mark.parametrize("text", ["{}\n", "\n{}", "  {}\r\n\r\n", "\ufeff{}", "{}"])
def test_a_piped_token_may_have_white_space_around_it(
    rsspot: Command, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """As files and shells add it."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(text.format(TOKEN)))
    assert rsspot("configure", "--token-stdin") == ""
    assert profile() == {"refreshToken": TOKEN}


@pytest.mark.parametrize("text", ["", " \n", f"{TOKEN}\n{TOKEN}\n", f"{TOKEN} x", "schlüssel", "x" * 100_000 + " y"])
def test_a_piped_text_that_is_no_token_is_refused(rsspot: Command, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Without quoting it."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    rsspot("configure", "--token-stdin", code=3 if len(text) < 1000 else 4)
    assert not config_file().exists()


# A file that others can read


@pytest.mark.parametrize(("mode", "warned"), [(0o600, 0), (0o644, 1), (0o640, 1), (0o604, 1)])
def test_a_readable_file_with_a_token_is_warned_about(rsspot: Command, mode: int, warned: int) -> None:
    """Once a command, with the command that repairs it."""
    rsspot("configure", "--org", "staging", "--refresh-token", TOKEN)
    config_file().chmod(mode)
    errors = rsspot("whoami")
    assert errors.count("warning: ") == warned
    assert errors.count(f"chmod 600 {config_file()}") == warned


def test_a_readable_file_without_a_token_is_not_warned_about(rsspot: Command) -> None:
    """There is nothing to protect."""
    rsspot("configure", "--org", "staging")
    config_file().chmod(0o644)
    assert rsspot("profiles", "list") == ""


# What is wrong, and what to do


def test_a_missing_token_names_the_ways_to_get_one(rsspot: Command) -> None:
    """Login, variable and sandbox."""
    errors = rsspot("regions", "list", code=4)
    assert all(way in errors for way in ("rsspot login", "RSSPOT_REFRESH_TOKEN", "--sandbox"))


def test_an_unknown_organization_or_region_lists_those_there_are(rsspot: Command) -> None:
    """Wherever it is used."""
    rsspot("configure", "--refresh-token", TOKEN)
    assert "organizations: prod, staging" in rsspot("cloudspaces", "list", "--org", "xyz", code=1)
    errors = rsspot("pricing", "list", "--region", "us-central-dfw-7", code=3)
    assert "no region 'us-central-dfw-7'" in errors and "us-east-iad-1" in errors


def test_all_problems_of_a_config_file_are_printed(rsspot: Command) -> None:
    """Each with its line and hint; no line of the file is quoted."""
    config_file().parent.mkdir(parents=True)
    config_file().write_text(f"profiles:\n  default:\n    refreshTokn: {TOKEN}\n    timeout: {TOKEN}\n")
    errors = rsspot("whoami", code=3).splitlines()
    assert errors[:2] == [
        f"error: {config_file()}:3:5: profile 'default': unknown key 'refreshTokn'",
        "  hint: did you mean 'refreshToken'?",
    ]
    assert len(errors) == 3 and errors[2].startswith(f"error: {config_file()}:4:5: profiles.default.timeout: must be")
