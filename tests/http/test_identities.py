"""Responses and connections belong to one identity, process and event loop."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rsspot.auth.bearer import Bearer
from rsspot.auth.grants import Grant, Issuer, Send
from rsspot.auth.token import Token
from rsspot.concurrency import drive
from rsspot.errors import AuthError, OutcomeUnknown, RequestTimeout, ServerError, TransportError
from rsspot.http import pool
from rsspot.http.cache import CachePolicy, ResponseCache
from rsspot.http.call import Call
from rsspot.http.envelopes import page_of
from rsspot.http.hooks import Hooks
from rsspot.http.paging import token_of
from rsspot.http.pool import Connections
from rsspot.http.rate_limit import RateLimiter
from rsspot.http.retry import RetryPolicy
from rsspot.http.transport import SpotTransport, TransportOptions
from rsspot.simulator.clock import ManualClock
from rsspot.state.database import Database
from rsspot.state.http_cache import SqliteCache
from rsspot.utils.clock import SystemClock
from rsspot.wire import httpx
from support.issuer import id_token
from support.open_files import open_files, settled

URL = "http://127.0.0.1"
CANARY = "canary-token"
ORGANIZATIONS = Call("GET", "/apis/auth.ngpc.rxt.io/v1/organizations", fresh=False, private=False)


class Echo(BaseHTTPRequestHandler):
    """Answers with the requested path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({"path": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


class Counting(ThreadingHTTPServer):
    """Counts accepted connections."""

    daemon_threads = True
    accepted = 0

    def process_request(self, request, client_address) -> None:  # type: ignore[no-untyped-def]
        self.accepted += 1
        super().process_request(request, client_address)


@pytest.fixture
def server() -> Iterator[Counting]:
    """A server on loopback."""
    served = Counting(("127.0.0.1", 0), Echo)
    threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield served
    served.shutdown()
    served.server_close()


def session_of(server: Counting) -> SpotTransport:
    """A transport without a bearer token."""
    return SpotTransport(f"http://127.0.0.1:{server.server_address[1]}", None, SystemClock())


def bearer(log_in: object = None, folder: Path | None = None, **rest: object) -> Bearer:
    """A bearer for a service that refuses every refresh token."""
    issuer = Issuer(URL, "tests")
    return Bearer(base_url=URL, issuer=issuer, clock=ManualClock(), cache_folder=folder, log_in=log_in, **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize("token", [f"{CANARY}\n{CANARY}", f"{CANARY} x", f"{CANARY}\x00", f"{CANARY}é"])
def test_a_token_that_cannot_be_a_header_is_refused_without_being_quoted(token: str) -> None:
    """Otherwise the HTTP library's error would quote it."""
    with pytest.raises(AuthError) as caught:
        bearer(token=token)
    assert CANARY not in f"{caught.value!r}{caught.value.hint}"


def test_a_trailing_line_break_is_stripped_from_a_token() -> None:
    """YAML's `|` and `open().read()` both leave one."""
    signed = bearer(token=f"{CANARY}\n")
    assert signed.token is not None and signed.token.bearer == CANARY


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_request_that_httpx_refuses_to_send_is_not_quoted(method: str) -> None:
    """httpx's message quotes the header; and an unsent request changed nothing."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.LocalProtocolError(f"Illegal header value b'Bearer {CANARY}'", request=request)

    session = SpotTransport(URL, None, ManualClock(), httpx.MockTransport(refuse))
    with pytest.raises(TransportError) as caught:
        await session.send(Call(method, "/x"))
    assert type(caught.value) is TransportError
    assert CANARY not in str(caught.value)


async def test_an_interactive_login_has_its_own_identity_in_later_commands_too(tmp_path: Path) -> None:
    """The person who logged in may not be the one whose token is configured."""
    bobs = id_token(exp=ManualClock().time() + 3600)

    async def as_bob(issuer: Issuer, send: Send) -> Grant:
        return Grant(Token.parse(bobs), "bobs-refresh-token")

    async def refused(request: httpx.Request) -> httpx.Response:
        return httpx.Response(403, json={"error": "invalid_grant"})

    signed = bearer(as_bob, tmp_path, refresh_token="of-alice")
    before = signed.identity
    assert (await signed.current(refused)).bearer == bobs
    assert signed.refresh_token == "bobs-refresh-token"
    assert signed.identity != before
    later = bearer(None, tmp_path, refresh_token="of-alice")
    assert (await later.current(refused)).bearer == bobs
    assert (later.identity, later.refresh_token) == (signed.identity, "bobs-refresh-token")
    assert bearer(None, tmp_path, refresh_token="of-carol").identity != signed.identity


async def test_cached_responses_belong_to_the_logged_in_identity(tmp_path: Path) -> None:
    """Two users in turn share one state.db."""
    who = "alice"

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"of": who})

    clock, database = ManualClock(), Database(tmp_path / "state.db")
    back = SqliteCache(database, most_entries=10, most_bytes=1000)
    cache = ResponseCache(URL, lambda: who, CachePolicy(), clock, back)
    session = SpotTransport(URL, None, clock, httpx.MockTransport(answer), cache=cache)
    assert await session.send(ORGANIZATIONS) == {"of": "alice"}
    who = "bob"
    assert await session.send(ORGANIZATIONS) == {"of": "bob"}
    who = "alice"
    assert await session.send(ORGANIZATIONS) == {"of": "alice"}


def test_a_cloudspace_named_regions_is_not_cached_like_regions() -> None:
    """It would be cached for an hour."""
    policy = CachePolicy()
    assert policy.ttl("/apis/ngpc.rxt.io/v1/namespaces/org-a/cloudspaces/regions") == 0
    assert policy.ttl("/apis/ngpc.rxt.io/v1/regions/us-east-iad-1") == 3600


async def test_a_cached_first_page_with_an_expired_token_is_dropped() -> None:
    """Otherwise the list would fail until the page expires."""
    tokens = iter(["T1", "T2"])
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        token = request.url.params.get("continue", "")
        asked.append(token)
        if token == "T1":
            return httpx.Response(410, json={"reason": "Expired"})
        return httpx.Response(200, json={"items": [], "metadata": {} if token else {"continue": next(tokens)}})

    clock = ManualClock()
    cache = ResponseCache(URL, lambda: "a", CachePolicy(), clock)
    session = SpotTransport(URL, None, clock, httpx.MockTransport(answer), cache=cache)
    call = Call("GET", "/apis/ngpc.rxt.io/v1/regions", fresh=False, private=False)
    assert len(await session.pages(call, page_of, token_of)) == 2
    assert asked == ["", "T1", "", "T2"]


def test_a_forked_child_opens_its_own_connections(server: Counting) -> None:
    """On shared sockets one process would receive the other's responses."""
    session = session_of(server)
    assert drive(session.send(Call("GET", "/parent"))) == {"path": "/parent"}
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answers = [drive(session.send(Call("GET", f"/child-{number}"))) for number in range(3)]
            os.write(writing, json.dumps([answer["path"] for answer in answers]).encode())
        finally:
            os._exit(0)
    assert [drive(session.send(Call("GET", f"/p{number}")))["path"] for number in range(3)] == ["/p0", "/p1", "/p2"]
    os.waitpid(child, 0)
    assert json.loads(os.read(reading, 1000)) == ["/child-0", "/child-1", "/child-2"]
    os.close(reading)
    os.close(writing)
    assert server.accepted == 2
    drive(session.aclose())


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_connections_of_closed_loops_are_released(server: Counting) -> None:
    """A client shared by many short-lived loops would otherwise hold a socket for each."""
    session = session_of(server)
    before = len(open_files())
    for _ in range(20):
        asyncio.run(session.send(Call("GET", "/x")))
    connections = session.transport.inner._inner._inner._inner  # type: ignore[attr-defined]
    assert isinstance(connections, Connections)
    loops, more = len(connections._loops), settled(before + 9)
    connections._loops.clear()
    gc.collect()
    assert loops == 1
    assert more <= 0


def test_idle_connections_are_closed(server: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connections opened during a burst do not stay open forever."""
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.05)
    session = session_of(server)
    ready = threading.Barrier(6)

    def rush() -> None:
        ready.wait()
        for _ in range(3):
            drive(session.send(Call("GET", "/x")))

    threads = [threading.Thread(target=rush) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    threading.Event().wait(0.1)
    for _ in range(2):
        drive(session.send(Call("GET", "/x")))
    connections = session.transport.inner._inner._inner._inner  # type: ignore[attr-defined]
    (stack,) = connections._threads.values()
    assert len(stack._idle._stack) == 1
    drive(session.aclose())


class Slow(httpx.AsyncByteStream):
    """A body that sends one byte per second."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    async def __aiter__(self):  # type: ignore[no-untyped-def]
        for _ in range(1000):
            self._clock.advance(1.0)
            yield b" "


async def test_a_slow_body_is_cut_off_at_the_deadline() -> None:
    """Although no single read times out."""
    clock = ManualClock()
    slow = httpx.MockTransport(lambda _: httpx.Response(200, stream=Slow(clock)))
    session = SpotTransport(
        URL, None, clock, slow, options=TransportOptions(policy=RetryPolicy(attempts=1, deadline=10.0))
    )
    began = clock.time()
    with pytest.raises(RequestTimeout):
        await session.send(Call("GET", "/x"))
    assert clock.time() - began <= 12


def test_a_released_slot_can_be_used_by_the_next_request() -> None:
    """Otherwise impatient callers would delay all others."""
    limiter = RateLimiter(most=1.0)
    assert limiter.reserve(0.0) == 0.0
    assert limiter.reserve(0.0) == 1.0
    limiter.give_back()
    assert limiter.reserve(0.0) == 1.0


@pytest.mark.parametrize("status", [500, 503])
async def test_a_failure_does_not_raise_the_rate(status: int) -> None:
    """Only a success does."""
    session = SpotTransport(URL, None, ManualClock(), httpx.MockTransport(lambda _: httpx.Response(status)))
    limiter = session.transport.inner._inner.limiter  # type: ignore[attr-defined]
    limiter.rate = 10.0
    with pytest.raises(ServerError):
        await session.send(Call("GET", "/x"))
    assert limiter.rate == 10.0


async def test_a_too_deeply_nested_body_cannot_be_read() -> None:
    """After a write, nobody knows what answered."""
    deep = httpx.MockTransport(lambda _: httpx.Response(200, content=b"[" * 200_000))
    session = SpotTransport(URL, None, ManualClock(), deep, hooks=Hooks())
    with pytest.raises(ServerError):
        await session.send(Call("GET", "/x"))
    with pytest.raises(OutcomeUnknown):
        await session.send(Call("DELETE", "/x"))
