"""Rate limits as GitHub tells them, in the words of HTTP: 403 becomes 429 with Retry-After. Waits for nothing."""

from __future__ import annotations

from rsspot.utils.clock import Clock
from rsspot.wire import httpx

UNTOLD = 60
"""Seconds to wait if a limit says nothing else. Source: GitHub, "Rate limits for the REST API"."""
WORDS = ("rate limit", "abuse detection")
"""What the message of a limit without any header has in it."""


class PlainRateLimits(httpx.AsyncBaseTransport):
    """Answers 429 with Retry-After where the host says in its own way that there were too many requests."""

    def __init__(self, inner: httpx.AsyncBaseTransport, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if response.status_code in (403, 429) and (seconds := self._pause(response)) is not None:
            response.status_code = 429
            response.headers["Retry-After"] = str(seconds)
        return response

    def _pause(self, response: httpx.Response) -> float | None:
        """Seconds that a limit asks for; None if the response has that already, or is about permissions."""
        headers = response.headers
        if "Retry-After" in headers:
            return None if response.status_code == 429 else _number(headers["Retry-After"])
        if headers.get("x-ratelimit-remaining") == "0" and (reset := _number(headers.get("x-ratelimit-reset"))):
            return max(0.0, reset - self._clock.now().timestamp())
        limited = any(words in response.text.lower() for words in WORDS)
        return UNTOLD if limited else None

    async def aclose(self) -> None:
        await self._inner.aclose()


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
