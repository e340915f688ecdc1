"""Retries: a pure function that decides when to retry, and the transport that applies it.

Never repeats a write that may have been executed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from math import inf

from rsspot.auth.grants import ONCE
from rsspot.constants import TRANSIENT_STATUSES
from rsspot.errors import RsspotError
from rsspot.http.deadline import LEFT
from rsspot.http.hooks import Exchange, Hooks
from rsspot.http.permission import permit_of
from rsspot.utils.clock import Clock
from rsspot.wire import httpx

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
NEVER_SENT = (httpx.LocalProtocolError, httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
AS_IT_COMES = "rsspot.as_it_comes"
"""A request extension: do not read the body here; the caller streams it, limited only by the `read` timeout."""
PATIENCE = "rsspot.patience"
"""A request extension: a deadline for this request in seconds, if shorter than the policy's."""
UNTIL = "rsspot.until"
"""A request extension: the time of the deadline, in seconds since 1970 by the client's clock."""
SHORTEST = 0.01
"""The least timeout of an attempt, in seconds."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long to retry. Times in seconds.

    jitter: the random share of a backoff, 0 to 1 · statuses: HTTP statuses after which a read is retried
    deadline: the total time, counted from the first attempt; it also shortens the timeouts of each attempt
    """

    attempts: int = 5
    base: float = 0.25
    ceiling: float = 20.0
    jitter: float = 1.0
    longest_retry_after: float = 60.0
    deadline: float = 120.0
    statuses: frozenset[int] = frozenset(TRANSIENT_STATUSES)


@dataclass(frozen=True)
class Outcome:
    """The result of one attempt: a response's status, or a failure to get one."""

    status: int | None = None
    retry_after: float | None = None
    never_sent: bool = False


def wait_before_next(
    policy: RetryPolicy, method: str, outcome: Outcome, attempt: int, elapsed: float, jitter: float
) -> float | None:
    """Seconds to wait before attempt `attempt + 1`, or None to give up. `jitter` is in [0, 1).

    A write is repeated only if it cannot have been executed: it was never sent, or refused with 429.
    A Retry-After is always waited for in full; if it is longer than the policy allows, give up at once.
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
    """Seconds to wait according to a Retry-After header in either form; None if it is absent or unreadable."""
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
    """Retries as `wait_before_next` says, and calls the hooks after each attempt."""

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
                # A response that is too long would be as long again, and a permit that was refused stays refused.
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
                # If the permit is refused, fail now rather than after the wait.
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
    """Shorten the timeouts of an attempt to the time left before the deadline, at least SHORTEST."""
    left = request.extensions[LEFT] = max(left, SHORTEST)
    timeouts: dict[str, float | None] = request.extensions.get("timeout", {})
    for name, seconds in timeouts.items():
        if name == "read" and AS_IT_COMES in request.extensions:
            continue
        if seconds is None or seconds > left:
            timeouts[name] = left
