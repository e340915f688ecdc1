"""When a request is retried: examples and properties."""

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
def test_a_read_is_retried_after_a_transient_failure(status: int | None) -> None:
    """Any outage that may be over soon."""
    assert wait_before_next(POLICY, "GET", Outcome(status), 1, 0, 0.5) == 0.5


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", [200, 201, 301, 400, 401, 403, 404, 409, 410, 422, 501])
def test_a_definite_response_is_never_retried(method: str, status: int) -> None:
    """A second attempt would not change it."""
    assert wait_before_next(POLICY, method, Outcome(status), 1, 0, 0) is None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, None])
def test_a_write_that_may_have_been_executed_is_never_retried(method: str, status: int | None) -> None:
    """Its outcome has to be settled by a read, even if the service sends a Retry-After."""
    assert wait_before_next(POLICY, method, Outcome(status, retry_after=1), 1, 0, 0) is None


@pytest.mark.parametrize("outcome", [Outcome(never_sent=True), Outcome(429)])
@pytest.mark.parametrize("method", METHODS)
def test_a_request_that_was_not_executed_is_retried(method: str, outcome: Outcome) -> None:
    """It was never sent, or refused with 429."""
    assert wait_before_next(POLICY, method, outcome, 1, 0, 0.5) == 0.5


@pytest.mark.parametrize(
    ("attempt", "elapsed", "after", "wait"),
    [
        (1, 0, None, 0.5),
        (2, 0, None, 1.0),
        (4, 0, None, 2.0),
        (5, 0, None, None),
        (1, 99.6, None, None),
        (1, 99.5, None, None),
        (1, 99.4, None, 0.5),
        (1, 0, 60.0, 60.5),
        (1, 0, 60.1, None),
        (1, 50, 50.0, None),
    ],
)
def test_the_wait_grows_and_retries_end(attempt: int, elapsed: float, after: float | None, wait: float | None) -> None:
    """By attempts, by the deadline, or by a Retry-After that is too long."""
    assert wait_before_next(POLICY, "GET", Outcome(503, after), attempt, elapsed, 0.5) == wait


@given(st.sampled_from(METHODS), outcomes, st.integers(1, 9), st.floats(0, 200), st.floats(0, 1, exclude_max=True))
def test_no_retry_is_before_its_retry_after_or_past_the_deadline(
    method: str, outcome: Outcome, attempt: int, elapsed: float, jitter: float
) -> None:
    """For any outcome."""
    wait = wait_before_next(POLICY, method, outcome, attempt, elapsed, jitter)
    if wait is not None:
        assert wait >= (outcome.retry_after or 0)
        assert elapsed + wait < POLICY.deadline
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
    """Seconds or a date; a past date means now, an invalid value none."""
    assert retry_after(header, NOW) == seconds


@given(st.text(max_size=40))
def test_any_retry_after_is_handled(header: str) -> None:
    """It never raises and never gives a negative wait."""
    seconds = retry_after(header, NOW)
    assert seconds is None or seconds >= 0


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_a_retry_after_date_gives_the_seconds_until_then(moment: datetime) -> None:
    """To the second, the precision of the header."""
    seconds = retry_after(format_datetime(moment, usegmt=True), NOW)
    assert seconds == max(0.0, (moment.replace(microsecond=0) - NOW).total_seconds())


async def test_the_transport_waits_and_counts_retries() -> None:
    """Two outages, each with its wait, and then a response."""
    clock = ManualClock()
    began = clock.time()
    answers = iter([503, 429, 200])

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(next(answers), headers={"Retry-After": "3"})

    transport = RetryTransport(httpx.MockTransport(answer), clock, POLICY, jitter=lambda: 0.0)
    response = await transport.handle_async_request(httpx.Request("GET", "http://127.0.0.1/"))
    assert (response.status_code, transport.requests, transport.repeats) == (200, 3, 2)
    assert clock.time() - began == 6


async def test_a_write_is_retried_if_the_connection_failed() -> None:
    """Nothing was sent, so nothing was executed."""
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


class Failing:
    """Responds or fails as scripted, each time after `takes` seconds. Records the timeouts of each attempt."""

    def __init__(self, clock: ManualClock, *script: int | type[httpx.TransportError], takes: float = 0.0) -> None:
        self.clock, self.script, self.takes = clock, list(script), takes
        self.timeouts: list[dict[str, float | None]] = []

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.timeouts.append(dict(request.extensions.get("timeout", {})))
        self.clock.advance(self.takes)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, int):
            return httpx.Response(step)
        raise step("broke", request=request)


def patient(seconds: float | None, method: str = "GET") -> httpx.Request:
    """A request with this value for all timeouts."""
    timeout = httpx.Timeout(seconds).as_dict()
    return httpx.Request(method, "http://127.0.0.1/x", extensions={"timeout": timeout})


def retrying(service: Failing, policy: RetryPolicy = POLICY) -> RetryTransport:
    """A transport to it, with minimal backoffs."""
    return RetryTransport(httpx.MockTransport(service.handle), service.clock, policy, jitter=lambda: 0.0)


@pytest.mark.parametrize("seconds", [30.0, None])
async def test_timeouts_are_shortened_to_the_deadline(seconds: float | None) -> None:
    """Later attempts have less time, to connect and to read."""
    service = Failing(ManualClock(), 503, takes=20)
    await retrying(service).handle_async_request(patient(seconds))
    shortest = [min(timeouts.values(), default=None) for timeouts in service.timeouts]
    assert shortest == [30 if seconds else 100, 30 if seconds else 80, 30 if seconds else 60, 30 if seconds else 40, 20]
    assert all(len(set(timeouts.values())) == 1 for timeouts in service.timeouts)


async def test_the_deadline_ends_retries_before_the_attempts_do() -> None:
    """The total time is limited, not only the number of attempts."""
    service = Failing(ManualClock(), httpx.ReadTimeout, takes=60)
    with pytest.raises(httpx.ReadTimeout):
        await retrying(service).handle_async_request(patient(60))
    assert len(service.timeouts) == 2


class Oversleeping(ManualClock):
    """A clock whose sleeps end a little late, like real ones."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds + 0.2)


async def test_an_attempt_after_the_deadline_has_a_positive_timeout() -> None:
    """Sockets reject negative timeouts."""
    service = Failing(Oversleeping(), 503, takes=99.9)
    await retrying(service).handle_async_request(patient(30))
    assert len(service.timeouts) == 2
    assert min(service.timeouts[1].values()) > 0


@pytest.mark.parametrize("method", METHODS)
async def test_with_one_attempt_nothing_is_retried(method: str) -> None:
    """Not even after a refused connection or a 429."""
    once = RetryPolicy(attempts=1)
    service = Failing(ManualClock(), 429)
    assert (await retrying(service, once).handle_async_request(patient(30, method))).status_code == 429
    service = Failing(ManualClock(), httpx.ConnectError)
    transport = retrying(service, once)
    with pytest.raises(httpx.ConnectError):
        await transport.handle_async_request(patient(30, method))
    assert (transport.requests, transport.repeats) == (1, 0)


@pytest.mark.parametrize(("statuses", "wait"), [({418}, 0.5), ({503}, None), (set(), None)])
def test_the_retried_statuses_are_configurable(statuses: set[int], wait: float | None) -> None:
    """For reads only."""
    policy = RetryPolicy(base=1.0, statuses=frozenset(statuses))
    assert wait_before_next(policy, "GET", Outcome(418), 1, 0, 0.5) == wait
    assert wait_before_next(policy, "POST", Outcome(418), 1, 0, 0.5) is None


@pytest.mark.parametrize("status", [418, 500, 503])
def test_no_setting_makes_an_ambiguous_write_retried(status: int) -> None:
    """Not even one that lists its status."""
    policy = RetryPolicy(statuses=frozenset(range(400, 600)))
    assert wait_before_next(policy, "POST", Outcome(status), 1, 0, 0) is None


@pytest.mark.parametrize(("share", "lot", "wait"), [(0, 0.0, 2), (0, 0.9, 2), (1, 0.0, 0), (1, 0.5, 1), (0.5, 0.0, 1)])
def test_jitter_is_the_random_share_of_a_backoff(share: float, lot: float, wait: float) -> None:
    """None, all or half of it."""
    policy = RetryPolicy(base=2.0, jitter=share)
    assert wait_before_next(policy, "GET", Outcome(503), 1, 0, lot) == pytest.approx(wait)


@given(st.floats(0, 1), st.floats(0, 1, exclude_max=True), st.integers(1, 4))
def test_a_backoff_never_exceeds_the_ceiling(share: float, lot: float, attempt: int) -> None:
    """And is never negative."""
    policy = RetryPolicy(base=1.0, ceiling=4.0, jitter=share)
    wait = wait_before_next(policy, "GET", Outcome(503), attempt, 0, lot)
    assert wait is not None and 0 <= wait <= min(4.0, 2.0 ** (attempt - 1))


async def test_an_unused_response_releases_its_connection() -> None:
    """Before the next attempt needs one."""
    closed: list[int] = []

    class Body(httpx.AsyncByteStream):
        async def aclose(self) -> None:
            closed.append(tries)

    tries = 0

    async def answer(_: httpx.Request) -> httpx.Response:
        nonlocal tries
        tries += 1
        assert len(closed) == tries - 1
        return httpx.Response(503, stream=Body())

    transport = RetryTransport(httpx.MockTransport(answer), ManualClock(), POLICY)
    await transport.handle_async_request(httpx.Request("GET", "http://127.0.0.1/"))
    assert closed == [1, 2, 3, 4]
