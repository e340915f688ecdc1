"""The last check before a write is sent: calls the request's permit, which raises if the write must not start.

An apply may be stopped, time out or lose its lease while a request waits for the rate limit, for a Retry-After or for
a connection. So the check runs in the innermost transport, once per attempt.
"""

from __future__ import annotations

from collections.abc import Callable

from rsspot.errors import RsspotError
from rsspot.wire import httpx

PERMIT = "rsspot.permit"
"""A request extension: a function that raises if the request must no longer be sent."""
TRACE = "trace"
ABOUT_TO_WRITE = "http11.send_request_headers.started"
"""The httpcore trace event fired when the connection is open and the first byte is about to be sent."""


class PermittedTransport(httpx.AsyncBaseTransport):
    """Calls the request's permit, if any, then passes the request on."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        permit = permit_of(request)
        if permit is not None:
            permit()
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def refuse_write() -> None:
    """The permit of every write of a client that only reads. Raises RsspotError."""
    raise RsspotError("this command only reads: a write was refused, and nothing was sent")


def permit_of(request: httpx.Request) -> Callable[[], None] | None:
    """The request's permit function, if it has one."""
    permit: Callable[[], None] | None = request.extensions.get(PERMIT)
    return permit


def ask_when_connected(request: httpx.Request, *, blocking: bool) -> None:
    """Make httpcore call the permit again once it is connected: connecting may take up to the timeout."""
    permit = permit_of(request)
    if permit is None:
        return

    def trace(event: str, _: object) -> None:
        if event == ABOUT_TO_WRITE:
            permit()

    async def trace_async(event: str, info: object) -> None:
        trace(event, info)

    request.extensions[TRACE] = trace if blocking else trace_async
