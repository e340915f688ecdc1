"""The login service is retried like a read: after an outage, within the deadline, and never after a definite no."""

from __future__ import annotations

import asyncio

import pytest

from rsspot.auth.grants import Grant, Issuer, Send
from rsspot.auth.token import Token
from rsspot.errors import AuthError, ServerError, TransportError
from rsspot.http.call import Call
from rsspot.http.retry import RetryPolicy
from rsspot.http.transport import SpotTransport, TransportOptions
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx
from support.issuer import URL, Answer, Service, bearer_of, id_token, refused

GET = Call("GET", "/x")


def page(status: int) -> Answer:
    """What a firewall answers in the place of the service."""
    return lambda _: httpx.Response(status, html="<html><body>Request blocked by the firewall</body></html>")


def failing(kind: type[httpx.TransportError]) -> Answer:
    """A connection that breaks."""

    def broken(request: httpx.Request) -> httpx.Response:
        raise kind("broke", request=request)

    return broken


OUTAGES: dict[str, Answer] = {
    "503": lambda _: httpx.Response(503, text="oops"),
    "reset": failing(httpx.ReadError),
    "cut off": failing(httpx.RemoteProtocolError),
    "timeout": failing(httpx.ReadTimeout),
    "429": lambda _: httpx.Response(429, json={"error": "too_many_attempts"}),
    "firewall 403": page(403),
    "firewall 401": page(401),
    "portal 200": page(200),
    "temporary": lambda _: httpx.Response(400, json={"error": "temporarily_unavailable"}),
}
ANSWERS: dict[str, Answer] = {
    "invalid_grant": lambda _: httpx.Response(403, json={"error": "invalid_grant"}),
    "access_denied": refused,
    "wrong URL": lambda _: httpx.Response(404, text="not found"),
    "no token": lambda _: httpx.Response(200, json={}),
}


@pytest.fixture
def service() -> Service:
    """A service that answers every request successfully unless a test changes it."""
    return Service(ManualClock())


def first(answers: int, answer: Answer, then: Answer) -> Answer:
    """Answer so many requests in one way, and the others in another."""
    left = [answer] * answers

    def next_answer(request: httpx.Request) -> httpx.Response:
        return (left.pop() if left else then)(request)

    return next_answer


def session_with(service: Service, policy: RetryPolicy) -> SpotTransport:
    """A session with a retry policy of its own."""
    transport, options = httpx.MockTransport(service.handle), TransportOptions(policy=policy)
    return SpotTransport(URL, bearer_of(service), service.clock, transport, options=options)


@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
@pytest.mark.parametrize("call", [GET, Call("POST", "/x", body={})], ids=["read", "write"])
async def test_an_outage_of_the_login_service_is_outlasted(service: Service, outage: Answer, call: Call) -> None:
    """Also before a write, which itself is sent only once."""
    service.login = first(2, outage, service.issue)
    assert await service.session(bearer_of(service)).send(call) == {}
    assert (len(service.logins), len(service.calls)) == (3, 1)


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_a_definite_answer_is_not_asked_for_again(service: Service, answer: Answer) -> None:
    """A second attempt would not change it, and login services lock out clients that keep trying."""
    service.login = answer
    with pytest.raises((AuthError, TransportError)):
        await service.session(bearer_of(service)).send(GET)
    assert len(service.logins) == 1


async def test_a_firewalls_page_does_not_use_up_the_refresh_token(service: Service) -> None:
    """Later requests try again, and no login is asked for."""
    service.login = page(403)
    session = service.session(bearer_of(service, log_in=None))
    with pytest.raises(TransportError, match="did not reach a login service"):
        await session.send(GET)
    service.login = service.issue
    assert await session.send(GET) == {}


async def test_the_policy_of_the_profile_counts_for_the_login_service_too(service: Service) -> None:
    """Whoever turns retries off wants none."""
    service.login = OUTAGES["503"]
    session = session_with(service, RetryPolicy(attempts=1))
    with pytest.raises(TransportError, match="503"):
        await session.send(GET)
    assert len(service.logins) == 1


def slowly(service: Service, seconds: float, answer: Answer) -> Answer:
    """Answer only after some time."""

    def answer_late(request: httpx.Request) -> httpx.Response:
        service.clock.advance(seconds)
        return answer(request)

    return answer_late


@pytest.mark.parametrize("patience", [None, 10.0])
async def test_login_and_request_share_one_deadline(service: Service, patience: float | None) -> None:
    """However long each of them is retried. Otherwise a request takes twice as long as it may."""
    service.login = first(1, slowly(service, 5, OUTAGES["503"]), service.issue)
    service.api = slowly(service, 3, lambda _: httpx.Response(503))
    session = session_with(service, RetryPolicy(attempts=100, base=0.01, ceiling=0.01, deadline=20.0))
    began = service.clock.monotonic()
    with pytest.raises(ServerError):
        await session.send(Call("GET", "/x", patience=patience))
    assert service.clock.monotonic() - began <= (patience or 20) + 3


async def test_a_login_by_a_person_does_not_count(service: Service) -> None:
    """A request is not given up because somebody took ten minutes to approve the login, nor are those that wait."""
    timeouts: list[float] = []

    async def log_in(issuer: Issuer, send: Send) -> Grant:
        await service.clock.sleep(600)
        return Grant(Token.parse(id_token(exp=service.clock.time() + 3600)))

    def answer(request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"]["read"])
        return httpx.Response(200, json={})

    service.api = answer
    bearer = bearer_of(service, refresh_token=None, log_in=log_in)
    session = service.session(bearer)
    await asyncio.gather(session.send(GET), session.send(GET))
    assert timeouts == [30, 30]


async def test_an_impatient_request_does_not_spoil_the_renewal_for_others(service: Service) -> None:
    """It gives up after two seconds. One that may wait for two minutes, and shares its renewal, tries again itself."""
    reached, gate = asyncio.Event(), asyncio.Event()

    async def send(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token" and not reached.is_set():
            reached.set()
            await gate.wait()
            raise httpx.ReadTimeout("too slow", request=request)
        return await service.handle(request)

    bearer = bearer_of(service)
    impatient = asyncio.create_task(bearer.current(send, 2.0))
    await reached.wait()
    equal = asyncio.create_task(bearer.current(send, 3.0))
    patient = asyncio.create_task(bearer.current(send, 120.0))
    await asyncio.sleep(0)
    gate.set()
    outcomes = await asyncio.gather(impatient, equal, patient, return_exceptions=True)
    assert [isinstance(each, TransportError) for each in outcomes] == [True, True, False]
    assert service.issued == 1
