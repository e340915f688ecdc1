"""The device login of RFC 8628: shown once, asked for at the service's pace, and over in every way it can be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from rsspot.auth.bearer import Bearer
from rsspot.auth.device import GRANT_TYPE, INTERVAL, Invitation, log_in
from rsspot.auth.grants import Grant, Issuer, Send
from rsspot.concurrency import drive
from rsspot.errors import AuthError, RsspotError, TransportError
from rsspot.http.transport import Call, SpotTransport
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
    """A login service that follows a script; the last answer is repeated. `polls` is when it was asked."""

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


def answer(status: int, said: object) -> httpx.Response:
    """An answer: JSON, or bytes as they are."""
    return httpx.Response(status, content=said) if isinstance(said, bytes) else httpx.Response(status, json=said)


def intervals(login: Login) -> list[float]:
    """How long it waited before each poll."""
    return [later - earlier for earlier, later in zip([0.0, *login.polls], login.polls, strict=False)]


# The way it should go


async def test_an_approved_login_is_a_grant() -> None:
    """With the refresh token that it is for."""
    login = Login(PENDING, PENDING, GRANTED)
    grant = await login.run()
    assert (grant.token.bearer, grant.refresh_token) == (GRANTED[1]["id_token"], "canary-newer")
    assert intervals(login) == [5, 5, 5]


async def test_the_person_is_shown_what_they_need_and_once() -> None:
    """The code to compare and the link; never the device code, by which anybody could have the token."""
    login = Login(PENDING, GRANTED, offer={**OFFER, "verification_uri_complete": "https://example.com/activate?c=B"})
    await login.run()
    (shown,) = login.shown
    assert (shown.code, shown.link, shown.expires_in) == ("BCDF-GHJK", "https://example.com/activate", 900)
    assert shown.whole_link == "https://example.com/activate?c=B"
    assert "canary" not in repr(shown)


async def test_it_is_asked_as_the_standard_says() -> None:
    """For offline access, in the name of our client, and of an organization if one is named."""
    login = Login(GRANTED)
    await login.run("org_x")
    asked, polled = login.forms
    assert asked == {"client_id": "tests", "scope": asked["scope"], "organization": "org_x"}
    assert "offline_access" in asked["scope"]
    assert polled == {"client_id": "tests", "grant_type": GRANT_TYPE, "device_code": "canary-device-code"}


def test_a_thread_without_a_loop_logs_in_too() -> None:
    """The blocking client asks in the same way."""
    assert drive(Login(PENDING, GRANTED).run()).refresh_token == "canary-newer"


# Its pace


@pytest.mark.parametrize(("interval", "waited"), [(1, 1), (12, 12), (2.5, 2.5), (0, 0.1), (-3, 0.1)])
async def test_the_service_says_how_often_to_ask(interval: float, waited: float) -> None:
    """And a service that says nothing sensible is not hammered."""
    login = Login(PENDING, GRANTED, offer={**OFFER, "interval": interval})
    await login.run()
    assert intervals(login) == pytest.approx([waited, waited])


async def test_without_an_interval_it_is_five_seconds() -> None:
    """As the standard says."""
    login = Login(PENDING, GRANTED, offer={name: each for name, each in OFFER.items() if name != "interval"})
    await login.run()
    assert intervals(login) == [INTERVAL, INTERVAL] == [5, 5]


async def test_slow_down_counts_for_every_later_question() -> None:
    """Five seconds more each time, for good."""
    login = Login(PENDING, SLOW_DOWN, PENDING, PENDING, SLOW_DOWN, PENDING, GRANTED)
    await login.run()
    assert intervals(login) == [5, 5, 10, 10, 10, 15, 15]


@pytest.mark.parametrize("trouble", [BROKEN, (500, b"oops"), (503, {})])
async def test_a_network_that_fails_for_a_moment_does_not_cost_the_approval(trouble: Poll) -> None:
    """It is asked again, and less often."""
    login = Login(PENDING, trouble, trouble, GRANTED)
    await login.run()
    assert intervals(login) == [5, 5, 10, 20]


@pytest.mark.parametrize("status", [400, 403, 429])
async def test_a_poll_goes_out_once(status: int) -> None:
    """Through a session too: what repeats other requests would hammer a service that says slow_down."""
    login = Login(PENDING, (status, SLOW_DOWN[1]), PENDING, GRANTED)
    session = SpotTransport(URL, None, login.clock, httpx.MockTransport(login.send))
    await log_in(ISSUER, session.transport.handle_async_request, login.clock, login.shown.append)
    assert intervals(login) == [5, 5, 10, 10]
    assert session.transport.repeats == 0
    await session.aclose()


async def test_a_login_that_is_told_to_slow_down_does_not_slow_the_api_down() -> None:
    """They are two services; after the login, requests go as fast as ever."""
    login = Login(SLOW_DOWN, GRANTED)

    async def both(request: httpx.Request) -> httpx.Response:
        return await login.send(request) if request.url.path.startswith("/oauth") else httpx.Response(200, json={})

    async def person(issuer: Issuer, send: Send) -> Grant:
        return await log_in(issuer, send, login.clock, login.shown.append)

    bearer = Bearer(base_url=URL, issuer=ISSUER, clock=login.clock, log_in=person)
    session = SpotTransport(URL, bearer, login.clock, httpx.MockTransport(both))
    await session.send(Call("GET", "/x"))
    began = login.clock.time()
    for _ in range(20):
        await session.send(Call("GET", "/x"))
    assert login.clock.time() == began
    await session.aclose()


# How it ends


@pytest.mark.parametrize(("end", "words"), [(EXPIRED, "in time"), (DENIED, "denied")])
async def test_a_login_that_was_not_approved_says_why(end: Poll, words: str) -> None:
    """And what to do; it is not asked again."""
    login = Login(PENDING, end)
    with pytest.raises(AuthError, match=words) as caught:
        await login.run()
    assert "again" in str(caught.value.hint)
    assert len(login.polls) == 2


async def test_nobody_waits_longer_than_the_code_is_good_for() -> None:
    """No question after that, whatever the service says."""
    login = Login(PENDING, offer={**OFFER, "expires_in": 60})
    with pytest.raises(AuthError, match="in time"):
        await login.run()
    assert login.polls[-1] < 60
    assert len(login.polls) == 11


async def test_a_network_that_stays_away_ends_with_the_code() -> None:
    """Not before, and not never."""
    login = Login(BROKEN)
    with pytest.raises(AuthError, match="in time"):
        await login.run()
    assert 0 < len(login.polls) < 10


@pytest.mark.parametrize("said", [b"", b"<html>", b"[]", {"error": 5}, {"error": "invalid_grant"}])
@pytest.mark.parametrize("status", [400, 401, 403])
async def test_an_answer_that_is_not_understood_ends_the_login(status: int, said: object) -> None:
    """With its status, and without the device code."""
    login = Login(PENDING, (status, said))
    with pytest.raises(AuthError, match=str(status)) as caught:
        await login.run()
    assert "canary" not in str(caught.value)
    assert len(login.polls) == 2


@pytest.mark.parametrize("said", [b"", b"<html>"])
async def test_a_gate_in_between_does_not_end_a_login(said: object) -> None:
    """A hotel's sign-in page answers 200 to everything, until somebody has signed in."""
    login = Login((200, said), GRANTED)
    assert (await login.run()).token.bearer
    assert len(login.polls) == 2


@pytest.mark.parametrize("said", [{}, {"access_token": "canary"}])
async def test_a_success_without_a_token_is_none(said: object) -> None:
    """Nothing else is a bearer here."""
    with pytest.raises(AuthError, match="has no id_token"):
        await Login((200, said)).run()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
async def test_a_service_without_device_logins_is_told_apart(status: int) -> None:
    """The hint is the other way: a token from the console."""
    login = Login(GRANTED, offer={"error": "unauthorized_client", "error_description": "not allowed"}, status=status)
    with pytest.raises(AuthError, match="no device login") as caught:
        await login.run()
    assert "not allowed" in str(caught.value)
    assert "RSSPOT_REFRESH_TOKEN" in str(caught.value.hint)
    assert (login.shown, login.polls) == ([], [])


async def test_a_service_that_is_down_is_not_one_without_device_logins() -> None:
    """Later it may work."""
    with pytest.raises(TransportError):
        await Login(GRANTED, status=503).run()


@pytest.mark.parametrize(
    "offer",
    [
        b"<html>",
        {},
        {**OFFER, "expires_in": "soon"},
        {**OFFER, "interval": None},
        *({name: each for name, each in OFFER.items() if name != gone} for gone in ("device_code", "user_code")),
        {name: each for name, each in OFFER.items() if name != "verification_uri"},
    ],
)
async def test_an_offer_that_is_not_understood_is_not_shown(offer: object) -> None:
    """Half an invitation is worse than none."""
    login = Login(GRANTED, offer=offer)
    with pytest.raises((AuthError, TransportError), match=r"cannot decode|did not reach a login service"):
        await login.run()
    assert (login.shown, login.polls) == ([], [])


# Giving up


class Patient(ManualClock):
    """A clock by which a sleeper sleeps until the test is over."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.asleep.set()
        await asyncio.Event().wait()


async def test_ctrl_c_leaves_nothing_behind() -> None:
    """No task, and no lock: the next request may ask again."""
    login, tasks = Login(GRANTED), asyncio.all_tasks()
    login.clock = Patient()

    async def person(issuer: Issuer, send: Send) -> Grant:
        return await log_in(issuer, send, login.clock, login.shown.append)

    bearer = Bearer(base_url=URL, issuer=ISSUER, clock=login.clock, log_in=person)
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


async def test_a_screen_that_cannot_show_ends_the_login() -> None:
    """Nobody waits for an approval of what nobody has seen."""
    login = Login(GRANTED)

    def broken(_: Invitation) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await log_in(ISSUER, login.send, login.clock, broken)
    assert login.polls == []


# Against the simulator


async def simulated(decide: Callable[[World, str], None]) -> tuple[Grant, World]:
    """A login in the simulator, and what a person does about it once they have seen the code."""
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


async def test_the_simulator_logs_us_in() -> None:
    """With a token of the organization, and a refresh token to go on with."""
    grant, world = await simulated(lambda world, code: world.identity.device.approve(code))
    assert grant.token.organization == world.organizations[0].namespace
    assert grant.refresh_token


@pytest.mark.parametrize(
    ("decide", "words"),
    [(lambda world, code: world.identity.device.deny(code), "denied"), (lambda world, code: None, "in time")],
    ids=["denied", "ignored"],
)
async def test_the_simulator_lets_nobody_in_without_a_person(decide: Callable[[World, str], None], words: str) -> None:
    """Whether they say no or nothing."""
    with pytest.raises(RsspotError, match=words):
        await simulated(decide)
