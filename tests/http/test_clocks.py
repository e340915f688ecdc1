"""A clock that is set while a request is under way neither ends nor prolongs it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rsspot.auth.grants import UNTIL
from rsspot.http.cache import CachePolicy, ResponseCache
from rsspot.http.failures import error_of
from rsspot.http.rate_limit import LimitedTransport
from rsspot.http.retry import RetryPolicy, RetryTransport
from rsspot.http.transport import SpotTransport
from rsspot.simulator.clock import ManualClock
from rsspot.state.database import Database
from rsspot.state.http_cache import SqliteCache
from rsspot.wire import httpx

URL = "http://127.0.0.1/x"
HOUR = 3600.0
STEPS = [-HOUR, HOUR]


@pytest.mark.parametrize("step", STEPS)
async def test_a_clock_that_steps_does_not_change_the_number_of_attempts(step: float) -> None:
    """The deadline counts seconds that passed."""
    clock, timeouts = ManualClock(), []

    def answer(request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"]["read"])
        clock.advance(40)
        clock.step(step)
        return httpx.Response(503)

    policy = RetryPolicy(attempts=9, base=0.0, deadline=100.0)
    transport = RetryTransport(httpx.MockTransport(answer), clock, policy)
    request = httpx.Request("GET", URL, extensions={"timeout": httpx.Timeout(200.0).as_dict()})
    await transport.handle_async_request(request)
    assert timeouts == [100, 60, 20]


@pytest.mark.parametrize("step", STEPS)
async def test_a_clock_that_steps_does_not_change_the_rate(step: float) -> None:
    """Otherwise a client stands still for an hour, or sends a burst."""
    clock, sent = ManualClock(), []

    def answer(_: httpx.Request) -> httpx.Response:
        sent.append(clock.monotonic())
        clock.step(step)
        return httpx.Response(200)

    transport = LimitedTransport(httpx.MockTransport(answer), clock, 2.0)
    for _ in range(4):
        await transport.handle_async_request(httpx.Request("GET", URL))
    assert sent == pytest.approx([0, 0.5, 1, 1.5])


class Body(httpx.AsyncByteStream):
    """A body in two parts; the clock is set in between."""

    def __init__(self, clock: ManualClock, step: float) -> None:
        self._clock, self._step = clock, step

    async def __aiter__(self):
        yield b"{"
        self._clock.step(self._step)
        yield b"}"


async def test_a_clock_set_forward_does_not_cut_a_body_off() -> None:
    """The time of day passed the deadline, but no time passed."""
    clock = ManualClock()
    session = SpotTransport(
        "http://127.0.0.1", None, clock, httpx.MockTransport(lambda _: httpx.Response(200, stream=Body(clock, HOUR)))
    )
    response = await session.transport.handle_async_request(httpx.Request("GET", URL))
    assert response.content == b"{}"
    assert response.request.extensions[UNTIL] == 120


@pytest.mark.parametrize("off", [0.0, *STEPS])
async def test_the_date_of_a_retry_after_is_read_by_the_services_clock(off: float) -> None:
    """However wrong ours is."""
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    clock.step(off)
    headers = {"Date": "Thu, 01 Jan 2026 00:00:00 GMT", "Retry-After": "Thu, 01 Jan 2026 00:00:30 GMT"}
    answers = iter([429, 200])
    transport = RetryTransport(
        httpx.MockTransport(lambda _: httpx.Response(next(answers), headers=headers)), clock, jitter=lambda: 0.0
    )
    response = await transport.handle_async_request(httpx.Request("GET", URL))
    assert (response.status_code, clock.monotonic()) == (200, 30)
    refusal = httpx.Response(429, headers=headers, request=httpx.Request("GET", URL))
    assert error_of(refusal).retry_after == 30


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("again", [False, True], ids=["memory", "disk"])
def test_a_clock_that_is_set_does_not_keep_an_answer_for_longer(tmp_path: Path, step: float, again: bool) -> None:
    """At worst it is asked for once more. Otherwise a list from before an hour counts as current."""
    clock, policy, place = ManualClock(), CachePolicy(default_ttl=60), ("/x", "")

    def opened() -> ResponseCache:
        store = SqliteCache(Database(tmp_path / "state.db"), most_entries=10, most_bytes=1000)
        return ResponseCache(URL, lambda: "alice", policy, clock, store)

    cache = opened()
    cache.put(place, b"{}", 60, cache.begin())
    clock.step(step)
    cache = opened() if again else cache
    assert cache.get(place) == (None if again else b"{}")
    clock.advance(60)
    assert cache.get(place) is None
