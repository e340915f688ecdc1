"""Retries: a pure function that decides when to retry, and the transport that applies it.

Never repeats a write that may have been executed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import inf

from rsspot.auth.grants import ONCE, REPEATABLE, UNTIL
from rsspot.constants import TRANSIENT_STATUSES
from rsspot.errors import RsspotError
from rsspot.http.deadline import LEFT
from rsspot.http.hooks import Exchange, Hooks
from rsspot.http.permission import permit_of
from rsspot.utils.clock import Clock, http_date
from rsspot.wire import httpx

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
NEVER_SENT = (httpx.LocalProtocolError, httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
AS_IT_COMES = "rsspot.as_it_comes"
"""A request extension: do not read the body here; the caller streams it, limited only by the `read` timeout."""
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
    """The result of one attempt: a response's status, or a failure to get one.

    repeatable: whether the request may be repeated although it may have been executed, as a read may
    """

    status: int | None = None
    retry_after: float | None = None
    never_sent: bool = False
    repeatable: bool = False


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
    return (outcome.repeatable or method in SAFE) and (outcome.status is None or outcome.status in policy.statuses)


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds to wait according to a Retry-After header in either form; None if it is absent or unreadable."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    moment = http_date(header)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def pause_asked_by(response: httpx.Response, now: datetime) -> float | None:
    """Seconds to wait according to a response's Retry-After, whose date is compared with the server's own, if given."""
    return retry_after(response.headers.get("Retry-After"), http_date(response.headers.get("Date")) or now)


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
        started = self.clock.monotonic()
        sent, attempt = started, 0
        until = min(started + self.policy.deadline, request.extensions.get(UNTIL, inf))
        request.extensions[UNTIL] = until
        while True:
            attempt += 1
            self.requests += 1
            _shorten(request, until - sent)
            response: httpx.Response | None = None
            failure: httpx.TransportError | None = None
            try:
                response = await self.inner.handle_async_request(request)
                outcome = self._outcome(request, response)
            except httpx.TransportError as error:
                failure = error
                outcome = Outcome(never_sent=isinstance(error, NEVER_SENT), repeatable=REPEATABLE in request.extensions)
            except RsspotError as error:
                # A response that is too long would be as long again, and a permit that was refused stays refused.
                self._tell(request, attempt, None, error, sent)
                raise
            self._tell(request, attempt, response, failure, sent)
            wait = None
            if ONCE not in request.extensions and _may_repeat(self.policy, request.method, outcome):
                elapsed = self.clock.monotonic() - started
                policy = replace(self.policy, deadline=until - started)
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
            reason = f"{response.status_code}" if response is not None else type(failure).__name__
            with self.hooks.waiting(f"the next attempt at {request.method} {request.url.path} ({reason})"):
                await self.clock.sleep(wait)
            sent = self.clock.monotonic()

    def _tell(
        self,
        request: httpx.Request,
        attempt: int,
        response: httpx.Response | None,
        failure: Exception | None,
        sent: float,
    ) -> None:
        if self.hooks.after:
            seconds = round(self.clock.monotonic() - sent, 6)
            self.hooks.tell(Exchange.of(request, attempt, response, failure, seconds))

    def _outcome(self, request: httpx.Request, response: httpx.Response) -> Outcome:
        answered = request.extensions.get(REPEATABLE) if AS_IT_COMES not in request.extensions else None
        # A page that something else put in the service's place is as good as no response.
        status = response.status_code if answered is None or answered(response) else None
        if response.is_success and status is not None:
            return Outcome(status)
        return Outcome(status, pause_asked_by(response, self.clock.now()), repeatable=answered is not None)

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
