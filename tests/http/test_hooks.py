"""Hooks see every attempt and may add headers, but see nothing secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

import pytest

from rsspot.auth.bearer import Bearer
from rsspot.auth.grants import Issuer
from rsspot.errors import OutcomeUnknown, RsspotError, ServerError
from rsspot.http.call import Call
from rsspot.http.hooks import Exchange, Hooks
from rsspot.http.transport import SpotTransport, TransportOptions
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx

URL = "http://127.0.0.1"
GET = Call("GET", "/x")


class Service:
    """Answers with these statuses, then 200, each after a second."""

    def __init__(self, *script: int | type[httpx.TransportError], size: int = 2) -> None:
        self.clock = ManualClock()
        self.script, self.size = list(script), size
        self.seen: list[httpx.Request] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        self.clock.advance(1)
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"id_token": "canary-token"})
        step = self.script.pop(0) if self.script else 200
        if not isinstance(step, int):
            raise step("canary", request=request)
        return httpx.Response(step, headers={"Audit-Id": "a1"}, content=b"{}".ljust(self.size))

    def session(self, hooks: Hooks, *, signed: bool = False) -> SpotTransport:
        """A transport with these hooks."""
        issuer = Issuer(URL, "tests")
        bearer = Bearer(base_url=URL, issuer=issuer, clock=self.clock, refresh_token="canary-refresh")
        transport = httpx.MockTransport(self.handle)
        options = TransportOptions(most_bytes=1000)
        return SpotTransport(URL, bearer if signed else None, self.clock, transport, options=options, hooks=hooks)


# Before hooks


async def test_a_before_hook_gets_method_and_path_and_adds_headers() -> None:
    """Such as a trace id; the later hook wins."""
    asked = []

    def first(method: str, path: str) -> Mapping[str, str]:
        asked.append((method, path))
        return {"X-Trace": "t1", "X-Other": "first"}

    service = Service()
    hooks = Hooks(before=[first, lambda method, path: None, lambda method, path: {"X-Other": "second"}])
    await service.session(hooks).send(Call("POST", "/x", {"canary": "1"}, {"a": 1}))
    assert asked == [("POST", "/x")]
    (request,) = service.seen
    assert (request.headers["X-Trace"], request.headers["X-Other"]) == ("t1", "second")
    assert json.loads(request.content) == {"a": 1}


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
@pytest.mark.parametrize("signed", [True, False])
async def test_a_hook_cannot_set_authorization(name: str, signed: bool) -> None:
    """Neither with a bearer token nor without one."""
    service = Service()
    await service.session(Hooks(before=[lambda *_: {name: "Bearer mine"}]), signed=signed).send(GET)
    assert service.seen[-1].headers.get("Authorization") == ("Bearer canary-token" if signed else None)


async def test_hook_headers_are_not_sent_to_the_login_service() -> None:
    """They are meant for the API only."""
    service = Service()
    await service.session(Hooks(before=[lambda *_: {"X-Mine": "1"}]), signed=True).send(GET)
    login, call = service.seen
    assert "X-Mine" not in login.headers
    assert call.headers["X-Mine"] == "1"


async def test_a_hook_may_replace_a_default_header() -> None:
    """The header is sent once, whatever its case."""
    service = Service()
    await service.session(Hooks(before=[lambda *_: {"user-agent": "mine"}])).send(GET)
    assert service.seen[0].headers.get_list("User-Agent") == ["mine"]


async def test_a_before_hook_that_raises_fails_the_request() -> None:
    """Nothing is sent without the headers it would have added."""
    service = Service()

    def fail(*_: object) -> None:
        raise KeyError("trace")

    with pytest.raises(KeyError):
        await service.session(Hooks(before=[fail])).send(GET)
    assert service.seen == []


# After hooks


async def test_an_after_hook_is_called_for_every_attempt() -> None:
    """Also for failed ones, with failure and duration."""
    service, exchanges = Service(503, httpx.ReadError), []
    await service.session(Hooks(after=[exchanges.append])).send(GET)
    assert [(exchange.attempt, exchange.status, exchange.failure, exchange.seconds) for exchange in exchanges] == [
        (1, 503, None, 1.0),
        (2, None, "ReadError", 1.0),
        (3, 200, None, 1.0),
    ]
    assert {(exchange.method, exchange.path) for exchange in exchanges} == {("GET", "/x")}
    assert exchanges[0].request_id == "a1"


async def test_an_after_hook_is_called_for_the_last_failure() -> None:
    """Before the error reaches the caller."""
    service, exchanges = Service(httpx.ReadError), []
    with pytest.raises(OutcomeUnknown):
        await service.session(Hooks(after=[exchanges.append])).send(Call("POST", "/x"))
    assert [exchange.failure for exchange in exchanges] == ["ReadError"]


@pytest.mark.parametrize(("method", "failure"), [("GET", ServerError), ("POST", OutcomeUnknown)])
async def test_an_after_hook_is_called_for_an_oversized_response(method: str, failure: type[RsspotError]) -> None:
    """It was an attempt too."""
    service, exchanges = Service(size=2000), []
    with pytest.raises(failure):
        await service.session(Hooks(after=[exchanges.append])).send(Call(method, "/x"))
    assert [exchange.failure for exchange in exchanges] == [failure.__name__]


async def test_an_after_hook_is_called_for_token_requests() -> None:
    """They are requests and take time."""
    service, exchanges = Service(), []
    await service.session(Hooks(after=[exchanges.append]), signed=True).send(GET)
    assert [(exchange.method, exchange.path) for exchange in exchanges] == [("POST", "/oauth/token"), ("GET", "/x")]


async def test_an_after_hook_that_raises_is_logged_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    """The request and the other hooks continue."""
    service, exchanges = Service(), []

    def fail(_: Exchange) -> None:
        raise ValueError("broken hook")

    with caplog.at_level(logging.ERROR, "rsspot.http"):
        assert await service.session(Hooks(after=[fail, exchanges.append])).send(GET) == {}
    assert len(exchanges) == 1
    assert "broken hook" in caplog.text


async def test_an_exchange_holds_nothing_secret() -> None:
    """No query, header, body or failure message."""
    service, exchanges = Service(503, httpx.ReadError), []
    call = Call("GET", "/x", {"token": "canary-query"}, {"password": "canary-body"})
    await service.session(Hooks(before=[lambda *_: {"X": "canary-h"}], after=[exchanges.append]), signed=True).send(
        call
    )
    assert len(exchanges) == 4
    for exchange in exchanges:
        assert "canary" not in repr(exchange) + str(exchange)


def test_an_exchange_prints_as_a_log_line() -> None:
    """Method, path, outcome and duration; the rest only if present."""
    assert str(Exchange("GET", "/x", 1, 200, 0.0124)) == "GET /x -> 200 (12 ms)"
    again = Exchange("GET", "/x", 2, None, 1.5, failure="ReadError")
    assert str(again) == "GET /x -> ReadError (1500 ms, attempt 2)"
    assert str(Exchange("POST", "/x", 1, 500, 0, "a1")) == "POST /x -> 500 (0 ms, id a1)"


def test_the_proxy_password_is_not_in_the_repr() -> None:
    """TransportOptions may be printed by a debugger."""
    assert "canary" not in repr(TransportOptions(proxy="http://user:canary@127.0.0.1:1"))
