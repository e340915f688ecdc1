"""When to send a request again: one pure function, and the transport that asks it.

Never repeats a write that may have happened.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from math import inf

from rsspot.auth.grants import ONCE
from rsspot.errors import RsspotError
from rsspot.http.hooks import Exchange, Hooks
from rsspot.http.permission import permit_of
from rsspot.utils.clock import Clock
from rsspot.wire import httpx

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PASSING = frozenset({408, 429, 500, 502, 503, 504})
NEVER_SENT = (httpx.LocalProtocolError, httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
AS_IT_COMES = "rsspot.as_it_comes"
"""A request extension: leave the body to be read line by line, as slowly as its `read` timeout says."""
PATIENCE = "rsspot.patience"
"""A request extension: seconds after which this request is given up, if that is sooner than the policy says."""
UNTIL = "rsspot.until"
"""A request extension: the moment, in the clock's seconds since 1970, at which the request is given up."""
SHORTEST = 0.01
"""Seconds that every attempt may take."""


@dataclass(frozen=True)
class RetryPolicy:
    """How patient to be. Times in seconds.

    jitter: the share of a backoff that is drawn by lot, 0 to 1 · statuses: answers to a read that are worth another try
    deadline: when to give up, counted from the first attempt; no attempt may run longer than what is left of it
    """

    attempts: int = 5
    base: float = 0.25
    ceiling: float = 20.0
    jitter: float = 1.0
    longest_retry_after: float = 60.0
    deadline: float = 120.0
    statuses: frozenset[int] = PASSING


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
    if attempt >= policy.attempts or not _may_repeat(policy, method, outcome):
        return None
    longest = min(policy.ceiling, policy.base * 2 ** (attempt - 1))
    backoff = longest * (1 - policy.jitter + policy.jitter * jitter)
    if outcome.retry_after is not None:
        if outcome.retry_after > policy.longest_retry_after:
            return None
        backoff += outcome.retry_after
    return backoff if elapsed + backoff < policy.deadline else None


def _may_repeat(policy: RetryPolicy, method: str, outcome: Outcome) -> bool:
    if outcome.never_sent or outcome.status == 429:
        return True
    return method in SAFE and (outcome.status is None or outcome.status in policy.statuses)


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
    """Asks `wait_before_next` after each attempt and obeys it; tells the hooks of each."""

    inner: httpx.AsyncBaseTransport
    clock: Clock
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    hooks: Hooks = field(default_factory=Hooks)
    jitter: Callable[[], float] = random.random
    repeats: int = 0
    requests: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        started = self.clock.now()
        sent, attempt = started, 0
        deadline = min(self.policy.deadline, request.extensions.get(PATIENCE, inf))
        request.extensions[UNTIL] = started.timestamp() + deadline
        while True:
            attempt += 1
            self.requests += 1
            _shorten(request, deadline - (sent - started).total_seconds())
            response: httpx.Response | None = None
            failure: httpx.TransportError | None = None
            try:
                response = await self.inner.handle_async_request(request)
                outcome = self._outcome(response)
            except httpx.TransportError as error:
                failure, outcome = error, Outcome(never_sent=isinstance(error, NEVER_SENT))
            except RsspotError as error:
                # An answer that is too long would be as long again, and a permission that was taken away stays so.
                self._tell(request, attempt, None, error, sent)
                raise
            now = self.clock.now()
            self._tell(request, attempt, response, failure, sent)
            elapsed = (now - started).total_seconds()
            wait = None
            if ONCE not in request.extensions:
                policy = self.policy if deadline == self.policy.deadline else replace(self.policy, deadline=deadline)
                wait = wait_before_next(policy, request.method, outcome, attempt, elapsed, self.jitter())
            if wait is None:
                if response is None:
                    assert failure is not None
                    raise failure
                return response
            if response is not None:
                await response.aclose()
            if (permit := permit_of(request)) is not None:
                # Whoever may not send any more need not wait to be told so.
                permit()
            self.repeats += 1
            await self.clock.sleep(wait)
            sent = self.clock.now()

    def _tell(
        self,
        request: httpx.Request,
        attempt: int,
        response: httpx.Response | None,
        failure: Exception | None,
        sent: datetime,
    ) -> None:
        if self.hooks.after:
            seconds = (self.clock.now() - sent).total_seconds()
            self.hooks.tell(Exchange.of(request, attempt, response, failure, seconds))

    def _outcome(self, response: httpx.Response) -> Outcome:
        if response.is_success:
            return Outcome(response.status_code)
        return Outcome(response.status_code, retry_after(response.headers.get("Retry-After"), self.clock.now()))

    async def aclose(self) -> None:
        await self.inner.aclose()


def _shorten(request: httpx.Request, left: float) -> None:
    """No wait of an attempt may outlast the deadline; who woke up after it has a moment, since no wait is negative."""
    left = max(left, SHORTEST)
    timeouts: dict[str, float | None] = request.extensions.get("timeout", {})
    for name, seconds in timeouts.items():
        if name == "read" and AS_IT_COMES in request.extensions:
            continue
        if seconds is None or seconds > left:
            timeouts[name] = left
