"""The last question before a write goes out: may it still start? Asked of whoever stands behind the request.

An apply may be stopped, run out of time or lose its lease while a request waits: for its turn, for the end of a pause
that the service asked for, for a connection. So the question is asked at the innermost place, for each attempt.
"""

from __future__ import annotations

from collections.abc import Callable

from rsspot.wire import httpx

PERMIT = "rsspot.permit"
"""A request extension: a function that raises when the request may not be sent any more."""
TRACE = "trace"
ABOUT_TO_WRITE = "http11.send_request_headers.started"
"""What httpcore tells when a connection stands and the first byte is about to go out."""


class PermittedTransport(httpx.AsyncBaseTransport):
    """Asks for permission, and then hands the request on."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        permit = permit_of(request)
        if permit is not None:
            permit()
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def permit_of(request: httpx.Request) -> Callable[[], None] | None:
    """Who is to be asked about a request, if anybody."""
    permit: Callable[[], None] | None = request.extensions.get(PERMIT)
    return permit


def ask_when_connected(request: httpx.Request, *, blocking: bool) -> None:
    """Have httpcore ask once more when it has a connection: making one may take as long as a time-out."""
    permit = permit_of(request)
    if permit is None:
        return

    def ask(event: str, _: object) -> None:
        if event == ABOUT_TO_WRITE:
            permit()

    async def ask_in_a_loop(event: str, told: object) -> None:
        ask(event, told)

    request.extensions[TRACE] = ask if blocking else ask_in_a_loop
