"""Device login (RFC 8628): what is shown, how often the service is polled, and every way a login can end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from rsspot.auth.bearer import Bearer
from rsspot.auth.device import GRANT_TYPE, INTERVAL, Invitation, log_in
from rsspot.auth.grants import Grant, Issuer, Send
from rsspot.concurrency import drive
from rsspot.errors import AuthError, RsspotError, TransportError
from rsspot.http.call import Call
from rsspot.http.transport import SpotTransport
from rsspot.simulator.api import Api
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.front.inprocess import InProcessTransport
from rsspot.simulator.world import World
from rsspot.wire import httpx
from support.issuer import URL, id_token

ISSUER = Issuer(URL, "tests")
OFFER = {
    "device_code": "canary-device-code",
    "user_code": "BCDF-GHJK",
    "verification_uri": "https://example.com/activate",
    "expires_in": 900,
    "interval": 5,
}
PENDING = (403, {"error": "authorization_pending", "error_description": "not yet"})
SLOW_DOWN = (429, {"error": "slow_down"})
EXPIRED = (403, {"error": "expired_token"})
DENIED = (403, {"error": "access_denied"})
BROKEN = None
GRANTED = (200, {"id_token": id_token(exp=4e9), "refresh_token": "canary-newer"})
Poll = tuple[int, object] | None


class Login:
    """A scripted login service. It repeats the last response of the script. `polls` has the time of each poll."""

    def __init__(self, *script: Poll, offer: object = OFFER, status: int = 200) -> None:
        self.clock = ManualClock(0.0)
        self.script = list(script)
        self.offer, self.status = offer, status
        self.polls: list[float] = []
        self.forms: list[dict[str, str]] = []
        self.shown: list[Invitation] = []

    async def send(self, request: httpx.Request) -> httpx.Response:
        self.forms.append(dict(httpx.QueryParams(request.content.decode())))
        if request.url.path == "/oauth/device/code":
            return answer(self.status, self.offer)
        self.polls.append(self.clock.time())
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if step is BROKEN:
            raise httpx.ReadError("broke", request=request)
        return answer(*step)

    async def run(self, organization: str | None = None) -> Grant:
        """Log in."""
        return await log_in(ISSUER, self.send, self.clock, self.shown.append, organization)


def answer(status: int, body: object) -> httpx.Response:
    """A response with a JSON body, or with raw bytes."""
    return httpx.Response(status, content=body) if isinstance(body, bytes) else httpx.Response(status, json=body)


def intervals(login: Login) -> list[float]:
    """The seconds before each poll."""
    return [later - earlier for earlier, later in zip([0.0, *login.polls], login.polls, strict=False)]


# A successful login


async def test_an_approved_login_returns_a_grant() -> None:
    """The grant includes the refresh token."""
    login = Login(PENDING, PENDING, GRANTED)
    grant = await login.run()
    assert (grant.token.bearer, grant.refresh_token) == (GRANTED[1]["id_token"], "canary-newer")
    assert intervals(login) == [5, 5, 5]


async def test_link_and_code_are_shown_once() -> None:
    """The device code is never shown: anyone who has it could get the token."""
    login = Login(PENDING, GRANTED, offer={**OFFER, "verification_uri_complete": "https://example.com/activate?c=B"})
    await login.run()
    (shown,) = login.shown
    assert (shown.code, shown.link, shown.expires_in) == ("BCDF-GHJK", "https://example.com/activate", 900)
    assert shown.whole_link == "https://example.com/activate?c=B"
    assert "canary" not in repr(shown)


async def test_the_requests_follow_the_rfc() -> None:
    """With our client ID, offline access, and the organization if one is given."""
    login = Login(GRANTED)
    await login.run("org_x")
    start, poll = login.forms
    assert start == {"client_id": "tests", "scope": start["scope"], "organization": "org_x"}
    assert "offline_access" in start["scope"]
    assert poll == {"client_id": "tests", "grant_type": GRANT_TYPE, "device_code": "canary-device-code"}


def test_login_works_without_an_event_loop() -> None:
    """The synchronous client uses the same coroutine."""
    assert drive(Login(PENDING, GRANTED).run()).refresh_token == "canary-newer"


# Poll interval


@pytest.mark.parametrize(("interval", "expected"), [(1, 1), (12, 12), (2.5, 2.5), (0, 0.1), (-3, 0.1)])
async def test_the_service_sets_the_poll_interval(interval: float, expected: float) -> None:
    """An interval of zero or less is raised to a minimum."""
    login = Login(PENDING, GRANTED, offer={**OFFER, "interval": interval})
    await login.run()
    assert intervals(login) == pytest.approx([expected, expected])


async def test_the_default_interval_is_five_seconds() -> None:
    """As RFC 8628 requires."""
    login = Login(PENDING, GRANTED, offer={name: each for name, each in OFFER.items() if name != "interval"})
    await login.run()
    assert intervals(login) == [INTERVAL, INTERVAL] == [5, 5]


async def test_slow_down_applies_to_every_later_poll() -> None:
    """Each one adds five seconds permanently."""
    login = Login(PENDING, SLOW_DOWN, PENDING, PENDING, SLOW_DOWN, PENDING, GRANTED)
    await login.run()
    assert intervals(login) == [5, 5, 10, 10, 10, 15, 15]


@pytest.mark.parametrize("failure", [BROKEN, (500, b"oops"), (503, {})])
async def test_a_brief_failure_does_not_end_the_login(failure: Poll) -> None:
    """Polling continues with a doubled interval."""
    login = Login(PENDING, failure, failure, GRANTED)
    await login.run()
    assert intervals(login) == [5, 5, 10, 20]


@pytest.mark.parametrize("status", [400, 403, 429])
async def test_a_poll_is_not_retried(status: int) -> None:
    """The transport retries other requests. Retried polls would ignore slow_down."""
    login = Login(PENDING, (status, SLOW_DOWN[1]), PENDING, GRANTED)
    session = SpotTransport(URL, None, login.clock, httpx.MockTransport(login.send))
    await log_in(ISSUER, session.transport.handle_async_request, login.clock, login.shown.append)
    assert intervals(login) == [5, 5, 10, 10]
    assert session.transport.repeats == 0
    await session.aclose()


async def test_slow_down_does_not_slow_down_api_requests() -> None:
    """The login service and the API are separate, so the rate limit of the API stays as it was."""
    login = Login(SLOW_DOWN, GRANTED)

    async def both(request: httpx.Request) -> httpx.Response:
        return await login.send(request) if request.url.path.startswith("/oauth") else httpx.Response(200, json={})

    async def device_login(issuer: Issuer, send: Send) -> Grant:
        return await log_in(issuer, send, login.clock, login.shown.append)

    bearer = Bearer(base_url=URL, issuer=ISSUER, clock=login.clock, log_in=device_login)
    session = SpotTransport(URL, bearer, login.clock, httpx.MockTransport(both))
    await session.send(Call("GET", "/x"))
    began = login.clock.time()
    for _ in range(20):
        await session.send(Call("GET", "/x"))
    assert login.clock.time() == began
    await session.aclose()


# How a login ends


@pytest.mark.parametrize(("end", "message"), [(EXPIRED, "in time"), (DENIED, "denied")])
async def test_a_denied_or_expired_login_raises_auth_error(end: Poll, message: str) -> None:
    """With a hint. Polling stops."""
    login = Login(PENDING, end)
    with pytest.raises(AuthError, match=message) as caught:
        await login.run()
    assert "again" in str(caught.value.hint)
    assert len(login.polls) == 2


async def test_polling_ends_when_the_code_expires() -> None:
    """Even if the service still responds with authorization_pending."""
    login = Login(PENDING, offer={**OFFER, "expires_in": 60})
    with pytest.raises(AuthError, match="in time"):
        await login.run()
    assert login.polls[-1] < 60
    assert len(login.polls) == 11


async def test_a_lasting_network_failure_ends_when_the_code_expires() -> None:
    """The login is neither given up early nor polled forever."""
    login = Login(BROKEN)
    with pytest.raises(AuthError, match="in time"):
        await login.run()
    assert 0 < len(login.polls) < 10


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", {"error": 5}])
@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_firewalls_page_does_not_end_the_login(status: int, body: object) -> None:
    """The user may have approved it already, and only an error of OAuth says otherwise."""
    login = Login(PENDING, (status, body), GRANTED)
    assert (await login.run()).token.bearer
    assert intervals(login) == [5, 5, 10]


@pytest.mark.parametrize("error", ["invalid_grant", "unauthorized_client"])
@pytest.mark.parametrize("status", [400, 401, 403])
async def test_an_unknown_error_ends_the_login(status: int, error: str) -> None:
    """The error shows the status, but not the device code."""
    login = Login(PENDING, (status, {"error": error}))
    with pytest.raises(AuthError, match=str(status)) as caught:
        await login.run()
    assert "canary" not in str(caught.value)
    assert len(login.polls) == 2


@pytest.mark.parametrize("body", [b"", b"<html>"])
async def test_a_captive_portal_does_not_end_the_login(body: object) -> None:
    """It answers every request with 200 and its own page until the user has signed in."""
    login = Login((200, body), GRANTED)
    assert (await login.run()).token.bearer
    assert len(login.polls) == 2


@pytest.mark.parametrize("body", [{}, {"access_token": "canary"}])
async def test_a_grant_without_an_id_token_is_an_error(body: object) -> None:
    """The API accepts no other token."""
    with pytest.raises(AuthError, match="has no id_token"):
        await Login((200, body)).run()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
async def test_a_service_without_device_login_has_its_own_error(status: int) -> None:
    """The hint is to create a refresh token in the console."""
    login = Login(GRANTED, offer={"error": "unauthorized_client", "error_description": "not allowed"}, status=status)
    with pytest.raises(AuthError, match="does not support device login") as caught:
        await login.run()
    assert "not allowed" in str(caught.value)
    assert "RSSPOT_REFRESH_TOKEN" in str(caught.value.hint)
    assert (login.shown, login.polls) == ([], [])


async def test_an_outage_is_not_reported_as_missing_device_login() -> None:
    """Trying again later may work."""
    with pytest.raises(TransportError):
        await Login(GRANTED, status=503).run()


@pytest.mark.parametrize(
    "offer",
    [
        b"<html>",
        {},
        {**OFFER, "expires_in": "soon"},
        {**OFFER, "interval": None},
        *({name: each for name, each in OFFER.items() if name != missing} for missing in ("device_code", "user_code")),
        {name: each for name, each in OFFER.items() if name != "verification_uri"},
    ],
)
async def test_an_invalid_offer_is_not_shown(offer: object) -> None:
    """The user could not log in with incomplete instructions."""
    login = Login(GRANTED, offer=offer)
    with pytest.raises((AuthError, TransportError), match=r"cannot decode|did not reach a login service"):
        await login.run()
    assert (login.shown, login.polls) == ([], [])


# Interrupted logins


class EndlessSleep(ManualClock):
    """A clock whose `sleep` never returns."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.asleep.set()
        await asyncio.Event().wait()


async def test_ctrl_c_leaves_nothing_behind() -> None:
    """No task and no lock: the next request can start a new login."""
    login, tasks = Login(GRANTED), asyncio.all_tasks()
    login.clock = EndlessSleep()

    async def device_login(issuer: Issuer, send: Send) -> Grant:
        return await log_in(issuer, send, login.clock, login.shown.append)

    bearer = Bearer(base_url=URL, issuer=ISSUER, clock=login.clock, log_in=device_login)
    for attempt in (1, 2):
        login.clock.asleep.clear()
        waiting = asyncio.create_task(bearer.current(login.send))
        await asyncio.wait_for(login.clock.asleep.wait(), 60)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert len(login.shown) == attempt
    assert asyncio.all_tasks() == tasks
    assert (bearer.token, login.polls) == (None, [])


async def test_a_code_that_cannot_be_shown_ends_the_login() -> None:
    """Nobody could approve a login without having seen the code."""
    login = Login(GRANTED)

    def broken(_: Invitation) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await log_in(ISSUER, login.send, login.clock, broken)
    assert login.polls == []


# Against the simulator


async def simulated(decide: Callable[[World, str], None]) -> tuple[Grant, World]:
    """Log in to the simulator. `decide` does what the user does once the code is shown."""
    clock = ManualClock()
    world = World(clock=clock)
    transport = InProcessTransport(Api(world))
    session = SpotTransport(URL, None, clock, transport)
    try:
        grant = await log_in(
            ISSUER, session.transport.handle_async_request, clock, lambda shown: decide(world, shown.code)
        )
        return grant, world
    finally:
        await session.aclose()
        world.close()


async def test_an_approved_login_to_the_simulator_succeeds() -> None:
    """The grant has a token for the organization and a refresh token."""
    grant, world = await simulated(lambda world, code: world.identity.device.approve(code))
    assert grant.token.organization == world.organizations[0].namespace
    assert grant.refresh_token


@pytest.mark.parametrize(
    ("decide", "message"),
    [(lambda world, code: world.identity.device.deny(code), "denied"), (lambda world, code: None, "in time")],
    ids=["denied", "ignored"],
)
async def test_a_login_to_the_simulator_needs_approval(decide: Callable[[World, str], None], message: str) -> None:
    """It fails if the user denies it or does nothing."""
    with pytest.raises(RsspotError, match=message):
        await simulated(decide)


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
async def test_a_clock_that_is_set_neither_ends_nor_prolongs_the_wait(step: float) -> None:
    """The code expires after so many seconds, whatever the time of day is then."""
    login = Login(PENDING, offer={**OFFER, "expires_in": 60})
    login.shown = []

    def set_clock(_: Invitation) -> None:
        login.clock.step(step)

    with pytest.raises(AuthError, match="in time"):
        await log_in(ISSUER, login.send, login.clock, set_clock)
    assert len(login.polls) == 11
