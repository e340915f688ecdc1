"""The connections: a stack of single ones, the warmest on top, and a bound on how many. Knows no retries and no auth.

httpx's own pool looks at every connection for every request, so a hundred requests at once cost ten thousand looks.
Here each connection is a pool of one, and taking one is a pop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from rsspot.wire import httpx, tls_for

MOST_CONNECTIONS = 16
IDLE_SECONDS = 30.0
"""How long a connection that nobody uses is kept open."""


class StackedConnections(httpx.AsyncBaseTransport):
    """HTTP/1.1 with keep-alive to one host. Further requests wait their turn, for the `pool` time-out at most."""

    def __init__(self, url: str, most: int = MOST_CONNECTIONS) -> None:
        self._verify = tls_for(url)
        self._limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=IDLE_SECONDS)
        self._turns = asyncio.Semaphore(most)
        self._idle: list[httpx.AsyncHTTPTransport] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._turn(request)
        connection = self._idle.pop() if self._idle else self._new()
        try:
            response = await connection.handle_async_request(request)
        except BaseException:
            # What broke off half-way is not used again.
            self._turns.release()
            await connection.aclose()
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Borrowed(response.stream, lambda: self._give_back(connection))
        return response

    async def _turn(self, request: httpx.Request) -> None:
        timeout = request.extensions.get("timeout", {}).get("pool")
        try:
            async with asyncio.timeout(timeout):
                await self._turns.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout(f"no connection was free within {timeout} s", request=request) from None

    def _new(self) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(verify=self._verify, limits=self._limits, trust_env=False)

    def _give_back(self, connection: httpx.AsyncHTTPTransport) -> None:
        self._idle.append(connection)
        self._turns.release()

    async def aclose(self) -> None:
        while self._idle:
            await self._idle.pop().aclose()


class _Borrowed(httpx.AsyncByteStream):
    """A response body that gives its connection back when it is closed, once."""

    def __init__(self, body: httpx.AsyncByteStream, give_back: Callable[[], None]) -> None:
        self._body = body
        self._give_back: Callable[[], None] | None = give_back

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._body:
            yield chunk

    async def aclose(self) -> None:
        try:
            await self._body.aclose()
        finally:
            if self._give_back is not None:
                give_back, self._give_back = self._give_back, None
                give_back()
