"""The connections: stacks of single ones, the warmest on top, and a bound on how many. Knows no retries and no auth.

httpx's own pool looks at every connection for every request, so a hundred requests at once cost ten thousand looks.
Here each connection is a pool of one, and taking one is a pop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Protocol
from weakref import WeakKeyDictionary

from rsspot.concurrency import running_loop
from rsspot.wire import httpx, tls_for

MOST_CONNECTIONS = 16
IDLE_SECONDS = 30.0
"""How long a connection that nobody uses is kept open."""


class Connections(httpx.AsyncBaseTransport):
    """HTTP/1.1 with keep-alive, for tasks of any loop and for threads without one.

    Connections never cross loops, and one for a plain address never serves a secure one: it checks no certificate.
    Further requests wait their turn, for the `pool` time-out at most.
    proxy: the URL of an HTTP proxy for https addresses; it sees host names and bytes, never a request.
    """

    def __init__(self, *, proxy: str | None = None, most: int = MOST_CONNECTIONS) -> None:
        self._proxy = proxy
        self._most = most
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Stack]] = WeakKeyDictionary()
        self._threads: dict[str, _Stack] = {}
        self._making = threading.Lock()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._stack(request.url.scheme).carry(request)

    async def aclose(self) -> None:
        """Close what this loop, or the threads without one, can close: no loop can close another's connections."""
        loop = running_loop()
        # A stack on which somebody had to wait holds its loop, so it is not left for the loop's end to be forgotten.
        stacks = self._threads if loop is None else self._loops.pop(loop, {})
        for stack in list(stacks.values()):
            await stack.aclose()

    def _stack(self, scheme: str) -> _Stack:
        here = self._here()
        stack = here.get(scheme)
        if stack is None:
            with self._making:
                stack = here.setdefault(scheme, self._made(scheme))
        return stack

    def _here(self) -> dict[str, _Stack]:
        """The stacks of this loop, or of all threads without one, by scheme."""
        loop = running_loop()
        if loop is None:
            return self._threads
        stacks = self._loops.get(loop)
        if stacks is None:
            with self._making:
                stacks = self._loops.setdefault(loop, {})
        return stacks

    def _made(self, scheme: str) -> _Stack:
        url, proxy = f"{scheme}:", self._proxy if scheme == "https" else None
        if running_loop() is None:
            return _ThreadStack(
                lambda: httpx.HTTPTransport(verify=tls_for(url), limits=_single(), trust_env=False, proxy=proxy),
                self._most,
            )
        return _LoopStack(
            lambda: httpx.AsyncHTTPTransport(verify=tls_for(url), limits=_single(), trust_env=False, proxy=proxy),
            self._most,
        )


def _single() -> httpx.Limits:
    return httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=IDLE_SECONDS)


class _Stack(Protocol):
    async def carry(self, request: httpx.Request) -> httpx.Response: ...

    async def aclose(self) -> None: ...


class _LoopStack:
    """The connections of one event loop."""

    def __init__(self, connect: Callable[[], httpx.AsyncHTTPTransport], most: int) -> None:
        self._connect = connect
        self._turns = asyncio.Semaphore(most)
        self._idle: list[httpx.AsyncHTTPTransport] = []

    async def carry(self, request: httpx.Request) -> httpx.Response:
        await self._turn(request)
        connection = None
        try:
            connection = self._idle.pop() if self._idle else self._connect()
            response = await connection.handle_async_request(request)
        except BaseException:
            # What broke off half-way is not used again.
            self._turns.release()
            if connection is not None:
                await connection.aclose()
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Borrowed(response.stream, lambda: self._give_back(connection))
        return response

    async def _turn(self, request: httpx.Request) -> None:
        if not self._turns.locked():
            await self._turns.acquire()
            return
        timeout = _pool_timeout(request)
        try:
            async with asyncio.timeout(timeout):
                await self._turns.acquire()
        except TimeoutError:
            raise _no_turn(request, timeout) from None

    def _give_back(self, connection: httpx.AsyncHTTPTransport) -> None:
        self._idle.append(connection)
        self._turns.release()

    async def aclose(self) -> None:
        while self._idle:
            await self._idle.pop().aclose()


class _ThreadStack:
    """The connections of all threads in which no loop runs."""

    def __init__(self, connect: Callable[[], httpx.HTTPTransport], most: int) -> None:
        self._connect = connect
        self._turns = threading.Semaphore(most)
        self._idle: list[httpx.HTTPTransport] = []

    async def carry(self, request: httpx.Request) -> httpx.Response:
        timeout = _pool_timeout(request)
        if not self._turns.acquire(timeout=timeout):
            raise _no_turn(request, timeout)
        connection = None
        try:
            connection = self._pop() or self._connect()
            response = connection.handle_request(request)
        except BaseException:
            self._turns.release()
            if connection is not None:
                connection.close()
            raise
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = _Borrowed(_Blocking(response.stream), lambda: self._give_back(connection))
        return response

    def _give_back(self, connection: httpx.HTTPTransport) -> None:
        self._idle.append(connection)
        self._turns.release()

    def _pop(self) -> httpx.HTTPTransport | None:
        with suppress(IndexError):
            return self._idle.pop()
        return None

    async def aclose(self) -> None:
        while (connection := self._pop()) is not None:
            connection.close()


def _pool_timeout(request: httpx.Request) -> float | None:
    timeout: float | None = request.extensions.get("timeout", {}).get("pool")
    return timeout


def _no_turn(request: httpx.Request, timeout: float | None) -> httpx.PoolTimeout:
    return httpx.PoolTimeout(f"no connection was free within {timeout} s", request=request)


class _Blocking(httpx.AsyncByteStream):
    """A blocking body in the shape of an async one; for threads without a loop."""

    def __init__(self, body: httpx.SyncByteStream) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._body:
            yield chunk

    async def aclose(self) -> None:
        self._body.close()


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
