"""A deadline for everything that one request does on its connection. Knows sockets, no HTTP.

httpx's timeouts limit the wait for the next bytes. A server that sends a header byte every half second, `103 Early
Hints` without end, or a body that decompresses to nothing stays below each of them for ever. So each read and write of
a connection gets at most the time that is left of the whole request. It works in threads without an event loop too,
where nothing else could interrupt a read.
"""

from __future__ import annotations

import time
from math import inf
from typing import Any

from rsspot.wire import httpx

LEFT = "rsspot.left"
"""A request extension: seconds that are left for this attempt."""


class Deadline:
    """When the request that a connection carries has to be over. A connection carries one request at a time."""

    def __init__(self) -> None:
        self._until = inf

    def begin(self, request: httpx.Request) -> None:
        """A request begins, with the time that its extension gives it."""
        self._until = time.monotonic() + request.extensions.get(LEFT, inf)

    def end(self) -> None:
        """From now on only httpx's own timeouts count, as for a stream that may last."""
        self._until = inf

    def left(self, timeout: float | None, error: str) -> float | None:
        """The timeout of the next read or write. Raises the httpcore exception of this name when no time is left."""
        if self._until == inf:
            return timeout
        left = self._until - time.monotonic()
        if left <= 0:
            import httpcore

            failure: type[Exception] = getattr(httpcore, error)
            raise failure("the time for the whole request is over")
        return left if timeout is None else min(timeout, left)


def limit(transport: httpx.HTTPTransport | httpx.AsyncHTTPTransport) -> Deadline:
    """The deadline of the connections that a transport opens."""
    deadline = Deadline()
    # httpx has no argument for the network backend of the httpcore pool that it makes.
    pool: Any = transport._pool
    wrapped = _AsyncBackend if isinstance(transport, httpx.AsyncHTTPTransport) else _Backend
    pool._network_backend = wrapped(pool._network_backend, deadline)
    return deadline


class _Limited:
    """Passes everything on to what it wraps, except for what subclasses limit."""

    def __init__(self, inner: Any, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Stream(_Limited):
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = self._inner.read(max_bytes, self._deadline.left(timeout, "ReadTimeout"))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left(timeout, "WriteTimeout"))

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> _Stream:
        left = self._deadline.left(timeout, "ConnectTimeout")
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)


class _AsyncStream(_Limited):
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = await self._inner.read(max_bytes, self._deadline.left(timeout, "ReadTimeout"))
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, self._deadline.left(timeout, "WriteTimeout"))

    async def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> _AsyncStream:
        left = self._deadline.left(timeout, "ConnectTimeout")
        return _AsyncStream(await self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)


class _Backend(_Limited):
    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> _Stream:
        left = self._deadline.left(timeout, "ConnectTimeout")
        return _Stream(self._inner.connect_tcp(host, port, timeout=left, **options), self._deadline)


class _AsyncBackend(_Limited):
    async def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> _AsyncStream:
        left = self._deadline.left(timeout, "ConnectTimeout")
        return _AsyncStream(await self._inner.connect_tcp(host, port, timeout=left, **options), self._deadline)
