"""How fast to ask: as fast as wanted until the service says 429, then half as fast, and slowly faster again.

Sends nothing again: that is `retry`, above this.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf
from threading import Lock

from rsspot.auth.grants import ONCE
from rsspot.http.retry import UNTIL, retry_after
from rsspot.utils.clock import Clock
from rsspot.wire import httpx

SLOWEST = 0.2
"""Requests in a second that are always allowed."""
RECOVERY = 1.05
"""By how much each success raises a lowered rate."""
WINDOW = 20
"""So many of the last requests tell how fast they went out."""
FORGET_ABOVE = 100.0
"""A rate that has recovered so far is no limit any more."""

CLOCK_ERROR = 1e-3
"""By how much a sleeper may wake too early."""


@dataclass
class RateLimiter:
    """When the next request may go. Pure arithmetic; times in seconds of any clock.

    most: requests in a second at the best of times, None for no bound
    """

    most: float | None = None
    rate: float | None = None
    free_at: float = 0.0
    quiet_until: float = 0.0
    lowered_at: float = 0.0
    sent: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def __post_init__(self) -> None:
        self.rate = self.most

    def reserve(self, now: float) -> float:
        """Take the next place; gives the seconds to wait for it."""
        start = max(now, self.free_at)
        if self.rate is not None:
            self.free_at = start + 1 / self.rate
        self.sent.append(start)
        return start - now

    def give_back(self) -> None:
        """Somebody who had a place does not come: those who come later need not wait for it."""
        if self.rate is not None:
            self.free_at -= 1 / self.rate

    def refused(self, sent_at: float, now: float, pause: float) -> None:
        """A 429: half as fast from here on, and nobody before `pause` is over.

        Those who were on their way already when the pace was lowered say nothing about the lower one.
        """
        if sent_at >= self.lowered_at:
            self.rate = max(SLOWEST, (self.rate or self._observed()) / 2)
            self.lowered_at = now
        self.quiet_until = max(self.quiet_until, now + pause)
        self.free_at = max(self.free_at, self.quiet_until)

    def accepted(self) -> None:
        """A success: a little faster, up to what is allowed."""
        if self.rate is None or self.rate == self.most:
            return
        self.rate *= RECOVERY
        ceiling = self.most or FORGET_ABOVE
        if self.rate >= ceiling:
            self.rate = self.most

    def _observed(self) -> float:
        """Requests in a second, as they went out lately."""
        span = self.sent[-1] - self.sent[0] if self.sent else 0.0
        return min(FORGET_ABOVE, (len(self.sent) - 1) / span) if span > 0 else FORGET_ABOVE


class LimitedTransport(httpx.AsyncBaseTransport):
    """Lets requests through at a `RateLimiter` that all tasks and threads share.

    longest: a Retry-After above this pauses nobody. Whoever was told so gives up, and so will the next who asks;
    nobody sleeps for an hour without a word.
    """

    def __init__(
        self, inner: httpx.AsyncBaseTransport, clock: Clock, most: float | None = None, *, longest: float = 60.0
    ) -> None:
        self.pace = RateLimiter(most)
        self._inner = inner
        self._clock = clock
        self._longest = longest
        self._guard = Lock()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._turn(request)
        sent_at = self._now()
        response = await self._inner.handle_async_request(request)
        if ONCE in request.extensions:
            return response
        if response.status_code == 429:
            asked = retry_after(response.headers.get("Retry-After"), self._clock.now())
            pause = asked if asked is not None and asked <= self._longest else 0.0
            with self._guard:
                self.pace.refused(sent_at, self._now(), pause)
        elif response.is_success and self.pace.rate is not None:
            with self._guard:
                self.pace.accepted()
        return response

    async def _turn(self, request: httpx.Request) -> None:
        until = request.extensions.get(UNTIL, inf)
        while True:
            with self._guard:
                wait = self.pace.reserve(self._now())
            if wait <= 0:
                return
            try:
                if self._now() + wait > until:
                    raise httpx.PoolTimeout("its turn would come too late", request=request)
                await self._clock.sleep(wait)
            except BaseException:
                with self._guard:
                    self.pace.give_back()
                raise
            # Whoever slept while the service asked for a pause has to take another place.
            if self._now() + CLOCK_ERROR >= self.pace.quiet_until:
                return

    def _now(self) -> float:
        return self._clock.now().timestamp()

    async def aclose(self) -> None:
        await self._inner.aclose()
