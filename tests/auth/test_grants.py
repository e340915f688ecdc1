"""Requests to the login service, and the meaning of each response."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsspot.auth.grants import SCOPE, TIMEOUT, Grant, Issuer, exchange, granted, refreshed
from rsspot.auth.token import Token
from rsspot.errors import AuthError, ConfigError, OutcomeUnknown, RequestTimeout, RsspotError, TransportError
from rsspot.http.transport import SpotTransport, TransportOptions
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx
from support.issuer import CANARY, URL, Answer, id_token

ISSUER = Issuer(URL, "tests")


def sender(answer: Answer) -> object:
    """A send function for a login service that always answers the same."""

    async def send(request: httpx.Request) -> httpx.Response:
        return answer(request)

    return send


def exchanged(answer: Answer) -> tuple[int, dict[str, object]]:
    """The status and the object that an exchange returns."""
    status, body, _ = asyncio.run(exchange(ISSUER.refresh(CANARY), sender(answer)))
    return status, body


def refresh(answer: Answer) -> Grant:
    """The grant that a refresh returns."""
    return asyncio.run(refreshed(ISSUER, CANARY, sender(answer)))


@pytest.mark.parametrize("url", ["http://127.0.0.1", "http://127.0.0.1/", "http://127.0.0.1//"])
def test_a_refresh_posts_a_form(url: str) -> None:
    """The token is not in the URL, which may be logged. The request has a timeout."""
    request = Issuer(url, "tests").refresh("a+b&c=ü")
    assert (request.method, str(request.url)) == ("POST", "http://127.0.0.1/oauth/token")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    form = dict(httpx.QueryParams(request.content.decode()))
    assert form == {"client_id": "tests", "grant_type": "refresh_token", "refresh_token": "a+b&c=ü"}
    assert set(request.extensions["timeout"].values()) == {TIMEOUT}
    assert "Authorization" not in request.headers


def test_the_login_url_may_contain_a_path() -> None:
    """For example behind a gateway."""
    assert Issuer("https://example.com/login", "tests").request("/oauth/token").url.path == "/login/oauth/token"


def test_the_scope_includes_offline_access() -> None:
    """Without it there is no refresh token, and the user would have to log in every day."""
    assert "offline_access" in SCOPE.split()


@pytest.mark.parametrize(
    "url", ["http://example.com", "http://0.0.0.0", "http://[::2]", "example.com", "", "file:///x"]
)
def test_an_issuer_must_use_https(url: str) -> None:
    """Except on loopback. Otherwise credentials would be sent in plain text."""
    with pytest.raises(ConfigError):
        Issuer(url, "tests")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b"", {}),
        (b"<html>sign in to the hotel", {}),
        (b"[1]", {}),
        (b"null", {}),
        (b"\xff\xfe{", {}),
        (b'{"a": ', {}),
    ],
)
def test_a_body_that_is_not_an_object_is_ignored(body: bytes, expected: dict[str, object]) -> None:
    """The status is still returned."""
    assert exchanged(lambda _: httpx.Response(404, content=body)) == (404, expected)


@given(st.binary(max_size=200), st.integers(200, 599))
def test_every_response_gives_a_grant_or_an_rsspot_error(body: bytes, status: int) -> None:
    """No other exception is raised, and no error shows the refresh token."""
    try:
        refresh(lambda _: httpx.Response(status, content=body))
    except RsspotError as error:
        assert CANARY not in str(error)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx.ConnectError, TransportError),
        (httpx.ReadError, TransportError),
        (httpx.RemoteProtocolError, TransportError),
        (httpx.ProxyError, TransportError),
        (httpx.ConnectTimeout, RequestTimeout),
        (httpx.ReadTimeout, RequestTimeout),
        (httpx.PoolTimeout, RequestTimeout),
    ],
)
def test_a_connection_failure_names_the_login_service(
    failure: type[httpx.TransportError], error: type[TransportError]
) -> None:
    """So users know which host to check. The underlying httpx error is hidden."""

    def broken(request: httpx.Request) -> httpx.Response:
        raise failure("broke", request=request)

    with pytest.raises(error, match=r"127\.0\.0\.1/oauth/token") as caught:
        refresh(broken)
    assert type(caught.value) is error
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_a_5xx_is_not_a_refused_token(status: int) -> None:
    """It is a TransportError, which means: try again."""
    with pytest.raises(TransportError, match=str(status)):
        refresh(lambda _: httpx.Response(status, json={"error": "access_denied"}))


@pytest.mark.parametrize("status", [204, 301, 404, 405])
def test_an_unexpected_status_is_not_a_refused_token(status: int) -> None:
    """A wrong URL or a proxy must not make a valid refresh token count as refused."""
    with pytest.raises(TransportError, match=str(status)):
        refresh(lambda _: httpx.Response(status))


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_says_how_to_get_another_token(status: int) -> None:
    """The error shows the status, but nothing of what was sent."""
    with pytest.raises(AuthError, match=str(status)) as caught:
        refresh(lambda _: httpx.Response(status, json={"error": "invalid_grant", "error_description": CANARY}))
    assert "rsspot login" in str(caught.value.hint)
    assert CANARY not in str(caught.value)


NOT_FROM_THE_LOGIN_SERVICE = {
    "html": {"html": "<html><body>Request blocked by the firewall</body></html>"},
    "empty": {"content": b""},
    "echo": {"content": f"refresh_token={CANARY}".encode()},
    "json": {"json": {"message": "blocked"}},
    "odd error": {"json": {"error": 5}},
    "outage": {"json": {"error": "temporarily_unavailable"}},
}


@pytest.mark.parametrize("body", NOT_FROM_THE_LOGIN_SERVICE.values(), ids=NOT_FROM_THE_LOGIN_SERVICE)
@pytest.mark.parametrize("status", [400, 401, 403])
def test_only_an_error_of_oauth_is_a_refusal(status: int, body: dict[str, object]) -> None:
    """A firewall's page says nothing about the token: users must not be sent for a new one although theirs is valid."""
    with pytest.raises(TransportError, match=str(status)) as caught:
        refresh(lambda _: httpx.Response(status, **body))
    assert "firewall" in str(caught.value.hint)
    assert CANARY not in str(caught.value)


async def test_a_response_that_is_too_long_is_not_an_unknown_outcome() -> None:
    """A login writes nothing, so there is nothing to settle."""
    too_long = httpx.MockTransport(lambda _: httpx.Response(200, content=b"x" * 2000))
    session = SpotTransport(URL, None, ManualClock(), too_long, options=TransportOptions(most_bytes=1000))
    with pytest.raises(TransportError) as caught:
        await refreshed(ISSUER, CANARY, session.transport.handle_async_request)
    assert not isinstance(caught.value, OutcomeUnknown)
    await session.aclose()


@pytest.mark.parametrize("bearer", [None, "", 5, ["x"], {}])
def test_a_grant_needs_an_id_token(bearer: object) -> None:
    """The API does not accept the access token instead."""
    with pytest.raises(AuthError, match="id_token"):
        granted({"id_token": bearer, "access_token": "canary-access"})


@pytest.mark.parametrize(("returned", "expected"), [("newer", "newer"), ("", None), (None, None), (5, None)])
def test_a_grant_contains_the_new_refresh_token(returned: object, expected: str | None) -> None:
    """Or None if the old one stays valid."""
    bearer = id_token(exp=1)
    assert granted({"id_token": bearer, "refresh_token": returned}) == Grant(Token.parse(bearer), expected)
