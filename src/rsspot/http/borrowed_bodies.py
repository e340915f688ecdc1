"""Response bodies of the connection pool, which give their connection back when they are closed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from rsspot.wire import httpx


class BlockingBody(httpx.AsyncByteStream):
    """Adapts a blocking body to the async interface, for threads without a loop."""

    def __init__(self, body: httpx.SyncByteStream) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._body:
            yield chunk

    async def aclose(self) -> None:
        self._body.close()


class BorrowedBody(httpx.AsyncByteStream):
    """A response body that returns its connection to the pool once, when closed."""

    def __init__(self, body: httpx.AsyncByteStream, give_back: Callable[[], Awaitable[None]]) -> None:
        self._body = body
        self._give_back: Callable[[], Awaitable[None]] | None = give_back

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body.__aiter__()

    async def aclose(self) -> None:
        try:
            await self._body.aclose()
        finally:
            if self._give_back is not None:
                give_back, self._give_back = self._give_back, None
                await give_back()
