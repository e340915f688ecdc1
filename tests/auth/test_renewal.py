"""When a token is renewed, and when renewal is not tried because it cannot help."""

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
from rsspot.http.call import Call
from rsspot.http.transport import SpotTransport
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx
from support.issuer import CANARY, Answer, Service, bearer_of, id_token, refused

GET = Call("GET", "/x")
OPAQUE = "canary-opaque"


@pytest.fixture
def service() -> Service:
    """A service that answers every request successfully unless a test changes it."""
    return Service(ManualClock())


def refusing(*bearers: str) -> Answer:
    """An API that refuses some tokens."""
    refused = {f"Bearer {each}" for each in bearers}
    return lambda request: httpx.Response(401 if request.headers["Authorization"] in refused else 200, json={})


def always(status: int, **rest: object) -> Answer:
    """An endpoint that always responds with the same status."""
    return lambda _: httpx.Response(status, **rest)


async def send_many(session: SpotTransport, number: int = 20) -> list[object]:
    """The results of many concurrent requests. Errors are among them."""
    return await asyncio.gather(*(session.send(GET) for _ in range(number)), return_exceptions=True)


# A configured access token


async def test_an_access_token_alone_is_used_as_it_is(service: Service) -> None:
    """No login is needed."""
    token = id_token(exp=service.clock.time() + 3600)
    await service.session(bearer_of(service, refresh_token=None, token=token)).send(GET)
    assert [each.headers["Authorization"] for each in service.seen] == [f"Bearer {token}"]


async def test_an_expired_access_token_alone_is_an_auth_error(service: Service) -> None:
    """It is not sent, and the hint says what to do."""
    token = id_token(exp=service.clock.time() + 3600)
    session = service.session(bearer_of(service, refresh_token=None, token=token))
    service.clock.advance(3600)
    for _ in range(2):
        with pytest.raises(AuthError, match="expired") as caught:
            await session.send(GET)
        assert "RSSPOT_REFRESH_TOKEN" in str(caught.value.hint)
    assert service.seen == []


@pytest.mark.parametrize("token", [OPAQUE, id_token(exp=4e9)], ids=["opaque", "readable"])
async def test_a_refused_access_token_alone_is_an_auth_error(service: Service, token: str) -> None:
    """It cannot be renewed. The error has the service's message, and the request is sent only once."""
    service.api = always(401, text="Jwt is revoked")
    session = service.session(bearer_of(service, refresh_token=None, token=token))
    with pytest.raises(AuthError, match="Jwt is revoked"):
        await session.send(GET)
    assert (len(service.calls), len(service.logins)) == (1, 0)


async def test_an_opaque_token_is_used_until_it_is_refused(service: Service) -> None:
    """It does not say when it expires. After a 401 the refresh token is used to get a new one."""
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
    """If there is also a refresh token."""
    token = id_token(exp=service.clock.time() + 30)
    bearer = bearer_of(service, token=token)
    assert not bearer.live
    await service.session(bearer).send(GET)
    assert service.issued == 1
    assert token not in service.calls[0].headers["Authorization"]
    assert bearer.live


def test_reading_a_missing_refresh_token_is_an_error(service: Service) -> None:
    """Creating a kubeconfig needs one. The hint says how to get it."""
    assert bearer_of(service).refresh_token == CANARY
    with pytest.raises(AuthError) as caught:
        _ = bearer_of(service, refresh_token=None, token=OPAQUE).refresh_token
    assert "login" in str(caught.value.hint)


def test_the_identity_differs_between_credentials_and_reveals_none(service: Service) -> None:
    """Cached responses are stored by identity, so that one user never gets those of another."""
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


# Refused tokens and refused renewals


async def test_a_403_does_not_renew_the_token(service: Service) -> None:
    """The token is valid but lacks permission, so a new one would not help."""
    service.api = always(403, json={"message": "no"})
    session = service.session(bearer_of(service))
    for _ in range(3):
        with pytest.raises(Forbidden):
            await session.send(GET)
    assert (service.issued, len(service.calls)) == (1, 3)


async def test_concurrent_401s_share_one_renewal(service: Service) -> None:
    """Each request is sent once more."""
    service.api = refusing(OPAQUE)
    session = service.session(bearer_of(service, token=OPAQUE))
    assert await send_many(session) == [{}] * 20
    assert (service.issued, len(service.calls)) == (1, 40)


async def test_a_refused_refresh_is_not_tried_again(service: Service) -> None:
    """Neither by waiting requests nor by later ones: login services lock out clients that keep trying."""
    service.api = refusing(OPAQUE)
    service.login = always(403, json={"error": "invalid_grant"})
    session = service.session(bearer_of(service, token=OPAQUE))
    assert {type(each) for each in await send_many(session)} == {AuthError}
    service.clock.advance(3600)
    assert {type(each) for each in await send_many(session)} == {AuthError}
    assert len(service.logins) == 1


async def test_an_error_that_is_raised_again_does_not_grow(service: Service) -> None:
    """Otherwise a program that gets it for days would fill its memory with tracebacks."""
    service.login = refused
    session = service.session(bearer_of(service))
    depths = []
    for _ in range(30):
        with pytest.raises(AuthError) as caught:
            await session.send(GET)
        depths.append(len(traceback.extract_tb(caught.value.__traceback__)))
    assert depths[-1] == depths[1]


async def test_an_api_that_refuses_new_tokens_causes_no_more_renewals(service: Service) -> None:
    """Otherwise every request would cause another login."""
    service.api = always(401, text="wrong audience")
    session = service.session(bearer_of(service))
    for _ in range(5):
        assert {type(each) for each in await send_many(session)} == {AuthError}
    assert service.issued == 2


async def test_after_refused_new_tokens_a_later_token_can_be_renewed(service: Service) -> None:
    """A brief failure of the API must not disable renewal for the rest of a long run."""
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
async def test_a_renewal_is_tried_again_after_an_outage(service: Service, status: int) -> None:
    """An outage says nothing about the refresh token."""
    service.login = always(status)
    session = service.session(bearer_of(service))
    with pytest.raises(TransportError):
        await session.send(GET)
    service.login = service.issue
    assert await session.send(GET) == {}


async def test_a_refused_token_is_not_taken_from_the_cache_again(tmp_path: object, service: Service) -> None:
    """The cache has the same token that was refused. It must not be taken for a newer one."""
    await service.session(bearer_of(service, cache_folder=tmp_path)).send(GET)
    cached = service.calls[-1].headers["Authorization"].removeprefix("Bearer ")
    session = service.session(bearer_of(service, cache_folder=tmp_path))
    service.api, service.login = refusing(cached), always(503)
    outcomes = await send_many(session, 5)
    assert {type(each) for each in outcomes} == {TransportError}
    service.login = service.issue
    assert await session.send(GET) == {}
    assert service.issued == 2


async def test_after_a_cancelled_renewal_the_next_task_renews(service: Service) -> None:
    """The lock is released."""
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


# Interactive login


class Person:
    """Logs in or denies the login, and counts the prompts."""

    def __init__(self, service: Service, *, unwilling: bool = False, refresh_token: str | None = "newer") -> None:
        self.service, self.unwilling, self.refresh_token = service, unwilling, refresh_token
        self.prompts = 0

    async def log_in(self, issuer: Issuer, send: Send) -> Grant:
        self.prompts += 1
        await asyncio.sleep(0)
        if self.unwilling:
            raise AuthError("the login was denied")
        token = Token.parse(id_token(exp=self.service.clock.time() + 3600, person=self.prompts))
        return Grant(token, self.refresh_token)


async def test_the_user_logs_in_once_if_the_refresh_token_is_refused(service: Service) -> None:
    """However many requests wait, and not again while the token is valid."""
    service.login, person = refused, Person(service)
    session = service.session(bearer_of(service, log_in=person.log_in))
    assert await send_many(session) == [{}] * 20
    assert await send_many(session) == [{}] * 20
    assert (person.prompts, len(service.logins)) == (1, 1)


async def test_the_refresh_token_of_a_login_is_used_for_renewals(service: Service) -> None:
    """Otherwise the user would have to log in every hour."""
    service.login, person = refused, Person(service)
    session = service.session(bearer_of(service, log_in=person.log_in))
    await session.send(GET)
    service.login = service.issue
    service.clock.advance(3600)
    await session.send(GET)
    assert person.prompts == 1
    assert b"refresh_token=newer" in service.logins[-1].content


async def test_interactive_login_works_without_any_configured_token(service: Service) -> None:
    """A 401 starts another login."""
    person = Person(service, refresh_token=None)
    session = service.session(bearer_of(service, refresh_token=None, log_in=person.log_in))
    await session.send(GET)
    service.api = refusing(service.calls[-1].headers["Authorization"].removeprefix("Bearer "))
    await session.send(GET)
    assert (person.prompts, service.logins) == (2, [])


async def test_after_a_denied_login_the_user_is_not_prompted_again(service: Service) -> None:
    """Neither for waiting requests nor for later ones."""
    service.login, person = refused, Person(service, unwilling=True)
    session = service.session(bearer_of(service, log_in=person.log_in))
    for _ in range(2):
        assert {str(each) for each in await send_many(session)} == {"the login was denied"}
    assert (person.prompts, len(service.logins)) == (1, 1)


async def test_an_outage_does_not_prompt_the_user(service: Service) -> None:
    """The refresh token may still be valid."""
    service.login, person = always(503), Person(service)
    session = service.session(bearer_of(service, log_in=person.log_in))
    with pytest.raises(TransportError):
        await session.send(GET)
    assert person.prompts == 0


# Threads and event loops


def in_threads(number: int, work: Callable[[], object]) -> list[object]:
    """The results of a function in several threads that start together. Errors are among them."""
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
    """A send function that works without an event loop."""

    async def send(request: httpx.Request) -> httpx.Response:
        service.seen.append(request)
        answer = service.login if request.url.path == "/oauth/token" else service.api
        return answer(request)

    return send


def get(bearer: Bearer, send: Send) -> Awaitable[httpx.Response]:
    """Send a signed request."""
    return bearer.carry(httpx.Request("GET", "http://127.0.0.1/x"), send)


def test_threads_share_one_renewal(service: Service) -> None:
    """Threads without an event loop."""
    service.api = refusing(OPAQUE)
    bearer, send = bearer_of(service, token=OPAQUE), blocking(service)
    outcomes = in_threads(8, lambda: drive(get(bearer, send)).status_code)
    assert outcomes == [200] * 8
    assert service.issued == 1


def test_event_loops_share_one_renewal(service: Service) -> None:
    """Two loops in two threads, with ten tasks each."""
    service.api = refusing(OPAQUE)
    bearer = bearer_of(service, token=OPAQUE)

    async def ten() -> list[int]:
        responses = await asyncio.gather(*(get(bearer, service.handle) for _ in range(10)))
        return [each.status_code for each in responses]

    assert in_threads(2, lambda: asyncio.run(ten())) == [[200] * 10] * 2
    assert service.issued == 1


def test_threads_share_one_refused_renewal(service: Service) -> None:
    """It is tried once, and every thread gets an AuthError."""
    service.login = refused
    bearer, send = bearer_of(service), blocking(service)
    outcomes = in_threads(8, lambda: drive(get(bearer, send)))
    assert {type(each) for each in outcomes} == {AuthError}
    assert len(service.logins) == 1


# Secrets


async def test_a_bearer_cannot_be_pickled(service: Service) -> None:
    """Pickling would write the secret to a file or pipe. Objects with credentials do not show them either."""
    bearer = bearer_of(service)
    await bearer.current(service.handle)
    with pytest.raises(TypeError):
        pickle.dumps(bearer)
    grant = Grant(Token.parse(id_token(exp=1)), CANARY)
    for each in (bearer, bearer.token, grant, bearer.identity):
        assert "canary" not in repr(each) + str(each) + f"{each}"


def test_the_error_for_plain_http_shows_no_credential(service: Service) -> None:
    """The error names the URL only."""
    with pytest.raises(ConfigError) as caught:
        bearer_of(service, base_url="http://example.com")
    assert "canary" not in str(caught.value)


async def test_concurrent_requests_share_one_failed_renewal() -> None:
    """Otherwise each of the lists that a plan needs would wait for the login service in turn."""
    attempts = 0

    async def unreachable(request: httpx.Request) -> httpx.Response:
        nonlocal attempts
        attempts += 1
        await asyncio.sleep(0.01)
        raise httpx.ConnectError("no route", request=request)

    bearer = Bearer(
        base_url="http://127.0.0.1:1",
        issuer=Issuer("http://127.0.0.1:1", "tests"),
        clock=ManualClock(),
        refresh_token="refresh",
    )
    failures = await asyncio.gather(*(bearer.current(unreachable) for _ in range(9)), return_exceptions=True)
    assert [type(each) for each in failures] == [TransportError] * 9
    assert attempts == 1
    with pytest.raises(TransportError):
        await bearer.current(unreachable)
    assert attempts == 2
