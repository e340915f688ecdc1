"""How fast requests go: as fast as they like until a 429, then at a rate that is kept, and faster again."""

from __future__ import annotations

import asyncio
import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsspot.concurrency import pause
from rsspot.errors import TooManyRequests
from rsspot.http.rate_limit import FORGET_ABOVE, SLOWEST, LimitedTransport, RateLimiter
from rsspot.http.retry import RetryPolicy
from rsspot.http.transport import Call, SpotTransport, TransportOptions
from rsspot.simulator.clock import ManualClock
from rsspot.utils.clock import SystemClock
from rsspot.wire import httpx

URL = "http://127.0.0.1/x"
rates = st.floats(0.5, 200)
gaps = st.lists(st.floats(0, 5), min_size=2, max_size=40)


def starts(limiter: RateLimiter, waits: list[float], began: float = 0.0) -> list[float]:
    """When requests go out that come with these gaps between them."""
    now, gone = began, []
    for gap in waits:
        now += gap
        gone.append(now + limiter.reserve(now))
    return gone


def apart(moments: list[float]) -> float:
    """The shortest time between two."""
    return min(later - earlier for earlier, later in pairwise(moments))


# Arithmetic


@given(gaps)
def test_without_a_bound_nobody_waits(waits: list[float]) -> None:
    """Until the service asks for it."""
    limiter = RateLimiter()
    assert all(limiter.reserve(gap) == 0 for gap in waits)
    limiter.accepted()
    assert limiter.rate is None


@given(rates, gaps)
def test_a_bound_is_kept(most: float, waits: list[float]) -> None:
    """However the requests come."""
    assert apart(starts(RateLimiter(most), waits)) >= 1 / most - 1e-9


@given(rates, gaps)
def test_a_bound_costs_nothing_to_who_is_slower(most: float, waits: list[float]) -> None:
    """Each request goes as soon as it comes, if the last one was long enough ago."""
    limiter = RateLimiter(most)
    now = 0.0
    for gap in waits:
        now += gap + 1 / most + 1e-6
        assert limiter.reserve(now) == 0


@given(st.none() | rates, gaps, st.floats(0, 100), gaps)
def test_after_a_429_nothing_is_faster_than_the_new_rate(
    most: float | None, before: list[float], pause: float, after: list[float]
) -> None:
    """Which is at most half of what it was, and nobody goes before the pause is over."""
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
def test_successes_bring_the_old_rate_back(most: float | None, refusals: int) -> None:
    """In a bounded number, never faster than allowed on the way, and for good."""
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


def test_the_rate_at_which_it_was_too_fast_is_the_one_that_is_halved() -> None:
    """Ten in a second were too many: five are tried."""
    limiter = RateLimiter()
    starts(limiter, [0.1] * 30)
    limiter.refused(3.0, 3.0, 0)
    assert limiter.rate == pytest.approx(5.0)


def test_a_service_that_always_refuses_is_still_asked_now_and_then() -> None:
    """Otherwise nobody would notice when it is well again."""
    limiter = RateLimiter(1000)
    for _ in range(100):
        limiter.refused(0, 0, 0)
    assert limiter.rate == SLOWEST


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    """Two answers that cross each other."""
    limiter = RateLimiter()
    limiter.refused(0, 0, 30)
    limiter.refused(1, 1, 2)
    assert limiter.reserve(1) == 29


# The transport


class Service:
    """Answers from a script, and then 200. Knows when it was asked."""

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
    """A clock by which sleepers wake in their order, each at its own moment."""

    def __init__(self) -> None:
        super().__init__(0.0)
        self.sleepers: list[tuple[float, asyncio.Event]] = []

    async def sleep(self, seconds: float) -> None:
        awake = asyncio.Event()
        self.sleepers.append((self.time() + seconds, awake))
        await awake.wait()

    async def run(self, *works: object) -> list[object]:
        """Let time pass until all of this is done."""
        tasks = [asyncio.ensure_future(each) for each in works]
        while not all(each.done() for each in tasks):
            for _ in range(20):
                await asyncio.sleep(0)
            if self.sleepers:
                self.sleepers.sort(key=lambda each: each[0])
                moment, awake = self.sleepers.pop(0)
                self.advance(max(0.0, moment - self.time()))
                awake.set()
        return [each.result() for each in tasks]


def ask(transport: httpx.AsyncBaseTransport) -> object:
    """One request."""
    return transport.handle_async_request(httpx.Request("GET", URL))


async def test_requests_that_come_together_go_one_by_one() -> None:
    """At the rate that was asked for."""
    clock = Shared()
    service = Service(clock)
    transport = LimitedTransport(httpx.MockTransport(service.handle), clock, 2.0)
    await clock.run(*(ask(transport) for _ in range(5)))
    assert service.asked == pytest.approx([0, 0.5, 1.0, 1.5, 2.0])


@pytest.mark.parametrize("after", ["10", "Thu, 01 Jan 1970 00:00:10 GMT"])
async def test_retry_after_pauses_everyone(after: str) -> None:
    """Also those who have their place already and sleep until its moment comes."""
    clock = Shared()
    service = Service(clock, 429, after=after)
    transport = LimitedTransport(httpx.MockTransport(service.handle), clock, 2.0)
    await clock.run(*(ask(transport) for _ in range(4)))
    assert service.asked[0] == 0
    assert min(service.asked[1:]) >= 10
    assert apart(service.asked[1:]) >= 0.5 - 1e-6


async def test_a_429_without_a_bound_slows_down_and_recovers() -> None:
    """Two hundred successes later it is as if it had never been."""
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


async def test_other_failures_are_no_reason_to_slow_down() -> None:
    """Those are for the retries."""
    clock = ManualClock()
    transport = LimitedTransport(httpx.MockTransport(Service(clock, 500, 503, 404, 401).handle), clock)
    for _ in range(4):
        await ask(transport)
    assert transport.limiter.rate is None


@pytest.mark.parametrize("after", ["3600", "inf", "1e400"])
async def test_a_pause_too_long_to_wait_for_holds_nobody_up(after: str) -> None:
    """The one who was told gives up at once; the others do not sleep for an hour without a word."""
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


def test_the_rate_is_one_for_several_loops() -> None:
    """Two loops in threads, one bound."""
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
        thread.join(10)
    assert len(service.asked) == 20
    assert max(service.asked) - began >= 0.185


def test_refusals_of_what_was_on_its_way_lower_the_pace_once() -> None:
    """Twenty requests at once that are all refused say one thing, not twenty."""
    limiter = RateLimiter(most=64.0)
    for _ in range(20):
        limiter.refused(sent_at=10.0, now=10.5, pause=0.0)
    assert limiter.rate == 32.0
    limiter.refused(sent_at=11.0, now=11.2, pause=0.0)
    assert limiter.rate == 16.0
