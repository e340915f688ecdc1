"""The simulator as an httpx transport: no socket, no server. The one place of the simulator that speaks httpx."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from rsspot.simulator.api import Api
from rsspot.simulator.clock import Clock
from rsspot.simulator.faults import Faults
from rsspot.simulator.machinery.messages import Request, Response
from rsspot.wire import httpx

LOOK_AGAIN = 1.0
"""Seconds of the world's time between two looks of a watch."""


class InProcessTransport(httpx.AsyncBaseTransport):
    """Carries requests to an Api in the same process. `carried` lists them as (method, path)."""

    def __init__(self, api: Api, faults: Faults | None = None) -> None:
        self._api = api
        self._faults = faults or Faults()
        self.carried: list[tuple[str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = Request.of(
            request.method, request.url.raw_path.decode("ascii"), dict(request.headers.items()), await request.aread()
        )
        self.carried.append((asked.method, asked.path))
        fault = self._faults.hit(asked)
        if fault is None:
            return self._carried(self._api.handle(asked))
        if fault.what == "status":
            return self._carried(fault.answer())
        if fault.what == "reset-after":
            self._api.handle(asked)
        raise httpx.ReadError("connection reset by a scripted fault", request=request)

    def _carried(self, answer: Response) -> httpx.Response:
        headers = {"Content-Type": answer.content_type, **answer.headers}
        if answer.stream is None:
            return httpx.Response(answer.status, headers=headers, content=answer.body)
        return httpx.Response(answer.status, headers=headers, stream=_Stream(answer.stream, self._api.world.clock))


class _Stream(httpx.AsyncByteStream):
    """A body that goes on. When there is nothing new, the listener waits by the world's own clock."""

    def __init__(self, chunks: Iterator[bytes], clock: Clock) -> None:
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
