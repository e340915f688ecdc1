"""Adaptive client-side rate limiting: a 429 halves the rate, and successes raise it again.

Does not retry: that is `retry`, the layer above.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf
from threading import Lock

from rsspot.auth.grants import ONCE, UNTIL
from rsspot.http.hooks import Hooks
from rsspot.http.retry import pause_asked_by
from rsspot.utils.clock import Clock
from rsspot.wire import httpx

SLOWEST = 0.2
"""The lowest rate, in requests per second."""
RECOVERY = 1.05
"""The factor by which each success raises a lowered rate."""
WINDOW = 20
"""The number of recent requests from which the current rate is measured."""
FORGET_ABOVE = 100.0
"""Requests per second. With no configured maximum, a rate that recovers to this is no longer limited."""

CLOCK_ERROR = 1e-3
"""Seconds by which a sleep may end early."""


@dataclass
class RateLimiter:
    """Decides when the next request may be sent. Pure arithmetic; times are seconds of any clock.

    most: the maximum in requests per second, or None for no limit
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
        """Reserve the next slot. Returns the seconds to wait for it."""
        start = max(now, self.free_at)
        if self.rate is not None:
            self.free_at = start + 1 / self.rate
        self.sent.append(start)
        return start - now

    def give_back(self) -> None:
        """Release a reserved slot that will not be used, so that later requests do not wait for it."""
        if self.rate is not None:
            self.free_at -= 1 / self.rate

    def refused(self, sent_at: float, now: float, pause: float) -> None:
        """Record a 429: halve the rate, and send nothing for `pause` seconds.

        A request sent before the last reduction does not halve the rate again: it was not sent at the lower rate.
        """
        if sent_at >= self.lowered_at:
            self.rate = max(SLOWEST, (self.rate or self._observed()) / 2)
            self.lowered_at = now
        self.quiet_until = max(self.quiet_until, now + pause)
        self.free_at = max(self.free_at, self.quiet_until)

    def accepted(self) -> None:
        """Record a success: raise a lowered rate a little, up to the maximum."""
        if self.rate is None or self.rate == self.most:
            return
        self.rate *= RECOVERY
        ceiling = self.most or FORGET_ABOVE
        if self.rate >= ceiling:
            self.rate = self.most

    def _observed(self) -> float:
        """The recent rate, in requests per second."""
        span = self.sent[-1] - self.sent[0] if self.sent else 0.0
        return min(FORGET_ABOVE, (len(self.sent) - 1) / span) if span > 0 else FORGET_ABOVE


class LimitedTransport(httpx.AsyncBaseTransport):
    """Delays requests as one `RateLimiter` says, shared by all tasks and threads.

    longest: seconds; a longer Retry-After causes no pause. The refused request fails instead, and so will later ones:
    no caller sleeps silently for an hour.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        clock: Clock,
        most: float | None = None,
        *,
        longest: float = 60.0,
        hooks: Hooks | None = None,
    ) -> None:
        self.limiter = RateLimiter(most)
        self._inner = inner
        self._clock = clock
        self._longest = longest
        self._hooks = hooks or Hooks()
        self._guard = Lock()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._turn(request)
        sent_at = self._now()
        response = await self._inner.handle_async_request(request)
        if ONCE in request.extensions:
            return response
        if response.status_code == 429:
            seconds = pause_asked_by(response, self._clock.now())
            pause = seconds if seconds is not None and seconds <= self._longest else 0.0
            with self._guard:
                self.limiter.refused(sent_at, self._now(), pause)
        elif response.is_success and self.limiter.rate is not None:
            with self._guard:
                self.limiter.accepted()
        return response

    async def _turn(self, request: httpx.Request) -> None:
        until = request.extensions.get(UNTIL, inf)
        while True:
            with self._guard:
                wait = self.limiter.reserve(self._now())
            if wait <= 0:
                return
            try:
                if self._now() + wait > until:
                    raise httpx.PoolTimeout("the rate limit would delay the request past its deadline", request=request)
                with self._hooks.waiting(f"the rate limit to allow {request.method} {request.url.path}"):
                    await self._clock.sleep(wait)
            except BaseException:
                with self._guard:
                    self.limiter.give_back()
                raise
            # If a 429 extended the pause during this sleep, the slot is too early: reserve another.
            if self._now() + CLOCK_ERROR >= self.limiter.quiet_until:
                return

    def _now(self) -> float:
        return self._clock.monotonic()

    async def aclose(self) -> None:
        await self._inner.aclose()
