"""Whole answers: bounded, and one that breaks off is no answer."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator

import pytest

from rsspot.errors import OutcomeUnknown, RsspotError, ServerError, TransportError
from rsspot.http.bodies import WholeBodies
from rsspot.http.retry import AS_IT_COMES, RetryPolicy
from rsspot.http.transport import Call, SpotTransport, TransportOptions
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx

URL = "http://127.0.0.1"
BODY = b'{"a": "' + b"x" * 5000 + b'"}'
WRITES = ["POST", "PUT", "PATCH", "DELETE"]


class Chunks(httpx.AsyncByteStream):
    """A body in pieces, which may break off. Knows whether it was closed and how far it was read."""

    def __init__(self, *chunks: bytes, breaks: bool = False) -> None:
        self.chunks, self.breaks = chunks, breaks
        self.read, self.closed = 0, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            self.read += 1
            yield chunk
        if self.breaks:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")

    async def aclose(self) -> None:
        self.closed = True


class Service:
    """Answers with these bodies in turn; the last one is repeated."""

    def __init__(self, *bodies: Chunks, encoding: str | None = None, status: int = 200) -> None:
        self.bodies, self.status, self.asked = list(bodies), status, 0
        self.headers = {"Content-Encoding": encoding, "X-Other": "kept"} if encoding else {"X-Other": "kept"}

    async def handle(self, _: httpx.Request) -> httpx.Response:
        body = self.bodies[min(self.asked, len(self.bodies) - 1)]
        self.asked += 1
        return httpx.Response(self.status, headers=self.headers, stream=body)

    def session(self, most: int = 10_000) -> SpotTransport:
        """A session with it."""
        transport = httpx.MockTransport(self.handle)
        return SpotTransport(URL, None, ManualClock(), transport, options=TransportOptions(most_bytes=most))


async def whole(service: Service, most: int = 10_000) -> httpx.Response:
    """Its answer, read whole."""
    transport = WholeBodies(httpx.MockTransport(service.handle), most, ManualClock())
    return await transport.handle_async_request(httpx.Request("GET", URL))


@pytest.mark.parametrize(("encoding", "packed"), [(None, BODY), ("gzip", gzip.compress(BODY, mtime=0))])
async def test_a_body_is_there_when_the_answer_is(encoding: str | None, packed: bytes) -> None:
    """Unpacked, with headers that are true of it, and with its connection given back."""
    body = Chunks(packed[:10], packed[10:])
    response = await whole(Service(body, encoding=encoding))
    assert response.content == BODY
    assert response.headers["Content-Length"] == str(len(BODY))
    assert "Content-Encoding" not in response.headers
    assert response.headers["X-Other"] == "kept"
    assert body.closed


@pytest.mark.parametrize("size", [0, 1, 999, 1000])
async def test_a_body_may_be_as_long_as_allowed(size: int) -> None:
    """To the byte."""
    assert len((await whole(Service(Chunks(b"x" * size)), most=1000)).content) == size


async def test_a_body_that_is_too_long_is_not_read_to_its_end() -> None:
    """What is too much is never held, and the connection is given back."""
    body = Chunks(*[b"x" * 600] * 50)
    with pytest.raises(ServerError, match="longer than 1000 bytes") as caught:
        await whole(Service(body), most=1000)
    assert "most_response_bytes" in str(caught.value.hint)
    assert body.read == 2
    assert body.closed


async def test_a_bound_is_counted_after_unpacking() -> None:
    """A small answer can be a large one."""
    packed = gzip.compress(b"x" * 1_000_000, mtime=0)
    assert len(packed) < 10_000
    body = Chunks(packed)
    with pytest.raises(ServerError, match="longer"):
        await Service(body, encoding="gzip").session().send(Call("GET", "/x"))
    assert body.closed


async def test_too_long_an_answer_is_not_asked_for_again() -> None:
    """It would be as long the next time."""
    service = Service(Chunks(b"x" * 2000))
    with pytest.raises(ServerError):
        await service.session(1000).send(Call("GET", "/x"))
    assert service.asked == 1


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("status", [200, 500])
async def test_too_long_an_answer_to_a_write_leaves_its_outcome_unknown(method: str, status: int) -> None:
    """It was executed, or not; nobody has read which."""
    service = Service(Chunks(b"x" * 2000), status=status)
    with pytest.raises(OutcomeUnknown, match="longer"):
        await service.session(1000).send(Call(method, "/x"))
    assert service.asked == 1


async def test_a_read_that_breaks_off_is_repeated() -> None:
    """Half a list is no list."""
    broken = Chunks(BODY[:100], breaks=True)
    service = Service(broken, Chunks(BODY))
    assert len((await service.session().send(Call("GET", "/x")))["a"]) == 5000
    assert service.asked == 2
    assert broken.closed


async def test_a_read_that_always_breaks_off_is_a_transport_error() -> None:
    """After as many attempts as for any other broken line."""
    service = Service(Chunks(BODY[:100], breaks=True))
    with pytest.raises(TransportError) as caught:
        await service.session().send(Call("GET", "/x"))
    assert not isinstance(caught.value, OutcomeUnknown)
    assert service.asked == 5


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("body", [Chunks(BODY[:100], breaks=True), Chunks(breaks=True)])
async def test_a_write_whose_answer_breaks_off_is_not_repeated(method: str, body: Chunks) -> None:
    """It has probably happened."""
    service = Service(body)
    with pytest.raises(OutcomeUnknown):
        await service.session().send(Call(method, "/x"))
    assert service.asked == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_an_answer_that_cannot_be_unpacked_is_a_broken_one(method: str, encoding: str) -> None:
    """A read is repeated, a write has an unknown outcome, and neither is an exception of the HTTP library."""
    service = Service(Chunks(b"\x99 this is not compressed"), encoding=encoding)
    with pytest.raises(RsspotError) as caught:
        await service.session().send(Call(method, "/x"))
    assert isinstance(caught.value, OutcomeUnknown) == (method == "POST")
    assert service.asked == (5 if method == "GET" else 1)


async def test_an_answer_line_by_line_has_no_bound() -> None:
    """A watch goes on for as long as the service likes."""
    service = Service(Chunks(*[b"x" * 600 + b"\n"] * 10))
    session = service.session(1000)
    lines = [line async for line in session.lines(Call("GET", "/x"), patience=5)]
    assert (len(lines), session.transport.requests) == (10, 1)


async def test_lines_that_nobody_wants_any_more_give_the_connection_back() -> None:
    """At once, and without reading on."""
    body = Chunks(*[b"x\n"] * 10)
    lines = Service(body).session().lines(Call("GET", "/x"), patience=5)
    assert await anext(lines) == "x"
    await lines.aclose()
    assert body.closed
    assert body.read < 10


@pytest.mark.parametrize("packed", [b"\x99 not compressed", zlib.compress(b"x\n" * 10)[:-1] + b"\xff\xff"])
async def test_lines_that_cannot_be_unpacked_are_a_broken_line(packed: bytes) -> None:
    """As any other answer."""
    body = Chunks(packed)
    with pytest.raises(TransportError):
        async for _ in Service(body, encoding="gzip").session().lines(Call("GET", "/x"), patience=5):
            pass
    assert body.closed


async def test_only_who_asks_for_it_gets_a_body_as_it_comes() -> None:
    """Everything else is read here."""
    body = Chunks(BODY)
    transport = WholeBodies(httpx.MockTransport(Service(body).handle), 10, ManualClock())
    request = httpx.Request("GET", URL, extensions={AS_IT_COMES: True})
    response = await transport.handle_async_request(request)
    assert body.read == 0
    await response.aclose()


@pytest.mark.parametrize("deadline", [120.0, 5.0])
async def test_lines_may_come_as_slowly_as_was_said(deadline: float) -> None:
    """The deadline is for the answer to begin; a quiet watch is not a broken one."""
    seen: list[dict[str, float]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(dict(request.extensions["timeout"]))
        return httpx.Response(200, text="x\n")

    options = TransportOptions(timeout=30.0, policy=RetryPolicy(deadline=deadline))
    session = SpotTransport(URL, None, ManualClock(), httpx.MockTransport(answer), options=options)
    async for _ in session.lines(Call("GET", "/x"), patience=330):
        pass
    (timeouts,) = seen
    assert timeouts["read"] == 330
    assert timeouts["connect"] == min(30.0, deadline)
