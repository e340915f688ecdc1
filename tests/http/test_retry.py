"""When a request goes out again, as a table and as laws."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsspot.http.retry import Outcome, RetryPolicy, RetryTransport, retry_after, wait_before_next
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx

POLICY = RetryPolicy(attempts=5, base=1.0, ceiling=4.0, longest_retry_after=60.0, deadline=100.0)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
outcomes = st.builds(
    Outcome,
    status=st.none() | st.integers(100, 599),
    retry_after=st.none() | st.floats(0, 1e6),
    never_sent=st.booleans(),
)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, None])
def test_a_read_is_repeated_after_what_passes(status: int | None) -> None:
    """Every outage that may be over soon."""
    assert wait_before_next(POLICY, "GET", Outcome(status), 1, 0, 0.5) == 0.5


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", [200, 201, 301, 400, 401, 403, 404, 409, 410, 422, 501])
def test_a_definite_answer_is_never_asked_for_again(method: str, status: int) -> None:
    """Asking twice would not change it."""
    assert wait_before_next(POLICY, method, Outcome(status), 1, 0, 0) is None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, None])
def test_a_write_that_may_have_happened_is_never_repeated(method: str, status: int | None) -> None:
    """That is for a read to settle, even when the service says when to come back."""
    assert wait_before_next(POLICY, method, Outcome(status, retry_after=1), 1, 0, 0) is None


@pytest.mark.parametrize("outcome", [Outcome(never_sent=True), Outcome(429)])
@pytest.mark.parametrize("method", METHODS)
def test_what_was_not_executed_is_repeated(method: str, outcome: Outcome) -> None:
    """Never sent, or refused unread."""
    assert wait_before_next(POLICY, method, outcome, 1, 0, 0.5) == 0.5


@pytest.mark.parametrize(
    ("attempt", "elapsed", "after", "wait"),
    [
        (1, 0, None, 0.5),
        (2, 0, None, 1.0),
        (4, 0, None, 2.0),
        (5, 0, None, None),
        (1, 99.6, None, None),
        (1, 99.5, None, 0.5),
        (1, 0, 60.0, 60.5),
        (1, 0, 60.1, None),
        (1, 50, 50.0, None),
    ],
)
def test_the_wait_grows_and_ends(attempt: int, elapsed: float, after: float | None, wait: float | None) -> None:
    """By attempts, by the deadline, or by a Retry-After that is too long."""
    assert wait_before_next(POLICY, "GET", Outcome(503, after), attempt, elapsed, 0.5) == wait


@given(st.sampled_from(METHODS), outcomes, st.integers(1, 9), st.floats(0, 200), st.floats(0, 1, exclude_max=True))
def test_nothing_goes_out_before_its_retry_after_or_past_the_deadline(
    method: str, outcome: Outcome, attempt: int, elapsed: float, jitter: float
) -> None:
    """Whatever happened: as long as the service asked, or never."""
    wait = wait_before_next(POLICY, method, outcome, attempt, elapsed, jitter)
    if wait is not None:
        assert wait >= (outcome.retry_after or 0)
        assert elapsed + wait <= POLICY.deadline
        assert attempt < POLICY.attempts


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("7", 7),
        ("1.5", 1.5),
        ("-3", 0),
        ("soon", None),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30),
        ("Thu, 01 Jan 2026 01:00:30 +0100", 30),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
        ("Thu, 32 Jan 2026 00:00:30 GMT", None),
    ],
)
def test_both_forms_of_retry_after_are_read(header: str | None, seconds: float | None) -> None:
    """Seconds or a date; a moment that is past is now, and nonsense is nothing."""
    assert retry_after(header, NOW) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_is_too_odd(header: str) -> None:
    """It is read or passed over; it never raises and is never in the past."""
    seconds = retry_after(header, NOW)
    assert seconds is None or seconds >= 0


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_a_date_is_as_far_away_as_it_is(moment: datetime) -> None:
    """To the second, which is all that a date header tells."""
    seconds = retry_after(format_datetime(moment, usegmt=True), NOW)
    assert seconds == max(0.0, (moment.replace(microsecond=0) - NOW).total_seconds())


async def test_the_transport_obeys_and_counts() -> None:
    """Two outages, each with its wait, and then an answer."""
    clock = ManualClock()
    began = clock.time()
    answers = iter([503, 429, 200])

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(next(answers), headers={"Retry-After": "3"})

    transport = RetryTransport(httpx.MockTransport(answer), clock, POLICY, jitter=lambda: 0.0)
    response = await transport.handle_async_request(httpx.Request("GET", "http://127.0.0.1/"))
    assert (response.status_code, transport.requests, transport.repeats) == (200, 3, 2)
    assert clock.time() - began == 6


async def test_a_connection_that_was_never_made_is_tried_again_for_a_write() -> None:
    """Nothing was written to it, so nothing happened."""
    tries = 0

    def refuse(request: httpx.Request) -> httpx.Response:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(201)

    transport = RetryTransport(httpx.MockTransport(refuse), ManualClock(), POLICY)
    response = await transport.handle_async_request(httpx.Request("POST", "http://127.0.0.1/"))
    assert (response.status_code, tries) == (201, 3)
