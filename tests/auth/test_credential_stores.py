"""Credential stores: which one a profile chooses, programs that print a token, and stores of the caller's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from rsspot.auth.command import MOST_BYTES, printed_token
from rsspot.auth.stores import NO_CREDENTIAL, STORES, CredentialStore, StoreSettings
from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.credentials import refresh_token_of, store_name
from rsspot.config.loader import Resolved, resolve
from rsspot.errors import AuthError, ConfigError
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx
from rsspot.workflows.login import log_in
from support.issuer import Service, id_token

CANARY = "canary-refresh-token"
URL = "http://127.0.0.1"


def python(program: str, *arguments: str) -> list[str]:
    """A command that runs a Python program."""
    return [sys.executable, "-c", program, *arguments]


def of(profile: dict[str, Any], folder: Path) -> Resolved:
    """The settings of a profile."""
    return resolve(config={"profiles": {"default": profile}}, environ={"HOME": str(folder)})


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        ({}, "file"),
        ({"refreshToken": "r"}, "file"),
        ({"keyring": True}, "keyring"),
        ({"credentialCommand": ["pass", "show", "rsspot"]}, "command"),
    ],
)
def test_the_profile_chooses_its_store(tmp_path: Path, profile: dict[str, Any], name: str) -> None:
    """Each is in the registry."""
    assert store_name(of(profile, tmp_path).options) == name
    assert name in STORES


def test_a_program_prints_the_token(tmp_path: Path) -> None:
    """White space around it does not count."""
    program = python("import sys; print(); print(' ' + sys.argv[1])", CANARY)
    assert refresh_token_of(of({"credentialCommand": program}, tmp_path)) == CANARY


def test_a_token_that_is_written_down_comes_first(tmp_path: Path) -> None:
    """Then the program does not run."""
    profile = {"refreshToken": "r", "credentialCommand": python("open('ran', 'w')")}
    assert refresh_token_of(of(profile, tmp_path)) == "r"


def test_no_shell_reads_the_command() -> None:
    """What a shell would expand is an argument like any other."""
    assert printed_token(python("import sys; print(len(sys.argv[1]))", "$(echo x); `id` > y")) == "19"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["/no/such/canary-program"], r"'canary-program' cannot be run: No such file"),
        (python(f"import sys; print('{CANARY}'); sys.exit(3)"), r"failed \(3\)"),
        (python(f"import sys; print('{CANARY} {CANARY}')"), "not a token"),
        (python(f"import sys; print('{CANARY}\\n{CANARY}')"), "not a token"),
        (python(""), "not a token"),
        (python(f"print('{CANARY}' * {MOST_BYTES})"), "printed more than"),
        (python(f"print('{CANARY}' * {MOST_BYTES}, flush=True); input()"), "printed more than"),
        (python("import os; os.kill(os.getpid(), 9)"), r"failed \(-9\)"),
    ],
)
def test_a_program_that_fails_is_a_config_error(command: list[str], message: str) -> None:
    """It names the program. Neither its arguments nor what it printed are shown: both may be secret."""
    with pytest.raises(ConfigError, match=message) as caught:
        printed_token([*command, CANARY])
    assert CANARY not in f"{caught.value!r} {caught.value.hint}"
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    "program",
    [
        "import signal; signal.pause()",
        # Its output is closed, but it runs on.
        "import os, signal; os.close(1); signal.pause()",
        # It has ended, but a child keeps its output open.
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])",
    ],
    ids=["silent", "closed", "child"],
)
def test_a_program_is_given_a_limited_time(program: str) -> None:
    """It is killed, with its children."""
    with pytest.raises(ConfigError, match="did not end within"):
        printed_token(python(program), timeout=0.3)


def test_the_arguments_of_the_command_are_not_explained(tmp_path: Path) -> None:
    """`config explain` may be pasted into a bug report."""
    explained = of({"credentialCommand": ["vault", "read", CANARY]}, tmp_path).explain()
    assert explained["credential_command"][0] == "vault (secret)"
    assert CANARY not in repr(of({"credentialCommand": ["vault", CANARY]}, tmp_path).options)


class Vault:
    """A store of the caller's own."""

    read_only = False

    def __init__(self, token: str | None) -> None:
        self.token = token

    def recall(self) -> str | None:
        return self.token

    def keep(self, refresh_token: str) -> None:
        self.token = refresh_token

    def forget(self) -> None:
        self.token = None


class Full(Vault):
    """One that takes no other token."""

    def keep(self, refresh_token: str) -> None:
        raise ConfigError("the vault is full")


def client(service: Service, store: CredentialStore) -> AsyncSpotClient:
    """A client whose refresh token is in a store."""
    return AsyncSpotClient(
        config={"profiles": {"default": {"baseUrl": URL, "oauthUrl": URL, "refreshToken": "ignored"}}},
        transport=httpx.MockTransport(service.handle),
        clock=service.clock,
        credential_store=store,
        cache=False,
    )


async def test_a_client_takes_the_token_from_a_store_of_the_callers_own() -> None:
    """Whatever the config file says."""
    service = Service(ManualClock())
    async with client(service, Vault(CANARY)) as spot:
        await spot.whoami()
    assert f"refresh_token={CANARY}" in service.logins[0].content.decode()


@pytest.mark.parametrize(("store", "kept"), [(Vault(CANARY), "newer"), (Full(CANARY), CANARY)], ids=["kept", "full"])
async def test_a_store_is_given_the_token_that_replaces_its_own(
    store: Vault, kept: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise the next program would use one that the login service has revoked. A full store only warns."""
    service = Service(ManualClock())
    answer = {"id_token": id_token(exp=service.clock.time() + 3600), "refresh_token": "newer"}
    service.login = lambda _: httpx.Response(200, json=answer)
    async with client(service, store) as spot:
        assert (await spot.whoami()).until
    assert store.token == kept
    assert ("the vault is full" in caplog.text) is (kept == CANARY)


def test_an_empty_store_is_an_auth_error() -> None:
    """As a missing token is."""
    with pytest.raises(AuthError):
        client(Service(ManualClock()), Vault(None))


def test_file_and_keyring_say_in_the_profile_where_the_token_is() -> None:
    """One store at a time, and no other credential, which could take precedence."""
    written: dict[str, object] = {}
    STORES["file"](StoreSettings("work", edit=written.update)).keep(CANARY)
    assert written == {**NO_CREDENTIAL, "refreshToken": CANARY}


async def test_a_login_is_not_stored_in_a_program(tmp_path: Path) -> None:
    """That is said before a person approves the login."""
    profile = {"credentialCommand": python("print('t')"), "oauthUrl": URL}
    with pytest.raises(ConfigError, match="comes from a program") as caught:
        await log_in(of(profile, tmp_path), lambda invitation: pytest.fail("a code was shown"))
    assert "--store file" in str(caught.value.hint)
