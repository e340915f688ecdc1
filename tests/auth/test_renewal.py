"""When a token is renewed, and when there is no use in trying: every 401 is told apart."""

from __future__ import annotations

import asyncio
import pickle
import threading
import traceback
from collections.abc import Awaitable, Callable

import pytest

from rsspot.auth.bearer import Bearer
from rsspot.auth.grants import Grant, Issuer, Send
from rsspot.auth.token import Token
from rsspot.concurrency import drive
from rsspot.errors import AuthError, ConfigError, Forbidden, RsspotError, TransportError
from rsspot.http.transport import Call, SpotTransport
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx
from support.issuer import CANARY, Answer, Service, bearer_of, id_token

GET = Call("GET", "/x")
OPAQUE = "canary-opaque"


@pytest.fixture
def service() -> Service:
    """A service in which everything goes well until a test says otherwise."""
    return Service(ManualClock())


def refusing(*bearers: str) -> Answer:
    """An API that knows some tokens no more."""
    refused = {f"Bearer {each}" for each in bearers}
    return lambda request: httpx.Response(401 if request.headers["Authorization"] in refused else 200, json={})


def always(status: int, **rest: object) -> Answer:
    """An endpoint with one answer."""
    return lambda _: httpx.Response(status, **rest)


async def all_of(session: SpotTransport, number: int = 20) -> list[object]:
    """What many requests at once come to."""
    return await asyncio.gather(*(session.send(GET) for _ in range(number)), return_exceptions=True)


# An access token and nothing else


async def test_an_access_token_alone_is_used_as_it_is(service: Service) -> None:
    """No login is needed for it, and nobody is asked for one."""
    mine = id_token(exp=service.clock.time() + 3600)
    await service.session(bearer_of(service, refresh_token=None, token=mine)).send(GET)
    assert [each.headers["Authorization"] for each in service.seen] == [f"Bearer {mine}"]


async def test_an_access_token_alone_ends_with_itself(service: Service) -> None:
    """It is not sent when it has expired, and the error says what to do."""
    mine = id_token(exp=service.clock.time() + 3600)
    session = service.session(bearer_of(service, refresh_token=None, token=mine))
    service.clock.advance(3600)
    for _ in range(2):
        with pytest.raises(AuthError, match="expired") as caught:
            await session.send(GET)
        assert "RSSPOT_REFRESH_TOKEN" in str(caught.value.hint)
    assert service.seen == []


@pytest.mark.parametrize("mine", [OPAQUE, id_token(exp=4e9)], ids=["opaque", "readable"])
async def test_a_refused_access_token_is_the_services_401(service: Service, mine: str) -> None:
    """Nothing can be renewed; the words are the service's, and the request went out once."""
    service.api = always(401, text="Jwt is revoked")
    session = service.session(bearer_of(service, refresh_token=None, token=mine))
    with pytest.raises(AuthError, match="Jwt is revoked"):
        await session.send(GET)
    assert (len(service.calls), len(service.logins)) == (1, 0)


async def test_an_opaque_token_is_used_until_it_is_refused(service: Service) -> None:
    """It does not say when it ends; then the refresh token makes another."""
    bearer = bearer_of(service, token=OPAQUE)
    session = service.session(bearer)
    service.clock.advance(1e6)
    assert bearer.live
    await session.send(GET)
    assert service.issued == 0
    assert service.calls[0].headers["Authorization"] == f"Bearer {OPAQUE}"
    service.api = refusing(OPAQUE)
    await session.send(GET)
    assert (service.issued, len(service.calls)) == (1, 3)


async def test_an_expired_access_token_is_replaced_before_it_is_sent(service: Service) -> None:
    """Where there is a refresh token beside it."""
    mine = id_token(exp=service.clock.time() + 30)
    bearer = bearer_of(service, token=mine)
    assert not bearer.live
    await service.session(bearer).send(GET)
    assert service.issued == 1
    assert mine not in service.calls[0].headers["Authorization"]
    assert bearer.live


def test_without_a_refresh_token_there_is_none_to_hand_out(service: Service) -> None:
    """A kubeconfig needs one, and the error says how to get it."""
    assert bearer_of(service).refresh_token == CANARY
    with pytest.raises(AuthError) as caught:
        _ = bearer_of(service, refresh_token=None, token=OPAQUE).refresh_token
    assert "login" in str(caught.value.hint)


def test_credentials_are_told_apart_without_telling_them(service: Service) -> None:
    """Answers kept for one are not shown to another."""
    bearers = [
        bearer_of(service),
        bearer_of(service, refresh_token="another"),
        bearer_of(service, refresh_token=None, token=OPAQUE),
        bearer_of(service, token=OPAQUE),
        bearer_of(service, oauth_url="https://example.com"),
    ]
    assert len({each.identity for each in bearers}) == len(bearers)
    assert bearer_of(service).identity == bearers[0].identity
    assert not any("canary" in each.identity or OPAQUE in each.identity for each in bearers)


# Refusals


async def test_a_403_never_costs_a_token(service: Service) -> None:
    """We are known, and may not."""
    service.api = always(403, json={"message": "no"})
    session = service.session(bearer_of(service))
    for _ in range(3):
        with pytest.raises(Forbidden):
            await session.send(GET)
    assert (service.issued, len(service.calls)) == (1, 3)


async def test_twenty_401s_at_once_cost_one_token(service: Service) -> None:
    """And each request is repeated once."""
    service.api = refusing(OPAQUE)
    session = service.session(bearer_of(service, token=OPAQUE))
    assert await all_of(session) == [{}] * 20
    assert (service.issued, len(service.calls)) == (1, 40)


async def test_a_refused_refresh_is_tried_once_by_all_together(service: Service) -> None:
    """Not again by those who waited, nor by those who come later: a login service locks who insists."""
    service.api = refusing(OPAQUE)
    service.login = always(403, json={"error": "invalid_grant"})
    session = service.session(bearer_of(service, token=OPAQUE))
    assert {type(each) for each in await all_of(session)} == {AuthError}
    service.clock.advance(3600)
    assert {type(each) for each in await all_of(session)} == {AuthError}
    assert len(service.logins) == 1


async def test_an_error_that_is_raised_again_does_not_grow(service: Service) -> None:
    """A loop that runs into it for days does not fill memory with tracebacks."""
    service.login = always(401)
    session = service.session(bearer_of(service))
    depths = []
    for _ in range(30):
        with pytest.raises(AuthError) as caught:
            await session.send(GET)
        depths.append(len(traceback.extract_tb(caught.value.__traceback__)))
    assert depths[-1] == depths[1]


async def test_tokens_that_the_api_refuses_all_alike_are_not_asked_for_again(service: Service) -> None:
    """The login service and the API disagree: asking on would be a storm."""
    service.api = always(401, text="wrong audience")
    session = service.session(bearer_of(service))
    for _ in range(5):
        assert {type(each) for each in await all_of(session)} == {AuthError}
    assert service.issued == 2


async def test_after_a_disagreement_a_later_token_may_be_renewed_again(service: Service) -> None:
    """One bad minute in the life of a long run does not cost it every later 401."""
    session = service.session(bearer_of(service))
    service.api = always(401)
    with pytest.raises(AuthError):
        await session.send(GET)
    service.clock.advance(service.lifetime)
    service.api = always(200, json={})
    await session.send(GET)
    assert service.issued == 3
    service.api = refusing(service.calls[-1].headers["Authorization"].removeprefix("Bearer "))
    await session.send(GET)
    assert service.issued == 4


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_login_service_that_is_busy_or_down_is_asked_again_later(service: Service, status: int) -> None:
    """That says nothing about the refresh token, so nobody should make a new one."""
    service.login = always(status)
    session = service.session(bearer_of(service))
    with pytest.raises(TransportError):
        await session.send(GET)
    service.login = service.issue
    assert await session.send(GET) == {}


async def test_a_login_that_is_down_does_not_bring_a_refused_token_back(tmp_path: object, service: Service) -> None:
    """What another run kept is the very token that was refused; nobody takes it for a newer one."""
    await service.session(bearer_of(service, cache_folder=tmp_path)).send(GET)
    kept = service.calls[-1].headers["Authorization"].removeprefix("Bearer ")
    session = service.session(bearer_of(service, cache_folder=tmp_path))
    service.api, service.login = refusing(kept), always(503)
    outcomes = await all_of(session, 5)
    assert {type(each) for each in outcomes} == {TransportError}
    service.login = service.issue
    assert await session.send(GET) == {}
    assert service.issued == 2


async def test_a_renewal_that_is_cancelled_does_not_lock_the_others_out(service: Service) -> None:
    """The next in the queue makes the token."""
    gate, reached = asyncio.Event(), asyncio.Event()

    async def slowly(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token" and not reached.is_set():
            reached.set()
            await gate.wait()
        return await service.handle(request)

    bearer = bearer_of(service)
    first = asyncio.create_task(bearer.current(slowly))
    await reached.wait()
    second = asyncio.create_task(bearer.current(slowly))
    await asyncio.sleep(0)
    first.cancel()
    async with asyncio.timeout(5):
        assert (await second).bearer
    assert first.cancelled() or await asyncio.gather(first, return_exceptions=True)
    assert service.issued == 1


# A person


class Person:
    """Logs in when asked to, or does not want to. Counts how often."""

    def __init__(self, service: Service, *, unwilling: bool = False, refresh_token: str | None = "newer") -> None:
        self.service, self.unwilling, self.refresh_token = service, unwilling, refresh_token
        self.asked = 0

    async def log_in(self, issuer: Issuer, send: Send) -> Grant:
        self.asked += 1
        await asyncio.sleep(0)
        if self.unwilling:
            raise AuthError("the login was denied")
        token = Token.parse(id_token(exp=self.service.clock.time() + 3600, person=self.asked))
        return Grant(token, self.refresh_token)


async def test_a_person_is_asked_once_when_the_refresh_token_is_dead(service: Service) -> None:
    """However many requests wait, and not again while the token holds."""
    service.login, person = always(401), Person(service)
    session = service.session(bearer_of(service, log_in=person.log_in))
    assert await all_of(session) == [{}] * 20
    assert await all_of(session) == [{}] * 20
    assert (person.asked, len(service.logins)) == (1, 1)


async def test_the_refresh_token_of_a_login_is_used_from_then_on(service: Service) -> None:
    """The person is not asked every hour."""
    service.login, person = always(401), Person(service)
    session = service.session(bearer_of(service, log_in=person.log_in))
    await session.send(GET)
    service.login = service.issue
    service.clock.advance(3600)
    await session.send(GET)
    assert person.asked == 1
    assert b"refresh_token=newer" in service.logins[-1].content


async def test_a_person_is_enough(service: Service) -> None:
    """Neither refresh token nor access token is needed, and a 401 asks for another login."""
    person = Person(service, refresh_token=None)
    session = service.session(bearer_of(service, refresh_token=None, log_in=person.log_in))
    await session.send(GET)
    service.api = refusing(service.calls[-1].headers["Authorization"].removeprefix("Bearer "))
    await session.send(GET)
    assert (person.asked, service.logins) == (2, [])


async def test_who_says_no_is_not_asked_again(service: Service) -> None:
    """By nobody of those who wait, and not later."""
    service.login, person = always(401), Person(service, unwilling=True)
    session = service.session(bearer_of(service, log_in=person.log_in))
    for _ in range(2):
        assert {str(each) for each in await all_of(session)} == {"the login was denied"}
    assert (person.asked, len(service.logins)) == (1, 1)


async def test_a_login_service_that_is_down_asks_nobody(service: Service) -> None:
    """The refresh token may be perfectly good."""
    service.login, person = always(503), Person(service)
    session = service.session(bearer_of(service, log_in=person.log_in))
    with pytest.raises(TransportError):
        await session.send(GET)
    assert person.asked == 0


# Threads and loops


def in_threads(number: int, work: Callable[[], object]) -> list[object]:
    """What this comes to in several threads that begin together."""
    barrier, outcomes = threading.Barrier(number), []

    def run() -> None:
        barrier.wait(60)
        try:
            outcomes.append(work())
        except RsspotError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == number
    return outcomes


def blocking(service: Service) -> Send:
    """The service for threads without a loop."""

    async def send(request: httpx.Request) -> httpx.Response:
        service.seen.append(request)
        answer = service.login if request.url.path == "/oauth/token" else service.api
        return answer(request)

    return send


def get(bearer: Bearer, send: Send) -> Awaitable[httpx.Response]:
    """A signed request."""
    return bearer.carry(httpx.Request("GET", "http://127.0.0.1/x"), send)


def test_threads_share_one_renewal(service: Service) -> None:
    """Without a loop anywhere."""
    service.api = refusing(OPAQUE)
    bearer, send = bearer_of(service, token=OPAQUE), blocking(service)
    outcomes = in_threads(8, lambda: drive(get(bearer, send)).status_code)
    assert outcomes == [200] * 8
    assert service.issued == 1


def test_loops_share_one_renewal(service: Service) -> None:
    """Each in a thread of its own, ten tasks in each."""
    service.api = refusing(OPAQUE)
    bearer = bearer_of(service, token=OPAQUE)

    async def ten() -> list[int]:
        responses = await asyncio.gather(*(get(bearer, service.handle) for _ in range(10)))
        return [each.status_code for each in responses]

    assert in_threads(2, lambda: asyncio.run(ten())) == [[200] * 10] * 2
    assert service.issued == 1


def test_threads_share_one_refusal(service: Service) -> None:
    """One attempt, and the same words for everybody."""
    service.login = always(401)
    bearer, send = bearer_of(service), blocking(service)
    outcomes = in_threads(8, lambda: drive(get(bearer, send)))
    assert {type(each) for each in outcomes} == {AuthError}
    assert len(service.logins) == 1


# Secrets


async def test_what_holds_a_credential_cannot_be_pickled_by_mistake(service: Service) -> None:
    """A worker process would get the secret in a file or a pipe."""
    bearer = bearer_of(service)
    await bearer.current(service.handle)
    with pytest.raises(TypeError):
        pickle.dumps(bearer)
    grant = Grant(Token.parse(id_token(exp=1)), CANARY)
    for each in (bearer, bearer.token, grant, bearer.identity):
        assert "canary" not in repr(each) + str(each) + f"{each}"


def test_a_plain_address_is_refused_without_its_credentials(service: Service) -> None:
    """The base URL and the login service's alike."""
    with pytest.raises(ConfigError) as caught:
        bearer_of(service, base_url="http://example.com")
    assert "canary" not in str(caught.value)


async def test_an_outage_of_the_login_is_found_out_once_for_all_who_wait() -> None:
    """Nine lists of a plan must not each wait for a login service that is not there."""
    asked = 0

    async def nobody(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)
        raise httpx.ConnectError("no route", request=request)

    bearer = Bearer(
        base_url="http://127.0.0.1:1",
        issuer=Issuer("http://127.0.0.1:1", "tests"),
        clock=ManualClock(),
        refresh_token="refresh",
    )
    failures = await asyncio.gather(*(bearer.current(nobody) for _ in range(9)), return_exceptions=True)
    assert [type(each) for each in failures] == [TransportError] * 9
    assert asked == 1
    with pytest.raises(TransportError):
        await bearer.current(nobody)
    assert asked == 2
