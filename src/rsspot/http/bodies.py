"""Reads response bodies in full, up to a size limit, so that a truncated body counts as a failed attempt."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from math import inf

from rsspot.auth.grants import UNTIL
from rsspot.errors import OutcomeUnknown, ServerError
from rsspot.http.retry import AS_IT_COMES, SAFE
from rsspot.utils.clock import Clock
from rsspot.wire import httpx

OF_THE_WIRE = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})
"""Headers that describe the encoding on the wire; they no longer apply once the body has been read and decoded."""

PLAIN = frozenset({"identity", ""})
ENCODINGS = PLAIN | {"gzip", "x-gzip", "deflate"}
"""What we ask for, one at a time."""


class WholeBodies(httpx.AsyncBaseTransport):
    """Reads each body in full; raises on one longer than `most_bytes`, counted after decompression."""

    def __init__(self, inner: httpx.AsyncBaseTransport, most_bytes: int, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock
        self._most = most_bytes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ENCODINGS:
            # Each further encoding multiplies what a few bytes decompress to by a thousand.
            await response.aclose()
            raise httpx.RemoteProtocolError("the response has an encoding that was not asked for", request=request)
        if AS_IT_COMES in request.extensions:
            return response
        if encoding in PLAIN and "Content-Length" in response.headers:
            return await self._as_it_is(request, response)
        body = await self._read(request, response, response.aiter_bytes())
        headers = [pair for pair in response.headers.raw if pair[0].lower() not in OF_THE_WIRE]
        return httpx.Response(response.status_code, headers=headers, content=body, request=request)

    async def _as_it_is(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        """The same response with its body read. It was sent as it is, so none of its headers has to be changed."""
        assert isinstance(response.stream, httpx.AsyncByteStream)
        body = await self._read(request, response, response.stream)
        response.stream = httpx.ByteStream(body)
        response.request = request
        response.read()
        return response

    async def _read(self, request: httpx.Request, response: httpx.Response, body: AsyncIterable[bytes]) -> bytes:
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)
        chunks: list[bytes] = []
        size = 0
        try:
            async for chunk in body:
                size += len(chunk)
                # A body that arrived as a single chunk cannot be too slow.
                if chunks and self._clock.monotonic() > request.extensions.get(UNTIL, inf):
                    raise httpx.ReadTimeout("the response body arrived too slowly", request=request)
                if size > self._most:
                    raise self._too_long(request, response)
                chunks.append(chunk)
        except httpx.DecodingError as failure:
            raise httpx.RemoteProtocolError(f"cannot decompress the response: {failure}", request=request) from None
        finally:
            await stream.aclose()
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _too_long(self, request: httpx.Request, response: httpx.Response) -> Exception:
        message = f"{request.method} {request.url.path}: the response is longer than {self._most} bytes"
        if request.method in SAFE:
            hint = "raise most_response_bytes, or request less"
            return ServerError(message, status=response.status_code, hint=hint)
        return OutcomeUnknown(message)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def lines_of(chunks: AsyncIterator[bytes], path: str, most_bytes: int) -> AsyncIterator[bytes]:
    """The lines of a body that arrives in chunks. Raises ServerError for a line longer than `most_bytes`."""
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for line in ended:
            yield b"".join((*parts, line))
            parts, size = [], 0
        parts.append(rest)
        size += len(rest)
        if size > most_bytes:
            raise ServerError(f"GET {path}: the response has a line longer than {most_bytes} bytes", status=200)
    if size:
        yield b"".join(parts)
