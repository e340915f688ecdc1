"""Where the credentials of a profile are: a new one replaces every old one, wherever it is, and logout leaves none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rsspot.auth.device import Invitation
from rsspot.auth.keyring import keep, recall
from rsspot.cli.app import run
from rsspot.config.loader import resolve
from rsspot.workflows.login import log_in
from support.keyrings import InMemory, Locked, using
from support.loopback_server import STAGING, Loopback, write_config
from support.no_account import without_account

TOKEN = STAGING.refresh_token
ACCESS = "old.access.token"
Command = Callable[..., Any]


@pytest.fixture(autouse=True)
def in_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A keyring that works, and no variable of the person who runs the tests."""
    without_account(monkeypatch)
    yield from using(InMemory())


@pytest.fixture
def service() -> Iterator[Loopback]:
    loopback = Loopback(organizations=[STAGING])
    yield loopback
    loopback.close()


@pytest.fixture
def rsspot(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command with the config file, checks its exit code and returns its JSON output."""

    def command(*arguments: str, code: int = 0) -> Any:
        capsys.readouterr()
        assert run([*arguments, "--config-file", "config.yml", "-o", "json"]) == code
        printed = capsys.readouterr()
        assert TOKEN not in printed.out + printed.err
        return json.loads(printed.out) if printed.out else printed.err

    return command


def write_profile(service: Loopback, **more: Any) -> None:
    """A config file with one profile. None leaves a key out."""
    profile = {key: value for key, value in service.profile(STAGING, **more).items() if value is not None}
    write_config(Path("config.yml"), {"activeProfile": "default", "profiles": {"default": profile, "other": {}}})


def credentials() -> dict[str, Any]:
    """What the profile has of credentials."""
    profile = yaml.safe_load(Path("config.yml").read_text())["profiles"]["default"]
    names = {"refreshToken", "refreshTokenFile", "accessToken", "keyring", "credentialCommand"}
    return {key: value for key, value in profile.items() if key in names}


async def logged_in(service: Loopback, store: str) -> None:
    """Log in to a store; a person approves at once."""

    def approve(invitation: Invitation) -> None:
        service.world.identity.device.approve(invitation.code)

    path = Path("config.yml")
    resolved = resolve(config_path=path, environ={})
    await log_in(resolved, approve, store=store, clock=service.clock, environ={}, config_file=path)


def test_logout_leaves_no_access_token(rsspot: Command, service: Loopback) -> None:
    """Otherwise the next command would still be somebody."""
    write_profile(service, accessToken=ACCESS)
    assert rsspot("logout")["still given by"] is None
    assert credentials() == {}
    rsspot("whoami", code=4)


@pytest.mark.parametrize("variable", ["RSSPOT_REFRESH_TOKEN", "RSSPOT_REFRESH_TOKEN_FILE", "RSSPOT_ACCESS_TOKEN"])
def test_logout_says_which_credential_is_left(
    rsspot: Command, service: Loopback, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Of every kind."""
    write_profile(service)
    Path("token").write_text("elsewhere")
    monkeypatch.setenv(variable, "token")
    assert variable in rsspot("logout")["still given by"]
    assert credentials() == {}


@pytest.mark.parametrize("keyring", [False, True], ids=["file", "keyring"])
def test_logout_forgets_in_every_store(rsspot: Command, service: Loopback, keyring: bool) -> None:
    """Also in one that the profile has stopped using. Where the next login goes does not change."""
    keep("default", TOKEN)
    write_profile(service, accessToken=ACCESS, keyring=keyring)
    rsspot("logout")
    assert recall("default") is None
    assert credentials() == {"keyring": keyring}


def test_a_keyring_that_cannot_be_used_matters_to_its_profiles_only(rsspot: Command, service: Loopback) -> None:
    """The others can log out without one. The tokens of the file go in any case."""
    for keyring, code in ((None, 0), (True, 3)):
        write_profile(service, accessToken=ACCESS, keyring=keyring)
        for _ in using(Locked()):
            rsspot("logout", code=code)
        assert not {"refreshToken", "accessToken"} & credentials().keys()


@pytest.mark.parametrize(
    "old",
    [
        {"accessToken": ACCESS},
        {"refreshTokenFile": "token"},
        {"credentialCommand": ["no-such-program"]},
        {"keyring": True},
    ],
    ids=lambda old: next(iter(old)),
)
@pytest.mark.parametrize("store", ["file", "keyring"])
async def test_a_login_replaces_every_other_credential(service: Loopback, old: dict[str, Any], store: str) -> None:
    """Wherever the old one was, it is gone from there."""
    keep("default", TOKEN)
    Path("token").write_text(TOKEN)
    write_profile(service, **old)
    await logged_in(service, store)
    kept = recall("default")
    if store == "keyring":
        assert credentials() == {"keyring": True} and kept not in (None, TOKEN)
    else:
        assert list(credentials()) == ["refreshToken"] and credentials()["refreshToken"] != TOKEN
        assert kept == (None if "keyring" in old else TOKEN)


def test_a_configured_token_replaces_every_other_credential(rsspot: Command, service: Loopback) -> None:
    """An access token that is given with it is stored beside it."""
    keep("default", "old-refresh-token")
    write_profile(service, refreshToken=None, accessToken=ACCESS, keyring=True)
    assert rsspot("configure", "--refresh-token", TOKEN)["written"] == ["activeProfile", "refreshToken"]
    assert credentials() == {"refreshToken": TOKEN}
    assert recall("default") is None
    rsspot("configure", "--refresh-token", TOKEN, "--access-token", "a.b.c", "--no-verify")
    assert credentials() == {"refreshToken": TOKEN, "accessToken": "a.b.c"}


def test_a_token_that_cannot_be_removed_from_the_keyring_is_told(
    rsspot: Command, service: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    """A keyring that is broken is a reason to leave it, so the new token is stored nevertheless."""
    write_profile(service, refreshToken=None, keyring=True)
    for _ in using(Locked()):
        rsspot("configure", "--refresh-token", TOKEN)
    assert credentials() == {"refreshToken": TOKEN}
    assert "could not be removed: the operating system's keyring cannot be used" in caplog.text


def test_the_token_of_a_deleted_profile_leaves_the_keyring(rsspot: Command, service: Loopback) -> None:
    """The other profiles keep theirs."""
    keep("default", TOKEN)
    keep("other", "of-the-other")
    write_profile(service, keyring=True)
    rsspot("profiles", "use", "other")
    rsspot("profiles", "delete", "default")
    assert (recall("default"), recall("other")) == (None, "of-the-other")
