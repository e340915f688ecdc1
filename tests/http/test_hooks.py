"""What users see of requests and add to them: everything they need, and nothing secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

import pytest

from rsspot.auth.bearer import Bearer
from rsspot.auth.grants import Issuer
from rsspot.errors import OutcomeUnknown, RsspotError, ServerError
from rsspot.http.hooks import Exchange, Hooks
from rsspot.http.transport import Call, SpotTransport, TransportOptions
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx

URL = "http://127.0.0.1"
GET = Call("GET", "/x")


class Service:
    """Answers with these statuses, then 200, after a second each."""

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
        """A session with these hooks."""
        issuer = Issuer(URL, "tests")
        bearer = Bearer(base_url=URL, issuer=issuer, clock=self.clock, refresh_token="canary-refresh")
        transport = httpx.MockTransport(self.handle)
        options = TransportOptions(most_bytes=1000)
        return SpotTransport(URL, bearer if signed else None, self.clock, transport, options=options, hooks=hooks)


# Before


async def test_a_hook_before_is_given_the_request_and_adds_headers() -> None:
    """A trace id, most of all; the later hook wins."""
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
async def test_no_hook_sets_a_credential(name: str, signed: bool) -> None:
    """That is the bearer's, and where there is none there is none."""
    service = Service()
    await service.session(Hooks(before=[lambda *_: {name: "Bearer mine"}]), signed=signed).send(GET)
    assert service.seen[-1].headers.get("Authorization") == ("Bearer canary-token" if signed else None)


async def test_no_hook_reaches_the_login_service() -> None:
    """What is meant for the API is not told to others."""
    service = Service()
    await service.session(Hooks(before=[lambda *_: {"X-Mine": "1"}]), signed=True).send(GET)
    login, call = service.seen
    assert "X-Mine" not in login.headers
    assert call.headers["X-Mine"] == "1"


async def test_a_hook_may_change_a_header_of_ours() -> None:
    """There is one of it then, however it is spelled."""
    service = Service()
    await service.session(Hooks(before=[lambda *_: {"user-agent": "mine"}])).send(GET)
    assert service.seen[0].headers.get_list("User-Agent") == ["mine"]


async def test_a_hook_before_that_fails_is_the_callers_to_know() -> None:
    """Nothing was sent without what it would have added."""
    service = Service()

    def fail(*_: object) -> None:
        raise KeyError("trace")

    with pytest.raises(KeyError):
        await service.session(Hooks(before=[fail])).send(GET)
    assert service.seen == []


# After


async def test_a_hook_after_is_told_of_every_attempt() -> None:
    """Failed ones too, with what they were and how long they took."""
    service, told = Service(503, httpx.ReadError), []
    await service.session(Hooks(after=[told.append])).send(GET)
    assert [(each.attempt, each.status, each.failure, each.seconds) for each in told] == [
        (1, 503, None, 1.0),
        (2, None, "ReadError", 1.0),
        (3, 200, None, 1.0),
    ]
    assert {(each.method, each.path) for each in told} == {("GET", "/x")}
    assert told[0].request_id == "a1"


async def test_a_hook_after_is_told_of_the_last_failure() -> None:
    """Before the caller is."""
    service, told = Service(httpx.ReadError), []
    with pytest.raises(OutcomeUnknown):
        await service.session(Hooks(after=[told.append])).send(Call("POST", "/x"))
    assert [each.failure for each in told] == ["ReadError"]


@pytest.mark.parametrize(("method", "failure"), [("GET", ServerError), ("POST", OutcomeUnknown)])
async def test_a_hook_after_is_told_of_an_answer_that_was_too_long(method: str, failure: type[RsspotError]) -> None:
    """That was an attempt too."""
    service, told = Service(size=2000), []
    with pytest.raises(failure):
        await service.session(Hooks(after=[told.append])).send(Call(method, "/x"))
    assert [each.failure for each in told] == [failure.__name__]


async def test_a_hook_after_is_told_of_logins() -> None:
    """They are requests, and cost time."""
    service, told = Service(), []
    await service.session(Hooks(after=[told.append]), signed=True).send(GET)
    assert [(each.method, each.path) for each in told] == [("POST", "/oauth/token"), ("GET", "/x")]


async def test_a_hook_after_that_fails_spoils_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the request nor the other hooks; the log says which."""
    service, told = Service(), []

    def fail(_: Exchange) -> None:
        raise ValueError("broken hook")

    with caplog.at_level(logging.ERROR, "rsspot.http"):
        assert await service.session(Hooks(after=[fail, told.append])).send(GET) == {}
    assert len(told) == 1
    assert "broken hook" in caplog.text


async def test_an_exchange_shows_nothing_secret() -> None:
    """No query, no header, no body, and not what a failure says."""
    service, told = Service(503, httpx.ReadError), []
    call = Call("GET", "/x", {"token": "canary-query"}, {"password": "canary-body"})
    await service.session(Hooks(before=[lambda *_: {"X": "canary-h"}], after=[told.append]), signed=True).send(call)
    assert len(told) == 4
    for each in told:
        assert "canary" not in repr(each) + str(each)


def test_an_exchange_reads_like_a_line_of_a_log() -> None:
    """What, what came, how long; the rest where there is something to say."""
    assert str(Exchange("GET", "/x", 1, 200, 0.0124)) == "GET /x -> 200 (12 ms)"
    again = Exchange("GET", "/x", 2, None, 1.5, failure="ReadError")
    assert str(again) == "GET /x -> ReadError (1500 ms, attempt 2)"
    assert str(Exchange("POST", "/x", 1, 500, 0, "a1")) == "POST /x -> 500 (0 ms, id a1)"


def test_a_proxys_password_is_not_shown() -> None:
    """TransportOptions are printed in many a debugger."""
    assert "canary" not in repr(TransportOptions(proxy="http://user:canary@127.0.0.1:1"))
