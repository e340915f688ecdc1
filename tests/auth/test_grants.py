"""What is asked of the login service, and what each of its answers means."""

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
    """A way to a login service with one answer."""

    async def send(request: httpx.Request) -> httpx.Response:
        return answer(request)

    return send


def told(answer: Answer) -> tuple[int, dict[str, object]]:
    """What an exchange with it comes to."""
    return asyncio.run(exchange(ISSUER.refresh(CANARY), sender(answer)))


def outcome(answer: Answer) -> Grant:
    """What a refresh with it comes to."""
    return asyncio.run(refreshed(ISSUER, CANARY, sender(answer)))


@pytest.mark.parametrize("url", ["http://127.0.0.1", "http://127.0.0.1/", "http://127.0.0.1//"])
def test_a_refresh_is_a_form_in_a_post(url: str) -> None:
    """Nothing of it is in the URL, where logs would keep it; nobody waits for it for ever."""
    request = Issuer(url, "tests").refresh("a+b&c=ü")
    assert (request.method, str(request.url)) == ("POST", "http://127.0.0.1/oauth/token")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    form = dict(httpx.QueryParams(request.content.decode()))
    assert form == {"client_id": "tests", "grant_type": "refresh_token", "refresh_token": "a+b&c=ü"}
    assert set(request.extensions["timeout"].values()) == {TIMEOUT}
    assert "Authorization" not in request.headers


def test_a_login_service_may_stand_below_a_path() -> None:
    """A gateway in front of several."""
    assert Issuer("https://example.com/login", "tests").request("/oauth/token").url.path == "/login/oauth/token"


def test_offline_access_is_asked_for() -> None:
    """Without it a login gives no refresh token, and the person is asked every day."""
    assert "offline_access" in SCOPE.split()


@pytest.mark.parametrize(
    "url", ["http://example.com", "http://0.0.0.0", "http://[::2]", "example.com", "", "file:///x"]
)
def test_no_credential_goes_to_a_plain_address(url: str) -> None:
    """The issuer cannot even be named."""
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
def test_an_answer_that_is_no_object_says_nothing(body: bytes, expected: dict[str, object]) -> None:
    """Its status still does."""
    assert told(lambda _: httpx.Response(403, content=body)) == (403, expected)


@given(st.binary(max_size=200), st.integers(200, 599))
def test_no_answer_is_too_odd(body: bytes, status: int) -> None:
    """A grant, or an error of ours."""
    try:
        outcome(lambda _: httpx.Response(status, content=body))
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
def test_a_line_that_breaks_names_the_login_service(
    failure: type[httpx.TransportError], error: type[TransportError]
) -> None:
    """And no refresh token: whoever reads it looks at the right host."""

    def broken(request: httpx.Request) -> httpx.Response:
        raise failure("broke", request=request)

    with pytest.raises(error, match=r"127\.0\.0\.1/oauth/token") as caught:
        outcome(broken)
    assert type(caught.value) is error
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_a_login_service_in_trouble_says_nothing_about_the_token(status: int) -> None:
    """It is a matter of trying again."""
    with pytest.raises(TransportError, match=str(status)):
        outcome(lambda _: httpx.Response(status, json={"error": "access_denied"}))


@pytest.mark.parametrize("status", [204, 301, 404, 405])
def test_whoever_is_no_login_service_does_not_refuse_a_token(status: int) -> None:
    """A wrong address, or a gate in between, must not make a good refresh token count as dead."""
    with pytest.raises(TransportError, match=str(status)):
        outcome(lambda _: httpx.Response(status))


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_says_how_to_get_another_token(status: int) -> None:
    """With the status, and nothing that was sent."""
    with pytest.raises(AuthError, match=str(status)) as caught:
        outcome(lambda request: httpx.Response(status, content=request.content))
    assert "rsspot login" in str(caught.value.hint)
    assert CANARY not in str(caught.value)


async def test_an_answer_without_end_is_not_the_callers_write() -> None:
    """A login page of a hundred megabytes changes nothing that would have to be settled."""
    endless = httpx.MockTransport(lambda _: httpx.Response(200, content=b"x" * 2000))
    session = SpotTransport(URL, None, ManualClock(), endless, options=TransportOptions(most_bytes=1000))
    with pytest.raises(TransportError) as caught:
        await refreshed(ISSUER, CANARY, session.transport.handle_async_request)
    assert not isinstance(caught.value, OutcomeUnknown)
    await session.aclose()


@pytest.mark.parametrize("bearer", [None, "", 5, ["x"], {}])
def test_nothing_but_an_id_token_is_a_bearer(bearer: object) -> None:
    """The access token beside it is good for other services."""
    with pytest.raises(AuthError, match="id_token"):
        granted({"id_token": bearer, "access_token": "canary-access"})


@pytest.mark.parametrize(("named", "kept"), [("newer", "newer"), ("", None), (None, None), (5, None)])
def test_a_grant_names_the_refresh_token_to_use_from_now_on(named: object, kept: str | None) -> None:
    """Or none, when the old one stays good."""
    bearer = id_token(exp=1)
    assert granted({"id_token": bearer, "refresh_token": named}) == Grant(Token.parse(bearer), kept)
