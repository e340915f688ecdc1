"""The life of a token during a command, one test for each arrow of its flowchart, named after the arrow.

start -> cached token valid? -yes-> use it -> near expiry? -yes-> refresh
                -no-> refresh token? -yes-> refresh -success-> use it
                              -no-> device login <-refused- refresh
device login -> show code and link -> poll -authorized-> cache -> use it
                                           -denied or timeout-> abort
"""

from __future__ import annotations

import io
import re
import stat
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from rsspot.auth.lifetime import MARGIN
from rsspot.auth.persona import Persona
from rsspot.cli.errors import report
from rsspot.cli.login import on_terminal
from rsspot.cli.options import CliOptions
from rsspot.client.async_client import AsyncSpotClient
from rsspot.config.loader import Resolved
from rsspot.errors import AuthError, RsspotError, TransportError
from rsspot.http.hooks import Hooks
from rsspot.settings import Setting
from rsspot.simulator.accounts.people import SANDBOX_ORGANIZATION, SANDBOX_TOKEN
from rsspot.simulator.api import Api
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.front.inprocess import InProcessTransport
from rsspot.simulator.world import World
from rsspot.wire import httpx
from rsspot.workflows.login import log_out

URL = "http://127.0.0.1"
REVOKED = "canary-revoked"
PENDING = httpx.Response(403, json={"error": "authorization_pending"})
SLOW_DOWN = httpx.Response(429, json={"error": "slow_down"})
EXPIRED = httpx.Response(403, json={"error": "expired_token"})
LIFETIME = 3_600
"""Seconds that a token lasts. With the whole day of the service, thousands of auctions would be held meanwhile."""


class Terminal(io.StringIO):
    """A terminal that keeps what it shows."""

    def isatty(self) -> bool:
        return True

    @property
    def code(self) -> str:
        """The code that was shown last."""
        return re.findall(r"shows the code (\S+)", self.getvalue())[-1]


class Account(httpx.AsyncBaseTransport):
    """The simulated service as commands of one profile see it, and the person at the terminal.

    sent: the kind of each request · polls: responses to the next polls, before the service itself is asked
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.world = World(clock=self.clock, lifetime=LIFETIME)
        self.terminal = Terminal()
        self.sent: list[str] = []
        self.polls: list[httpx.Response] = []
        self.poll_times: list[float] = []
        self.outage = False
        self.decide: Callable[[Account], None] = lambda account: account.approve()
        self._service = InProcessTransport(Api(self.world))

    def approve(self) -> None:
        """What the person does with the code on the terminal."""
        self.world.identity.device.approve(self.terminal.code)

    def deny(self) -> None:
        """The same."""
        self.world.identity.device.deny(self.terminal.code)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        form = request.content.decode() if request.method == "POST" else ""
        polls = "device_code" in form
        names = {"/oauth/device/code": "device login", "/oauth/token": "poll" if polls else "refresh"}
        self.sent.append(names.get(request.url.path, "api"))
        if self.outage and self.sent[-1] != "api":
            return httpx.Response(503)
        if polls:
            self.poll_times.append(self.clock.monotonic())
            if self.polls:
                return self.polls.pop(0)
            self.decide(self)
        return await self._service.handle_async_request(request)

    def client(self, refresh_token: str | None = SANDBOX_TOKEN, *, terminal: bool = True) -> AsyncSpotClient:
        """A new client, as each command has one."""
        values = {"base_url": URL, "oauth_url": URL, "client_id": "tests", "organization": SANDBOX_ORGANIZATION}
        values |= {"refresh_token": refresh_token} if refresh_token else {}
        settings = {name: Setting(value, "test") for name, value in values.items()}
        settings |= {"cache.enabled": Setting(False, "test"), "retry.max_retries": Setting(0, "test")}
        shown_on = self.terminal if terminal else io.StringIO()
        return AsyncSpotClient(
            resolved=Resolved("work", settings, self.folder / "state.db"),
            transport=self,
            clock=self.clock,
            token_folder=self.folder / "tokens",
            log_in=on_terminal(self.clock, None, Hooks(), shown_on, shown_on),
        )

    async def command(self, refresh_token: str | None = SANDBOX_TOKEN, *, terminal: bool = True) -> list[str]:
        """Run a command that lists the regions. Returns what it sent."""
        self.sent.clear()
        client = self.client(refresh_token, terminal=terminal)
        try:
            assert await client.regions.list()
        finally:
            await client.aclose()
        return list(self.sent)


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    """The service, with nothing cached yet. The person approves every login."""
    opened = Account(tmp_path)
    yield opened
    opened.world.close()


# Start -> is the cached token valid?


async def test_cached_token_valid_to_use_token(account: Account) -> None:
    """Neither a refresh nor a device login."""
    await account.command()
    assert await account.command() == ["api"]


async def test_cached_token_missing_to_refresh(account: Account) -> None:
    """The first command has a refresh token."""
    assert await account.command() == ["refresh", "api"]


async def test_cached_token_expired_to_refresh(account: Account) -> None:
    """The second command comes too late."""
    await account.command()
    account.clock.advance(2 * LIFETIME)
    assert await account.command() == ["refresh", "api"]


async def test_no_refresh_token_to_device_login(account: Account) -> None:
    """On a terminal nothing has to be configured."""
    assert await account.command(None) == ["device login", "poll", "api"]


async def test_no_refresh_token_without_a_terminal_to_abort(account: Account) -> None:
    """A script must not wait for a person."""
    with pytest.raises(AuthError) as caught:
        await account.command(None, terminal=False)
    assert (caught.value.exit_code, account.sent) == (4, [])


# Refresh


async def test_refresh_success_to_use_token(account: Account) -> None:
    """No device login."""
    assert "device login" not in await account.command()


async def test_refresh_refused_to_device_login(account: Account) -> None:
    """After one refresh: the refused token is not tried again."""
    assert await account.command(REVOKED) == ["refresh", "device login", "poll", "api"]


async def test_refresh_refused_without_a_terminal_to_abort(account: Account) -> None:
    """After one refresh too."""
    client = account.client(REVOKED, terminal=False)
    for _ in range(3):
        with pytest.raises(AuthError) as caught:
            await client.regions.list()
    await client.aclose()
    assert (caught.value.exit_code, account.sent) == (4, ["refresh"])


async def test_refresh_without_an_answer_is_no_refusal(account: Account) -> None:
    """The token may be valid, so nobody is asked to log in."""
    account.outage = True
    with pytest.raises(TransportError):
        await account.command()
    assert set(account.sent) == {"refresh"}


# Device login: show the code, then poll


async def test_device_login_to_user_code_and_link(account: Account) -> None:
    """On standard error, before the first poll. The secret device code is not shown."""
    account.decide = lambda account: shown.append(account.terminal.getvalue()) or account.approve()
    shown: list[str] = []
    await account.command(None)
    assert f"{URL}/activate?user_code={account.terminal.code}" in shown[0]
    assert len(account.terminal.getvalue().splitlines()) == 4


async def test_poll_pending_to_poll(account: Account) -> None:
    """At the interval that the service asked for."""
    account.polls = [PENDING, PENDING]
    assert await account.command(None) == ["device login", "poll", "poll", "poll", "api"]
    assert _intervals(account) == [5, 5]


async def test_poll_slow_down_to_slower_poll(account: Account) -> None:
    """Each `slow_down` adds five seconds to every later interval."""
    account.polls = [SLOW_DOWN, PENDING, SLOW_DOWN]
    await account.command(None)
    assert _intervals(account) == [10, 10, 15]


def _intervals(account: Account) -> list[float]:
    times = account.poll_times
    return [later - earlier for earlier, later in pairwise(times)]


async def test_poll_authorized_to_cached_tokens(account: Account) -> None:
    """The next command uses the access token, and later ones the refresh token. Nobody logs in again."""
    await account.command(REVOKED)
    assert await account.command(REVOKED) == ["api"]
    account.clock.advance(2 * LIFETIME)
    assert await account.command(REVOKED) == ["refresh", "api"]


async def test_poll_authorized_to_cached_tokens_without_a_refresh_token(account: Account) -> None:
    """The login is cached for the profile, also for commands without a terminal."""
    await account.command(None)
    assert await account.command(None, terminal=False) == ["api"]
    account.clock.advance(2 * LIFETIME)
    assert await account.command(None, terminal=False) == ["refresh", "api"]


@pytest.mark.parametrize(
    ("decide", "polls", "message"),
    [
        (lambda account: account.deny(), [], "the login was denied"),
        (lambda account: None, [], "the login was not approved in time"),
        (lambda account: None, [PENDING, EXPIRED], "the login was not approved in time"),
    ],
    ids=["denied", "timeout", "expired"],
)
async def test_poll_denied_or_timeout_to_abort(
    account: Account,
    capsys: pytest.CaptureFixture[str],
    decide: Callable[[Account], None],
    polls: list[httpx.Response],
    message: str,
) -> None:
    """With one short message, a way out and exit code 4. No API request is sent, and nothing is cached."""
    account.decide, account.polls = decide, list(polls)
    with pytest.raises(RsspotError) as caught:
        await account.command(None)
    assert report(caught.value, CliOptions()) == 4
    assert capsys.readouterr().err == f"error: {message}\n  hint: run the command again\n"
    assert "api" not in account.sent
    assert not list(account.folder.glob("tokens/*.json"))


async def test_after_logout_the_next_command_starts_again(account: Account) -> None:
    """With a device login, for what was cached is deleted."""
    for refresh_token in (None, REVOKED):
        before = await account.command(refresh_token)
        client = account.client(refresh_token)
        log_out(client.config, token_folder=account.folder / "tokens", environ={})
        await client.aclose()
        assert await account.command(refresh_token) == before
        assert "device login" in before


# The cache


async def test_new_tokens_are_written_by_temporary_file_and_move(account: Account) -> None:
    """A reader sees the old file or the new one, never a part. Only its owner can read it."""
    await account.command()
    (file,) = account.folder.glob("tokens/*.json")
    with file.open() as reader:
        before = file.stat()
        account.clock.advance(2 * LIFETIME)
        await account.command()
        assert before.st_ino != file.stat().st_ino
        assert reader.read() != file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {each.suffix for each in file.parent.iterdir()} == {".json", ".lock"}


async def test_a_login_as_somebody_else_shares_no_cached_response(account: Account) -> None:
    """In the command that logs in, and in every later one."""
    before = account.client(REVOKED)
    identity = before._bearer.identity
    assert await before.regions.list()
    assert before._bearer.identity != identity
    after = account.client(REVOKED)
    assert after._bearer.identity == before._bearer.identity
    await before.aclose()
    await after.aclose()


# Use token -> near expiry?


async def test_token_near_expiry_to_refresh(account: Account) -> None:
    """Before the service would refuse it."""
    await account.command()
    client = account.client()
    token = client._bearer.token
    await client.aclose()
    assert token is not None and token.expires_at is not None
    remaining = (token.expires_at - account.clock.now()).total_seconds()
    account.clock.advance(remaining - MARGIN - 1)
    assert await account.command() == ["api"]
    account.clock.advance(1)
    assert await account.command() == ["refresh", "api"]


async def test_use_token_to_api_calls(account: Account) -> None:
    """Every request of a command has the same token."""
    client = account.client()
    for _ in range(3):
        assert await client.regions.list()
    await client.aclose()
    assert account.sent == ["refresh", "api", "api", "api"]


async def test_token_to_persona(account: Account) -> None:
    """Whoever logged in is named by the claims of the token."""
    client = account.client(None)
    persona = await client.whoami()
    await client.aclose()
    assert isinstance(persona, Persona)
    assert (persona.email, persona.namespace) == ("sandbox@example.com", account.world.organizations[0].namespace)
