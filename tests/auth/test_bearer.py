"""Bearer tokens are requested when needed, shared by all tasks, sent to one origin only and never shown."""

from __future__ import annotations

import asyncio
import base64
import json
import pickle
import traceback
from collections.abc import AsyncIterator

import pytest

from rsspot.auth.lifetime import TimedToken, lifetime_of
from rsspot.auth.token import Token
from rsspot.errors import AuthError, ConfigError, RsspotError
from rsspot.http.call import Call
from rsspot.http.transport import SpotTransport
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx
from support.issuer import Answer, Service, bearer_of, id_token, refused


@pytest.fixture
def service() -> Service:
    """A service that answers every request successfully unless a test changes it."""
    return Service(ManualClock())


@pytest.fixture
async def session(service: Service) -> AsyncIterator[SpotTransport]:
    """A transport that signs requests."""
    opened = service.session(bearer_of(service))
    yield opened
    await opened.aclose()


async def test_concurrent_requests_share_one_token(service: Service, session: SpotTransport) -> None:
    """Fifty requests at once need one login."""
    await asyncio.gather(*(session.send(Call("GET", "/x")) for _ in range(50)))
    assert service.issued == 1
    signatures = {each.headers["Authorization"] for each in service.seen if each.url.path == "/x"}
    assert len(signatures) == 1


async def test_concurrent_401s_share_one_renewal(service: Service, session: SpotTransport) -> None:
    """A token that is revoked while fifty tasks use it is renewed once."""
    await session.send(Call("GET", "/x"))
    revoked = {each.headers["Authorization"] for each in service.seen if each.url.path == "/x"}

    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401 if request.headers["Authorization"] in revoked else 200, json={})

    service.api = refuse
    await asyncio.gather(*(session.send(Call("GET", "/x")) for _ in range(50)))
    assert service.issued == 2


async def test_a_token_is_renewed_a_minute_before_it_expires(service: Service, session: SpotTransport) -> None:
    """Otherwise it may expire while the request is under way."""
    await session.send(Call("GET", "/x"))
    service.clock.advance(service.lifetime - 61)
    await session.send(Call("GET", "/x"))
    assert service.issued == 1
    service.clock.advance(1)
    await session.send(Call("GET", "/x"))
    assert service.issued == 2


async def test_a_second_401_is_an_auth_error(service: Service, session: SpotTransport) -> None:
    """One new token is tried, but not a third."""
    service.api = lambda _: httpx.Response(401, text="Jwt verification fails")
    with pytest.raises(AuthError) as caught:
        await session.send(Call("GET", "/x"))
    assert caught.value.exit_code == 4
    assert service.issued == 2


async def test_a_refused_write_is_sent_again_with_the_same_body(service: Service, session: SpotTransport) -> None:
    """A 401 means that nothing was executed."""
    answers = iter([401, 201])
    service.api = lambda _: httpx.Response(next(answers), json={})
    await session.send(Call("POST", "/x", body={"a": 1}))
    bodies = [json.loads(each.content) for each in service.seen if each.url.path == "/x"]
    assert bodies == [{"a": 1}, {"a": 1}]


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_an_outage_of_the_login_service_is_not_an_auth_error(
    service: Service, session: SpotTransport, status: int
) -> None:
    """Otherwise users would create a new token although theirs is valid."""
    service.login = lambda _: httpx.Response(status, text="oops")
    with pytest.raises(RsspotError) as caught:
        await session.send(Call("GET", "/x"))
    assert not isinstance(caught.value, AuthError)


@pytest.mark.parametrize("other", ["http://127.0.0.1:81/x", "https://127.0.0.1/x", "https://example.com/x"])
async def test_another_origin_gets_no_token(service: Service, other: str) -> None:
    """A different port or scheme is a different origin. No token is even requested for it."""
    await bearer_of(service).carry(httpx.Request("GET", other), service.handle)
    assert "Authorization" not in service.seen[0].headers
    assert len(service.seen) == 1


async def test_a_redirect_is_not_followed(service: Service, session: SpotTransport) -> None:
    """Otherwise the token might be sent to another host."""
    service.api = lambda _: httpx.Response(307, headers={"Location": "https://example.com/"})
    with pytest.raises(RsspotError):
        await session.send(Call("GET", "/x"))
    assert {each.url.host for each in service.seen} == {"127.0.0.1"}


@pytest.mark.parametrize("url", ["http://example.com", "http://10.0.0.1", "http://127.0.0.1.example.com", "ftp://x"])
@pytest.mark.parametrize("which", ["base_url", "oauth_url"])
def test_plain_http_is_refused_except_for_loopback(service: Service, which: str, url: str) -> None:
    """Credentials are never sent in plain text to another machine."""
    with pytest.raises(ConfigError, match="is not https"):
        bearer_of(service, **{which: url})


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1", "https://example.com"])
def test_https_and_loopback_are_allowed(service: Service, url: str) -> None:
    """In every spelling of loopback."""
    bearer_of(service, base_url=url, oauth_url=url)


FAILURES: dict[str, tuple[Answer | None, Answer | None]] = {
    "login 401": (refused, None),
    "login 500": (lambda _: httpx.Response(500, text="oops"), None),
    "login echoes the request": (lambda request: httpx.Response(400, content=request.content), None),
    "login without id_token": (lambda _: httpx.Response(200, json={"access_token": "canary-access"}), None),
    "login is not JSON": (lambda _: httpx.Response(200, text="canary"), None),
    "api 401": (None, lambda _: httpx.Response(401, text="Jwt is expired")),
    "api 403": (None, lambda _: httpx.Response(403, json={"message": "no"})),
    "api 404": (None, lambda _: httpx.Response(404)),
    "api 500": (None, lambda _: httpx.Response(500)),
}


def broken(request: httpx.Request) -> httpx.Response:
    """A connection that breaks."""
    raise httpx.ReadError("broke", request=request)


FAILURES |= {"login connection breaks": (broken, None), "api connection breaks": (None, broken)}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_error_shows_a_credential(service: Service, session: SpotTransport, name: str, method: str) -> None:
    """Not in the message, repr, hint, attributes, traceback or pickle."""
    login, api = FAILURES[name]
    service.login, service.api = login or service.issue, api or service.api
    with pytest.raises(RsspotError) as caught:
        await session.send(Call(method, "/x"))
    error = caught.value
    shown = [str(error), repr(error), str(error.hint), str(vars(error)), "".join(traceback.format_exception(error))]
    shown.append(pickle.dumps(error).decode("latin-1"))
    assert not any("canary" in each for each in shown)


async def test_objects_with_credentials_do_not_show_them(service: Service, session: SpotTransport) -> None:
    """Neither the token, the bearer, nor the session."""
    bearer = bearer_of(service)
    token = Token.parse(id_token(exp=1))
    for each in (bearer, token, session, session.transport):
        assert "canary" not in repr(each)
        assert "canary" not in str(each)


@pytest.mark.parametrize(
    "text",
    ["opaque", "", "a.b.c", "a.!!!!.c", "..", f"a.{base64.urlsafe_b64encode(b'[]').decode()}.c", "a.b.c.d"],
)
def test_an_opaque_token_has_no_claims(text: str) -> None:
    """Only the service can tell whether it is valid, so it counts as fresh."""
    token = Token.parse(text)
    assert (token.claims, token.expires_at, token.organization) == ({}, None, None)
    assert TimedToken.kept(token, ManualClock()).outlasts(1e9, ManualClock())


@pytest.mark.parametrize("exp", ["soon", None, 1e300, -1e300, [], True])
def test_an_invalid_expiry_does_not_crash(exp: object) -> None:
    """The token is simply used until the service refuses it."""
    token = Token.parse(id_token(exp=exp, iat=exp))
    TimedToken.kept(token, ManualClock()).outlasts(0, ManualClock())
    TimedToken.new(token, lifetime_of(token), ManualClock()).outlasts(0, ManualClock())


def test_a_token_contains_the_namespace_of_its_organization() -> None:
    """It is the organization ID in lower case, with `-` instead of `_`."""
    assert Token.parse(id_token(org_id="org_AbC")).organization == "org-abc"
