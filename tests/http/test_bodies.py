"""Response bodies are read in full, up to a size limit; a truncated body counts as a failed attempt."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator

import pytest

from rsspot.errors import OutcomeUnknown, RsspotError, ServerError, TransportError
from rsspot.http.bodies import WholeBodies
from rsspot.http.call import Call
from rsspot.http.retry import AS_IT_COMES, RetryPolicy
from rsspot.http.transport import SpotTransport, TransportOptions
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx

URL = "http://127.0.0.1"
BODY = b'{"a": "' + b"x" * 5000 + b'"}'
WRITES = ["POST", "PUT", "PATCH", "DELETE"]


class Chunks(httpx.AsyncByteStream):
    """A body in chunks that may break off. Records whether it was closed and how many chunks were read."""

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
    """Answers with these bodies in turn, then repeats the last one."""

    def __init__(self, *bodies: Chunks, encoding: str | None = None, status: int = 200) -> None:
        self.bodies, self.status, self.asked = list(bodies), status, 0
        self.headers = {"Content-Encoding": encoding, "X-Other": "kept"} if encoding else {"X-Other": "kept"}

    async def handle(self, _: httpx.Request) -> httpx.Response:
        body = self.bodies[min(self.asked, len(self.bodies) - 1)]
        self.asked += 1
        return httpx.Response(self.status, headers=self.headers, stream=body)

    def session(self, most: int = 10_000) -> SpotTransport:
        """A transport to it."""
        transport = httpx.MockTransport(self.handle)
        return SpotTransport(URL, None, ManualClock(), transport, options=TransportOptions(most_bytes=most))


async def whole(service: Service, most: int = 10_000) -> httpx.Response:
    """Its response, with the body read."""
    transport = WholeBodies(httpx.MockTransport(service.handle), most, ManualClock())
    return await transport.handle_async_request(httpx.Request("GET", URL))


@pytest.mark.parametrize(("encoding", "packed"), [(None, BODY), ("gzip", gzip.compress(BODY, mtime=0))])
async def test_a_response_arrives_with_its_body_read(encoding: str | None, packed: bytes) -> None:
    """The body is decompressed, its headers match, and the connection is released."""
    body = Chunks(packed[:10], packed[10:])
    response = await whole(Service(body, encoding=encoding))
    assert response.content == BODY
    assert response.headers["Content-Length"] == str(len(BODY))
    assert "Content-Encoding" not in response.headers
    assert response.headers["X-Other"] == "kept"
    assert body.closed


@pytest.mark.parametrize("size", [0, 1, 999, 1000])
async def test_a_body_of_exactly_the_maximum_size_is_accepted(size: int) -> None:
    """The limit is exact to the byte."""
    assert len((await whole(Service(Chunks(b"x" * size)), most=1000)).content) == size


async def test_reading_stops_at_the_maximum_size() -> None:
    """The excess is never held in memory, and the connection is released."""
    body = Chunks(*[b"x" * 600] * 50)
    with pytest.raises(ServerError, match="longer than 1000 bytes") as caught:
        await whole(Service(body), most=1000)
    assert "most_response_bytes" in str(caught.value.hint)
    assert body.read == 2
    assert body.closed


async def test_the_size_limit_applies_after_decompression() -> None:
    """A small compressed body can be a large one."""
    packed = gzip.compress(b"x" * 1_000_000, mtime=0)
    assert len(packed) < 10_000
    body = Chunks(packed)
    with pytest.raises(ServerError, match="longer"):
        await Service(body, encoding="gzip").session().send(Call("GET", "/x"))
    assert body.closed


async def test_a_read_with_an_oversized_response_is_not_retried() -> None:
    """The next response would be as long."""
    service = Service(Chunks(b"x" * 2000))
    with pytest.raises(ServerError):
        await service.session(1000).send(Call("GET", "/x"))
    assert service.asked == 1


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("status", [200, 500])
async def test_a_write_with_an_oversized_response_has_an_unknown_outcome(method: str, status: int) -> None:
    """The response that says whether it was executed was not read."""
    service = Service(Chunks(b"x" * 2000), status=status)
    with pytest.raises(OutcomeUnknown, match="longer"):
        await service.session(1000).send(Call(method, "/x"))
    assert service.asked == 1


async def test_a_read_with_a_truncated_body_is_retried() -> None:
    """A partial list must not be returned."""
    broken = Chunks(BODY[:100], breaks=True)
    service = Service(broken, Chunks(BODY))
    assert len((await service.session().send(Call("GET", "/x")))["a"]) == 5000
    assert service.asked == 2
    assert broken.closed


async def test_a_read_that_is_always_truncated_raises_transport_error() -> None:
    """It is retried as often as after any other connection failure."""
    service = Service(Chunks(BODY[:100], breaks=True))
    with pytest.raises(TransportError) as caught:
        await service.session().send(Call("GET", "/x"))
    assert not isinstance(caught.value, OutcomeUnknown)
    assert service.asked == 5


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("body", [Chunks(BODY[:100], breaks=True), Chunks(breaks=True)])
async def test_a_write_with_a_truncated_body_is_not_retried(method: str, body: Chunks) -> None:
    """It was probably executed."""
    service = Service(body)
    with pytest.raises(OutcomeUnknown):
        await service.session().send(Call(method, "/x"))
    assert service.asked == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_an_undecodable_body_counts_as_a_broken_response(method: str, encoding: str) -> None:
    """A read is retried and a write has an unknown outcome; no httpx exception escapes."""
    service = Service(Chunks(b"\x99 this is not compressed"), encoding=encoding)
    with pytest.raises(RsspotError) as caught:
        await service.session().send(Call(method, "/x"))
    assert isinstance(caught.value, OutcomeUnknown) == (method == "POST")
    assert service.asked == (5 if method == "GET" else 1)


async def test_a_streamed_response_has_no_size_limit() -> None:
    """A watch may last as long as the service likes."""
    service = Service(Chunks(*[b"x" * 600 + b"\n"] * 10))
    session = service.session(1000)
    lines = [line async for line in session.lines(Call("GET", "/x"), patience=5)]
    assert (len(lines), session.transport.requests) == (10, 1)


async def test_a_line_of_a_stream_has_a_size_limit() -> None:
    """Otherwise a stream without line ends would fill the memory."""
    body = Chunks(b"a\nb", *[b"x" * 600] * 100)
    lines: list[bytes] = []
    with pytest.raises(ServerError, match="a line longer than 1000 bytes"):
        async for line in Service(body).session(1000).lines(Call("GET", "/x"), patience=5):
            lines.append(line)
    assert lines == [b"a"]
    assert body.read < 10
    assert body.closed


@pytest.mark.parametrize("chunks", [[b"one\ntwo\n", b"three"], [b"on", b"e\ntw", b"o\n", b"three", b"\n"]])
async def test_lines_may_be_cut_anywhere(chunks: list[bytes]) -> None:
    """The last one needs no line end."""
    session = Service(Chunks(*chunks)).session()
    assert [line async for line in session.lines(Call("GET", "/x"), patience=5)] == [b"one", b"two", b"three"]


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,deflate", "br", "zstd", "identity, gzip", "x"])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_an_encoding_that_was_not_asked_for_is_not_decoded(encoding: str, method: str) -> None:
    """Two layers of gzip turn 275 bytes into more than a gigabyte."""
    bomb = gzip.compress(gzip.compress(bytes(50_000_000)))
    service = Service(Chunks(bomb), encoding=encoding)
    with pytest.raises(OutcomeUnknown if method == "PATCH" else TransportError, match="encoding"):
        await service.session().content(Call(method, "/x"))
    assert all(body.closed for body in service.bodies)


async def test_closing_a_stream_early_releases_the_connection() -> None:
    """It is released at once, without reading the rest."""
    body = Chunks(*[b"x\n"] * 10)
    lines = Service(body).session().lines(Call("GET", "/x"), patience=5)
    assert await anext(lines) == b"x"
    await lines.aclose()
    assert body.closed
    assert body.read < 10


@pytest.mark.parametrize("packed", [b"\x99 not compressed", zlib.compress(b"x\n" * 10)[:-1] + b"\xff\xff"])
async def test_an_undecodable_stream_raises_transport_error(packed: bytes) -> None:
    """As an undecodable body does."""
    body = Chunks(packed)
    with pytest.raises(TransportError):
        async for _ in Service(body, encoding="gzip").session().lines(Call("GET", "/x"), patience=5):
            pass
    assert body.closed


async def test_only_a_streaming_request_gets_an_unread_body() -> None:
    """Every other body is read by the transport."""
    body = Chunks(BODY)
    transport = WholeBodies(httpx.MockTransport(Service(body).handle), 10, ManualClock())
    request = httpx.Request("GET", URL, extensions={AS_IT_COMES: True})
    response = await transport.handle_async_request(request)
    assert body.read == 0
    await response.aclose()


@pytest.mark.parametrize("deadline", [120.0, 5.0])
async def test_a_stream_has_the_read_timeout_of_its_caller(deadline: float) -> None:
    """The deadline applies until the response begins: a quiet watch is not a failure."""
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
