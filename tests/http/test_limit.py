"""The rate limiter: no limit until a 429, then a lower rate, which recovers."""

from __future__ import annotations

import asyncio
import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsspot.concurrency import pause
from rsspot.errors import TooManyRequests
from rsspot.http.call import Call
from rsspot.http.rate_limit import FORGET_ABOVE, SLOWEST, LimitedTransport, RateLimiter
from rsspot.http.retry import RetryPolicy
from rsspot.http.transport import SpotTransport, TransportOptions
from rsspot.simulator.clock import ManualClock
from rsspot.utils.clock import SystemClock
from rsspot.wire import httpx

URL = "http://127.0.0.1/x"
rates = st.floats(0.5, 200)
gaps = st.lists(st.floats(0, 5), min_size=2, max_size=40)


def starts(limiter: RateLimiter, waits: list[float], began: float = 0.0) -> list[float]:
    """The times at which requests with these gaps are sent."""
    now, gone = began, []
    for gap in waits:
        now += gap
        gone.append(now + limiter.reserve(now))
    return gone


def apart(moments: list[float]) -> float:
    """The shortest interval between two times."""
    return min(later - earlier for earlier, later in pairwise(moments))


# Arithmetic


@given(gaps)
def test_without_a_maximum_no_request_waits(waits: list[float]) -> None:
    """Until the service responds with 429."""
    limiter = RateLimiter()
    assert all(limiter.reserve(gap) == 0 for gap in waits)
    limiter.accepted()
    assert limiter.rate is None


@given(rates, gaps)
def test_the_maximum_rate_is_kept(most: float, waits: list[float]) -> None:
    """However the requests arrive."""
    assert apart(starts(RateLimiter(most), waits)) >= 1 / most - 1e-9


@given(rates, gaps)
def test_slower_requests_are_not_delayed(most: float, waits: list[float]) -> None:
    """A request is sent at once if the last one was long enough ago."""
    limiter = RateLimiter(most)
    now = 0.0
    for gap in waits:
        now += gap + 1 / most + 1e-6
        assert limiter.reserve(now) == 0


@given(st.none() | rates, gaps, st.floats(0, 100), gaps)
def test_after_a_429_the_rate_is_at_most_halved_rate(
    most: float | None, before: list[float], pause: float, after: list[float]
) -> None:
    """And nothing is sent before the pause is over."""
    limiter = RateLimiter(most)
    now = starts(limiter, before)[-1]
    usual = limiter.rate
    limiter.refused(now, now, pause)
    assert limiter.rate is not None and limiter.rate >= SLOWEST
    assert limiter.rate <= max(SLOWEST, (usual or FORGET_ABOVE) / 2)
    gone = starts(limiter, after, now)
    assert gone[0] >= now + pause - 1e-9
    assert apart(gone) >= 1 / limiter.rate - 1e-6


@given(st.none() | st.floats(1, 200), st.integers(1, 30))
def test_successes_restore_the_rate(most: float | None, refusals: int) -> None:
    """In a bounded number of steps, and never above the maximum."""
    limiter = RateLimiter(most)
    limiter.reserve(0)
    for _ in range(refusals):
        limiter.refused(0, 0, 0)
    slowest, steps = limiter.rate, 0
    assert slowest is not None
    while limiter.rate != most and steps < 200:
        earlier = limiter.rate
        limiter.accepted()
        steps += 1
        assert limiter.rate is None or (earlier is not None and limiter.rate > earlier)
        assert limiter.rate is None or limiter.rate <= (most or FORGET_ABOVE)
    assert limiter.rate == most


def test_without_a_maximum_the_measured_rate_is_halved() -> None:
    """Ten per second were refused, so five are tried."""
    limiter = RateLimiter()
    starts(limiter, [0.1] * 30)
    limiter.refused(3.0, 3.0, 0)
    assert limiter.rate == pytest.approx(5.0)


def test_the_rate_never_falls_below_the_lowest() -> None:
    """Otherwise a recovery of the service would go unnoticed."""
    limiter = RateLimiter(1000)
    for _ in range(100):
        limiter.refused(0, 0, 0)
    assert limiter.rate == SLOWEST


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    """Two responses that cross each other."""
    limiter = RateLimiter()
    limiter.refused(0, 0, 30)
    limiter.refused(1, 1, 2)
    assert limiter.reserve(1) == 29


# The transport


class Service:
    """Answers with scripted statuses, then 200. Records when each request arrived."""

    def __init__(self, clock: ManualClock | SystemClock, *script: int, after: str | None = None) -> None:
        self.clock, self.script, self.after = clock, list(script), after
        self.asked: list[float] = []

    async def handle(self, _: httpx.Request) -> httpx.Response:
        self.asked.append(self.clock.now().timestamp())
        status = self.script.pop(0) if self.script else 200
        await pause(0)
        headers = {"Retry-After": self.after} if self.after and status == 429 else {}
        return httpx.Response(status, headers=headers, json={})


class Shared(ManualClock):
    """A clock whose sleepers wake in order, each at its own time."""

    def __init__(self) -> None:
        super().__init__(0.0)
        self.sleepers: list[tuple[float, asyncio.Event]] = []

    async def sleep(self, seconds: float) -> None:
        awake = asyncio.Event()
        self.sleepers.append((self.time() + seconds, awake))
        await awake.wait()

    async def run(self, *works: object) -> list[object]:
        """Advance time until all of these are done."""
        tasks = [asyncio.ensure_future(work) for work in works]
        while not all(task.done() for task in tasks):
            for _ in range(20):
                await asyncio.sleep(0)
            if self.sleepers:
                self.sleepers.sort(key=lambda sleeper: sleeper[0])
                moment, awake = self.sleepers.pop(0)
                self.advance(max(0.0, moment - self.time()))
                awake.set()
        return [task.result() for task in tasks]


def ask(transport: httpx.AsyncBaseTransport) -> object:
    """One request."""
    return transport.handle_async_request(httpx.Request("GET", URL))


async def test_simultaneous_requests_are_spaced_out() -> None:
    """At the configured rate."""
    clock = Shared()
    service = Service(clock)
    transport = LimitedTransport(httpx.MockTransport(service.handle), clock, 2.0)
    await clock.run(*(ask(transport) for _ in range(5)))
    assert service.asked == pytest.approx([0, 0.5, 1.0, 1.5, 2.0])


@pytest.mark.parametrize("after", ["10", "Thu, 01 Jan 1970 00:00:10 GMT"])
async def test_retry_after_pauses_all_requests(after: str) -> None:
    """Also those that are already waiting for their slot."""
    clock = Shared()
    service = Service(clock, 429, after=after)
    transport = LimitedTransport(httpx.MockTransport(service.handle), clock, 2.0)
    await clock.run(*(ask(transport) for _ in range(4)))
    assert service.asked[0] == 0
    assert min(service.asked[1:]) >= 10
    assert apart(service.asked[1:]) >= 0.5 - 1e-6


async def test_the_rate_recovers_fully_after_a_429() -> None:
    """Two hundred successes later there is no limit again."""
    clock = ManualClock()
    transport = LimitedTransport(httpx.MockTransport(Service(clock, 200, 429).handle), clock)
    for _ in range(2):
        await ask(transport)
    assert transport.limiter.rate is not None
    for _ in range(200):
        await ask(transport)
    assert transport.limiter.rate is None
    began = clock.time()
    await ask(transport)
    assert clock.time() == began


async def test_other_failures_do_not_lower_the_rate() -> None:
    """They are handled by retries."""
    clock = ManualClock()
    transport = LimitedTransport(httpx.MockTransport(Service(clock, 500, 503, 404, 401).handle), clock)
    for _ in range(4):
        await ask(transport)
    assert transport.limiter.rate is None


@pytest.mark.parametrize("after", ["3600", "inf", "1e400"])
async def test_a_retry_after_that_is_too_long_pauses_nobody(after: str) -> None:
    """The refused request fails at once; others do not sleep silently for an hour."""
    clock = ManualClock()
    service = Service(clock, 429, after=after)
    options = TransportOptions(policy=RetryPolicy(longest_retry_after=60.0, deadline=120.0))
    session = SpotTransport("http://127.0.0.1", None, clock, httpx.MockTransport(service.handle), options=options)
    began = clock.time()
    with pytest.raises(TooManyRequests):
        await session.send(Call("GET", "/x"))
    await session.send(Call("GET", "/x"))
    assert clock.time() - began < 60
    await session.aclose()


def test_several_loops_share_one_rate() -> None:
    """Two loops in two threads."""
    clock = SystemClock()
    service = Service(clock)
    transport = LimitedTransport(httpx.MockTransport(service.handle), clock, 100.0)
    began = clock.now().timestamp()

    async def ten() -> None:
        await asyncio.gather(*(ask(transport) for _ in range(10)))

    threads = [threading.Thread(target=lambda: asyncio.run(ten()), daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(service.asked) == 20
    assert max(service.asked) - began >= 0.185


def test_429s_of_requests_in_flight_lower_the_rate_once() -> None:
    """Twenty concurrent refusals count as one."""
    limiter = RateLimiter(most=64.0)
    for _ in range(20):
        limiter.refused(sent_at=10.0, now=10.5, pause=0.0)
    assert limiter.rate == 32.0
    limiter.refused(sent_at=11.0, now=11.2, pause=0.0)
    assert limiter.rate == 16.0
