"""When to send a request again, as a pure decision, and the transport that asks it.

Never repeats a write that may have happened.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime

from rsspot.utils import Clock
from rsspot.wire import httpx

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PASSING = frozenset({408, 429, 500, 502, 503, 504})
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True)
class RetryPolicy:
    """How patient to be. Times in seconds."""

    attempts: int = 5
    base: float = 0.25
    ceiling: float = 20.0
    longest_retry_after: float = 60.0
    deadline: float = 120.0


@dataclass(frozen=True)
class Outcome:
    """What one attempt came to: an answer or a failure to get one."""

    status: int | None = None
    retry_after: float | None = None
    never_sent: bool = False


def wait_before_next(
    policy: RetryPolicy, method: str, outcome: Outcome, attempt: int, elapsed: float, jitter: float
) -> float | None:
    """Seconds to wait before attempt `attempt + 1`, or None to give up. `jitter` is in [0, 1).

    A write is repeated only when it cannot have been executed: never sent, or refused with 429.
    The service's Retry-After is never cut short: if it is too long to wait, give up at once.
    """
    if attempt >= policy.attempts or not _may_repeat(method, outcome):
        return None
    backoff = jitter * min(policy.ceiling, policy.base * 2 ** (attempt - 1))
    if outcome.retry_after is not None:
        if outcome.retry_after > policy.longest_retry_after:
            return None
        backoff += outcome.retry_after
    return backoff if elapsed + backoff <= policy.deadline else None


def _may_repeat(method: str, outcome: Outcome) -> bool:
    if outcome.never_sent or outcome.status == 429:
        return True
    return method in SAFE and (outcome.status is None or outcome.status in PASSING)


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds asked for by a Retry-After header in either form; None when absent or unreadable."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (moment - now).total_seconds()) if moment.tzinfo else None


@dataclass
class RetryTransport(httpx.AsyncBaseTransport):
    """Asks `wait_before_next` after each attempt and obeys it."""

    inner: httpx.AsyncBaseTransport
    clock: Clock
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    jitter: Callable[[], float] = random.random
    repeats: int = 0
    requests: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        started = self.clock.now()
        attempt = 0
        while True:
            attempt += 1
            self.requests += 1
            response: httpx.Response | None = None
            failure: httpx.TransportError | None = None
            try:
                response = await self.inner.handle_async_request(request)
                outcome = self._outcome(response)
            except httpx.TransportError as error:
                failure, outcome = error, Outcome(never_sent=isinstance(error, NEVER_SENT))
            elapsed = (self.clock.now() - started).total_seconds()
            wait = wait_before_next(self.policy, request.method, outcome, attempt, elapsed, self.jitter())
            if wait is None:
                if response is None:
                    assert failure is not None
                    raise failure
                return response
            if response is not None:
                await response.aclose()
            self.repeats += 1
            await self.clock.sleep(wait)

    def _outcome(self, response: httpx.Response) -> Outcome:
        return Outcome(response.status_code, retry_after(response.headers.get("Retry-After"), self.clock.now()))

    async def aclose(self) -> None:
        await self.inner.aclose()
