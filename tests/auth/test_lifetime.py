"""How long a token is used: from its receipt, whatever this machine's clock says."""

from __future__ import annotations

import base64
import json
from email.utils import formatdate
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from rsspot.auth.cache import TokenCache
from rsspot.auth.grants import Grant
from rsspot.auth.lifetime import TimedToken
from rsspot.auth.token import Token
from rsspot.errors import AuthError
from rsspot.http.call import Call
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx
from support.issuer import CANARY, Service, bearer_of, id_token

GET = Call("GET", "/x")
HOUR = 3600.0


class Skewed(Service):
    """A service whose clock is right, while the clock of this machine is not. It refuses expired tokens."""

    def __init__(self, off: float = 0.0, *, says: str = "iat") -> None:
        super().__init__(ManualClock())
        self.says = says
        self.off = off
        self.clock.step(off)
        self.refused = 0
        self.api = self.check

    @property
    def time(self) -> float:
        """The right time."""
        return self.clock.time() - self.off

    def set_clock(self, off: float) -> None:
        """Step the clock of this machine."""
        self.clock.step(off - self.off)
        self.off = off

    def issue(self, _: httpx.Request) -> httpx.Response:
        """A token that says when it was issued, or comes with a date, or neither."""
        self.issued += 1
        claims = {"exp": self.time + self.lifetime, "number": self.issued}
        claims |= {"iat": self.time} if self.says == "iat" else {}
        headers = {"Date": formatdate(self.time, usegmt=True)} if self.says == "Date" else {}
        return httpx.Response(200, json={"id_token": id_token(**claims)}, headers=headers)

    def check(self, request: httpx.Request) -> httpx.Response:
        """200, or 401 for an expired token."""
        token = Token.parse(request.headers["Authorization"].removeprefix("Bearer "))
        if token.expires_at is None or token.expires_at.timestamp() > self.time:
            return httpx.Response(200, json={})
        self.refused += 1
        return httpx.Response(401, text="Jwt is expired")


OFF = [-24 * HOUR, -HOUR, 0.0, HOUR, 24 * HOUR]


@pytest.mark.parametrize("says", ["iat", "Date"])
@pytest.mark.parametrize("off", OFF)
async def test_a_wrong_clock_costs_neither_renewals_nor_refusals(off: float, says: str) -> None:
    """A fresh token does not count as expired, nor an expired one as fresh."""
    service = Skewed(off, says=says)
    session = service.session(bearer_of(service))
    for hours in range(1, 4):
        for _ in range(5):
            await session.send(GET)
            service.clock.advance(60)
        service.clock.advance(HOUR)
        assert (service.issued, service.refused) == (hours, 0)


@pytest.mark.parametrize("off", OFF)
async def test_a_clock_that_is_set_right_changes_nothing(off: float) -> None:
    """In the middle of a run: neither an exchange for each request nor a token that is used for too long."""
    service = Skewed(off)
    session = service.session(bearer_of(service))
    await session.send(GET)
    service.set_clock(0)
    for _ in range(5):
        await session.send(GET)
    assert (service.issued, service.refused) == (1, 0)
    service.clock.advance(service.lifetime - 60)
    await session.send(GET)
    assert (service.issued, service.refused) == (2, 0)


async def test_a_token_that_says_nothing_is_used_until_it_is_refused() -> None:
    """By a clock that is a day ahead it expired before it came, so the clock cannot tell."""
    service = Skewed(24 * HOUR, says="nothing")
    session = service.session(bearer_of(service))
    for _ in range(5):
        await session.send(GET)
    assert (service.issued, service.refused) == (1, 0)
    service.clock.advance(HOUR)
    await session.send(GET)
    assert (service.issued, service.refused) == (2, 1)


@pytest.mark.parametrize(("lifetime", "unused"), [(3600, 60), (600, 60), (300, 60), (60, 12), (10, 2)])
async def test_the_margin_is_a_minute_or_a_fifth_of_the_lifetime(lifetime: float, unused: float) -> None:
    """A token that lives for a minute is not renewed at every request."""
    service = Skewed()
    service.lifetime = lifetime
    bearer = bearer_of(service)
    session = service.session(bearer)
    for _ in range(12):
        await session.send(GET)
    service.clock.advance(lifetime - unused - 0.5)
    await session.send(GET)
    assert (service.issued, bearer.live) == (1, True)
    service.clock.advance(0.5)
    assert not bearer.live
    await session.send(GET)
    assert (service.issued, service.refused) == (2, 0)


# Between commands


async def command(service: Service, folder: Path, **rest: Any) -> None:
    """What one command does: a new bearer, one request."""
    await service.session(bearer_of(service, cache_folder=folder, **rest)).send(GET)


@pytest.mark.parametrize(("off", "says"), [*product(OFF, ["iat", "Date"]), (0.0, "nothing")])
async def test_commands_share_a_token_under_a_wrong_clock(tmp_path: Path, off: float, says: str) -> None:
    """A clock that is wrong all the time tells the age of the cached token all the same."""
    service = Skewed(off, says=says)
    for _ in range(5):
        await command(service, tmp_path)
        service.clock.advance(60)
    assert (service.issued, service.refused) == (1, 0)
    service.clock.advance(HOUR)
    await command(service, tmp_path)
    assert (service.issued, service.refused) == (2, 0)


@pytest.mark.parametrize(("before", "after"), [(HOUR, 0.0), (24 * HOUR, 0.0), (0.0, -HOUR)])
async def test_a_cached_token_from_the_future_is_replaced(tmp_path: Path, before: float, after: float) -> None:
    """The clock was set back since, so nobody knows how old the token is."""
    service = Skewed(before)
    await command(service, tmp_path)
    service.clock.advance(60)
    service.set_clock(after)
    await command(service, tmp_path)
    assert (service.issued, service.refused) == (2, 0)


@pytest.mark.parametrize(("age", "issued"), [(0.0, 0), (HOUR - 61, 0), (HOUR - 59, 1), (2 * HOUR, 1), (-HOUR, 1)])
async def test_a_cached_token_of_an_earlier_version_counts_by_its_claims(
    tmp_path: Path, age: float, issued: int
) -> None:
    """It was kept without its receipt. One that was issued in the future shows that the clock is wrong."""
    service = Skewed()
    token = Token.parse(id_token(iat=service.time - age, exp=service.time - age + HOUR))
    await command(service, tmp_path)
    (file,) = tmp_path.glob("*.json")
    file.write_text(json.dumps({"id_token": token.bearer, "refresh_token": None}))
    service.issued = 0
    await command(service, tmp_path)
    assert service.issued == issued


@pytest.mark.parametrize("odd", ["soon", None, [], True, -1, 1e300])
@pytest.mark.parametrize("name", ["lifetime", "received_at"])
async def test_odd_values_in_the_cache_do_not_crash(tmp_path: Path, name: str, odd: object) -> None:
    """At worst, the next command logs in once more."""
    service = Skewed()
    await command(service, tmp_path)
    (file,) = tmp_path.glob("*.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), name: odd}))
    await command(service, tmp_path)
    assert service.issued <= 2


# Tokens from the configuration


@pytest.mark.parametrize("off", OFF)
async def test_a_token_that_cannot_be_renewed_is_sent_whatever_our_clock_says(off: float) -> None:
    """Only the service can tell."""
    service = Skewed(off)
    token = id_token(iat=service.time - 60, exp=service.time + HOUR)
    session = service.session(bearer_of(service, refresh_token=None, token=token))
    assert await session.send(GET) == {}
    service.set_clock(0)
    assert await session.send(GET) == {}


async def test_an_expired_token_that_cannot_be_renewed_is_an_auth_error_of_the_service() -> None:
    """It says the same, and is right."""
    service = Skewed()
    token = id_token(iat=service.time - 2 * HOUR, exp=service.time - HOUR)
    session = service.session(bearer_of(service, refresh_token=None, token=token))
    with pytest.raises(AuthError, match="Jwt is expired"):
        await session.send(GET)


# Deep payloads


def deep(levels: int) -> str:
    """A token whose payload nests so deep that Python's parser gives up."""
    payload = base64.urlsafe_b64encode(b'{"a":' * levels + b"1" + b"}" * levels).decode().rstrip("=")
    return f"canary.{payload}.canary"


@pytest.mark.parametrize("levels", [100, 100_000])
async def test_a_deeply_nested_payload_is_opaque(tmp_path: Path, levels: int) -> None:
    """Only the service can read it: the token is used as it is, and not cached."""
    token = Token.parse(deep(levels))
    assert (token.claims, token.expires_at) == ({}, None)
    cache = TokenCache(tmp_path, "same")
    assert cache.save(Grant(token))
    assert cache.load() is None
    assert TimedToken.kept(token, ManualClock()).outlasts(1e9, ManualClock())


def test_a_deeply_nested_cache_file_is_ignored(tmp_path: Path) -> None:
    """Whoever wrote it."""
    cache = TokenCache(tmp_path, "same")
    cache.save(Grant(Token.parse(id_token(exp=4e9)), CANARY))
    (file,) = tmp_path.glob("*.json")
    file.write_text("[" * 200_000)
    assert cache.load() is None
