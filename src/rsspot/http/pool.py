"""The connection pool: a bounded stack of connections, most recently used on top. Does not retry or authenticate.

httpx's own pool scans every connection for every request, so a hundred concurrent requests cost ten thousand scans.
Here each connection is an httpx pool of one, and taking one is a list pop.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

from rsspot.concurrency import running_loop
from rsspot.http.borrowed_bodies import BlockingBody, BorrowedBody
from rsspot.http.certificates import tls_settings
from rsspot.http.deadline import limit
from rsspot.http.permission import ask_when_connected
from rsspot.http.proxies import is_direct
from rsspot.http.retry import AS_IT_COMES
from rsspot.wire import httpx

MOST_CONNECTIONS = 64
"""As many as an apply may have steps under way; fewer are opened where fewer are needed at a time."""
_Key = tuple[str, bool]
"""What connections of one kind have in common: the scheme, and whether they go through the proxy."""
IDLE_SECONDS = 30.0
"""How long an idle connection stays open."""


class Connections(httpx.AsyncBaseTransport):
    """HTTP/1.1 with keep-alive, for tasks of any event loop and for threads without one.

    A connection is never shared between loops or processes. Nor is one made for http used for https: it checks no
    certificate. When all `most` connections are in use, a request waits, at most for the `pool` timeout.
    proxy: the URL of an HTTP proxy for https addresses; it sees host names and encrypted bytes, never a request.
    no_proxy: hosts that are reached without it, separated by commas, as in the environment variable NO_PROXY.
    verify: whether to check certificates; without it, anybody on the way can read the token.
    """

    def __init__(
        self,
        *,
        proxy: str | None = None,
        no_proxy: str | None = None,
        most: int = MOST_CONNECTIONS,
        verify: bool = True,
    ) -> None:
        self._proxy = proxy
        self._no_proxy = no_proxy or ""
        self._most = most
        self._verify = verify
        self._loops: dict[asyncio.AbstractEventLoop, dict[_Key, _Stack]] = {}
        self._threads: dict[_Key, _Stack] = {}
        self._making = threading.Lock()
        _EVERY.add(self)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        proxy = self._proxy if request.url.scheme == "https" and not is_direct(request.url, self._no_proxy) else None
        return await self._stack(request.url.scheme, proxy).carry(request)

    async def aclose(self) -> None:
        """Close this loop's connections, or those of threads without a loop. No loop can close another's."""
        loop = running_loop()
        if loop is None:
            stacks, self._threads = self._threads, {}
        else:
            stacks = self._loops.pop(loop, {})
        for stack in stacks.values():
            await stack.aclose()

    def _stack(self, scheme: str, proxy: str | None) -> _Stack:
        here, key = self._here(), (scheme, proxy is not None)
        stack = here.get(key)
        if stack is None:
            with self._making:
                stack = here.setdefault(key, self._made(scheme, proxy))
        return stack

    def _here(self) -> dict[_Key, _Stack]:
        """The stacks of the running loop, or of all threads without one, by what they have in common."""
        loop = running_loop()
        if loop is None:
            return self._threads
        stacks = self._loops.get(loop)
        if stacks is None:
            with self._making:
                # A connection keeps its loop alive, and a closed loop can no longer close its connections.
                for closed in [known for known in self._loops if known.is_closed()]:
                    del self._loops[closed]
                stacks = self._loops.setdefault(loop, {})
        return stacks

    def _made(self, scheme: str, proxy: str | None) -> _Stack:
        verify = self._verify and tls_settings(scheme)
        options: Any = {"verify": verify, "limits": _single(), "trust_env": False, "proxy": proxy}
        if running_loop() is None:
            return _ThreadStack(
                lambda: _Connection(httpx.HTTPTransport(**options)),
                self._most,
            )
        return _LoopStack(
            lambda: _Connection(httpx.AsyncHTTPTransport(**options)),
            self._most,
        )


_EVERY: WeakSet[Connections] = WeakSet()
_OF_THE_PARENT: list[object] = []
"""In a forked child: the parent's connections, kept referenced. Closing them here would close the parent's too."""


def _after_fork() -> None:
    for connections in _EVERY:
        _OF_THE_PARENT.append((connections._loops, connections._threads))
        connections._loops, connections._threads, connections._making = {}, {}, threading.Lock()


os.register_at_fork(after_in_child=_after_fork)


def _single() -> httpx.Limits:
    return httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=IDLE_SECONDS)


class _Stack(Protocol):
    async def carry(self, request: httpx.Request) -> httpx.Response: ...

    async def aclose(self) -> None: ...


C = TypeVar("C", bound=httpx.HTTPTransport | httpx.AsyncHTTPTransport)


class _Connection(Generic[C]):
    """A transport that opens one connection, and the deadline of the request on it."""

    def __init__(self, transport: C) -> None:
        self.transport = transport
        self.deadline = limit(transport)


def _headers_arrived(connection: _Connection[C], request: httpx.Request) -> None:
    if AS_IT_COMES in request.extensions:
        connection.deadline.end()


class _Idle(Generic[C]):
    """Idle connections, most recently used on top. Thread-safe: each step is a single list operation."""

    def __init__(self) -> None:
        self._stack: list[tuple[float, _Connection[C]]] = []
        self.closed = False

    def take(self) -> _Connection[C] | None:
        """The most recently used connection, or None."""
        with suppress(IndexError):
            return self._stack.pop()[1]
        return None

    def put(self, connection: _Connection[C]) -> list[_Connection[C]]:
        """Add a connection. Returns those to close: idle for too long, or all of them once this is closed."""
        now = time.monotonic()
        self._stack.append((now, connection))
        expired = []
        with suppress(IndexError):
            while self._stack and (self.closed or self._stack[0][0] + IDLE_SECONDS < now):
                expired.append(self._stack.pop(0)[1])
        return expired


class _LoopStack:
    """The connections of one event loop."""

    def __init__(self, connect: Callable[[], _Connection[httpx.AsyncHTTPTransport]], most: int) -> None:
        self._connect = connect
        self._turns = asyncio.Semaphore(most)
        self._idle: _Idle[httpx.AsyncHTTPTransport] = _Idle()

    async def carry(self, request: httpx.Request) -> httpx.Response:
        await self._turn(request)
        connection = None
        ask_when_connected(request, blocking=False)
        try:
            connection = self._idle.take() or self._connect()
            connection.deadline.begin(request)
            response = await connection.transport.handle_async_request(request)
            _headers_arrived(connection, request)
        except BaseException:
            # A connection that failed mid-request must not be reused.
            self._turns.release()
            if connection is not None:
                await connection.transport.aclose()
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = BorrowedBody(response.stream, lambda: self._give_back(connection))
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

    async def _give_back(self, connection: _Connection[httpx.AsyncHTTPTransport]) -> None:
        expired = self._idle.put(connection)
        self._turns.release()
        for old in expired:
            await old.transport.aclose()

    async def aclose(self) -> None:
        self._idle.closed = True
        while (connection := self._idle.take()) is not None:
            await connection.transport.aclose()


class _ThreadStack:
    """The connections of all threads without a running loop."""

    def __init__(self, connect: Callable[[], _Connection[httpx.HTTPTransport]], most: int) -> None:
        self._connect = connect
        self._turns = threading.Semaphore(most)
        self._idle: _Idle[httpx.HTTPTransport] = _Idle()

    async def carry(self, request: httpx.Request) -> httpx.Response:
        timeout = _pool_timeout(request)
        if not self._turns.acquire(timeout=timeout):
            raise _no_turn(request, timeout)
        connection = None
        ask_when_connected(request, blocking=True)
        try:
            connection = self._idle.take() or self._connect()
            connection.deadline.begin(request)
            response = connection.transport.handle_request(request)
            _headers_arrived(connection, request)
        except BaseException:
            self._turns.release()
            if connection is not None:
                connection.transport.close()
            raise
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = BorrowedBody(BlockingBody(response.stream), lambda: self._give_back(connection))
        return response

    async def _give_back(self, connection: _Connection[httpx.HTTPTransport]) -> None:
        expired = self._idle.put(connection)
        self._turns.release()
        for old in expired:
            old.transport.close()

    async def aclose(self) -> None:
        self._idle.closed = True
        while (connection := self._idle.take()) is not None:
            connection.transport.close()


def _pool_timeout(request: httpx.Request) -> float | None:
    timeout: float | None = request.extensions.get("timeout", {}).get("pool")
    return timeout


def _no_turn(request: httpx.Request, timeout: float | None) -> httpx.PoolTimeout:
    return httpx.PoolTimeout(f"no free connection within {timeout} s", request=request)
