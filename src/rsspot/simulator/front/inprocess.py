"""The simulator as an httpx transport, without socket or server. The only simulator module that uses httpx."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from rsspot.simulator.api import Api
from rsspot.simulator.apiserver.messages import Request, Response
from rsspot.simulator.clock import SimulatorClock
from rsspot.simulator.front.dispatch import Carried, carry
from rsspot.wire import httpx

LOOK_AGAIN = 1.0
"""Seconds of the world's time between two polls of a watch."""


class InProcessTransport(httpx.AsyncBaseTransport):
    """Sends requests to an Api in the same process. `carried` lists them as (method, path)."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.carried: list[tuple[str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        received = Request.of(
            request.method, request.url.raw_path.decode("ascii"), dict(request.headers.items()), await request.aread()
        )
        self.carried.append((received.method, received.path))
        carried = carry(self._api, received)
        if carried.delay:
            await self._wait(carried.delay, request)
        if carried.response is None:
            raise httpx.ReadError("connection reset by a scripted fault", request=request)
        return self._answered(carried, carried.response)

    async def _wait(self, seconds: float, request: httpx.Request) -> None:
        """Delay the response by the world's clock. Raises ReadTimeout if the delay exceeds the read timeout."""
        timeout = request.extensions.get("timeout", {}).get("read")
        if timeout is not None and seconds > timeout:
            await self._api.world.clock.sleep(timeout)
            raise httpx.ReadTimeout(f"no response within {timeout} s", request=request)
        await self._api.world.clock.sleep(seconds)

    def _answered(self, carried: Carried, answer: Response) -> httpx.Response:
        fields = {"Content-Type": answer.content_type, **answer.headers}
        headers = [(name.encode(), value.encode()) for name, value in fields.items()]
        if carried.cut is not None:
            return httpx.Response(answer.status, headers=headers, stream=_Cut(answer.body[: carried.cut]))
        if answer.stream is None:
            return httpx.Response(answer.status, headers=headers, content=answer.body)
        return httpx.Response(answer.status, headers=headers, stream=_Stream(answer.stream, self._api.world.clock))


class _Cut(httpx.AsyncByteStream):
    """A body whose connection is lost before its end."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


class _Stream(httpx.AsyncByteStream):
    """A body that streams. While there is nothing new, the reader waits by the world's clock."""

    def __init__(self, chunks: Iterator[bytes], clock: SimulatorClock) -> None:
        self._chunks = chunks
        self._clock = clock

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            if chunk:
                yield chunk
            else:
                await self._clock.sleep(LOOK_AGAIN)

    async def aclose(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
