"""Which error each response and each transport failure becomes."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsspot.auth.bearer import Bearer
from rsspot.auth.grants import Issuer
from rsspot.errors import (
    AlreadyExists,
    ApiError,
    AuthError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    OutcomeUnknown,
    RequestTimeout,
    RsspotError,
    ServerError,
    TooManyRequests,
    TransportError,
)
from rsspot.http.call import Call
from rsspot.http.envelopes import page_of
from rsspot.http.failures import error_from, error_of
from rsspot.http.paging import items_of, token_of
from rsspot.http.transport import SpotTransport
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx

LIST = Call("GET", "/x")
ANSWERS = [
    (400, "", Invalid),
    (401, "", AuthError),
    (402, "", ApiError),
    (403, "Forbidden", Forbidden),
    (404, "NotFound", NotFound),
    (405, "", ApiError),
    (409, "AlreadyExists", AlreadyExists),
    (409, "Conflict", Conflict),
    (409, "", Conflict),
    (410, "Expired", Gone),
    (415, "", Invalid),
    (422, "Invalid", Invalid),
    (429, "", TooManyRequests),
    (500, "", ServerError),
    (501, "", ServerError),
    (503, "", ServerError),
    (599, "", ServerError),
]


def answer(method: str, status: int, **rest: object) -> httpx.Response:
    """A response to a request."""
    return httpx.Response(status, request=httpx.Request(method, "http://127.0.0.1/x"), **rest)


@pytest.mark.parametrize(("status", "reason", "error"), ANSWERS)
def test_each_status_of_a_read_has_its_own_error(status: int, reason: str, error: type[RsspotError]) -> None:
    """By status, and for 409 by reason."""
    actual = error_of(answer("GET", status, json={"message": "why", "reason": reason}))
    assert type(actual) is error
    assert "why" in str(actual)
    if isinstance(actual, ApiError):
        assert (actual.status, actual.reason) == (status, reason)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("status", [408, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524, 599])
def test_a_write_with_an_ambiguous_status_has_an_unknown_outcome(method: str, status: int) -> None:
    """It may have been executed, and must not be retried."""
    actual = error_of(answer(method, status, text="oops"))
    assert type(actual) is OutcomeUnknown
    assert actual.exit_code == 11


@pytest.mark.parametrize("status", [400, 402, 403, 404, 409, 410, 415, 422, 429])
def test_a_refused_write_has_a_known_outcome(status: int) -> None:
    """It certainly was not executed."""
    assert not isinstance(error_of(answer("POST", status)), OutcomeUnknown)


def test_the_causes_in_a_status_are_on_the_error() -> None:
    """Along with the request id."""
    causes = [{"field": "spec.bidPrice", "message": "too low"}, "odd", None]
    body = {"message": "no", "reason": "Invalid", "details": {"causes": causes, "retryAfterSeconds": 4}}
    actual = error_of(answer("POST", 422, json=body, headers={"Audit-Id": "a1"}))
    assert isinstance(actual, Invalid)
    assert (actual.causes, actual.request_id, actual.retry_after) == ({"spec.bidPrice": "too low"}, "a1", 4)


def test_retry_after_is_read_from_the_header_too() -> None:
    """A gateway in front of the service responds without a Kubernetes Status."""
    actual = error_of(answer("GET", 429, text="slow down", headers={"Retry-After": "7"}))
    assert isinstance(actual, TooManyRequests)
    assert actual.retry_after == 7


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'"text"', b"\xff\xfe", b'{"details": null}', b'{"message": 1}']
)
def test_a_malformed_body_still_gives_the_error_of_its_status(body: bytes) -> None:
    """Whatever the body holds, also if it is empty."""
    assert type(error_of(answer("GET", 404, content=body))) is NotFound


@given(st.binary(max_size=2000), st.integers(400, 599), st.sampled_from(["GET", "POST"]))
def test_any_body_becomes_an_rsspot_error(body: bytes, status: int, method: str) -> None:
    """And its message has a limited length."""
    actual = error_of(answer(method, status, content=body))
    assert isinstance(actual, RsspotError)
    assert len(str(actual)) < 600


@pytest.mark.parametrize("failure", [httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.RemoteProtocolError])
def test_a_connection_lost_during_a_write_leaves_its_outcome_unknown(failure: type[httpx.TransportError]) -> None:
    """For a read it is certain that nothing was changed."""
    request = httpx.Request("POST", "http://127.0.0.1/x")
    assert type(error_from(failure("broke", request=request), "POST", "/x")) is OutcomeUnknown
    assert not isinstance(error_from(failure("broke"), "GET", "/x"), OutcomeUnknown)


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError])
def test_a_write_without_a_connection_changed_nothing(failure: type[httpx.TransportError]) -> None:
    """Its outcome is known."""
    actual = error_from(failure("no"), "POST", "/x")
    assert isinstance(actual, TransportError)
    assert not isinstance(actual, OutcomeUnknown)


@pytest.mark.parametrize("base", ["http://127.0.0.1", "http://127.0.0.1/gateway", "http://127.0.0.1/gateway/"])
async def test_a_write_lost_behind_a_gateway_has_an_unknown_outcome(base: str) -> None:
    """A base URL with a path does not change that."""

    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("broke", request=request)

    session = SpotTransport(base, None, ManualClock(), httpx.MockTransport(broken))
    with pytest.raises(OutcomeUnknown):
        await session.send(Call("POST", "/x", body={}))
    await session.aclose()


def test_a_read_timeout_is_a_request_timeout() -> None:
    """And also Python's TimeoutError."""
    actual = error_from(httpx.ReadTimeout("slow"), "GET", "/x")
    assert type(actual) is RequestTimeout
    assert isinstance(actual, TimeoutError)


async def test_a_failed_token_request_does_not_make_the_write_unknown() -> None:
    """The write was not even sent."""

    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("broke", request=request)

    issuer = Issuer("http://127.0.0.1", "tests")
    bearer = Bearer(base_url=issuer.url, issuer=issuer, clock=ManualClock(), refresh_token="canary")
    session = SpotTransport(issuer.url, bearer, ManualClock(), httpx.MockTransport(broken))
    with pytest.raises(TransportError, match="/oauth/token") as caught:
        await session.send(Call("POST", "/x", body={}))
    assert not isinstance(caught.value, OutcomeUnknown)
    await session.aclose()


@pytest.mark.parametrize(("status", "reason", "error"), ANSWERS)
def test_every_error_survives_pickling(status: int, reason: str, error: type[RsspotError]) -> None:
    """With all its attributes."""
    actual = error_of(answer("GET", status, json={"message": "why", "reason": reason}))
    again = pickle.loads(pickle.dumps(actual))
    assert (type(again), str(again), vars(again)) == (error, str(actual), vars(actual))


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"text"'])
async def test_a_read_that_is_not_a_json_object_is_a_server_error(body: bytes) -> None:
    """It neither crashes nor returns an empty list."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    session = SpotTransport("http://127.0.0.1", None, ManualClock(), transport)
    with pytest.raises(ServerError, match="JSON object"):
        await session.send(Call("GET", "/x"))
    await session.aclose()


async def test_a_list_that_keeps_expiring_is_given_up() -> None:
    """After a few restarts."""
    asked = 0

    def expire(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        if "continue" in request.url.params:
            return httpx.Response(410, json={"reason": "Expired", "message": "too old"})
        return httpx.Response(200, json={"items": [], "metadata": {"continue": "more"}})

    session = SpotTransport("http://127.0.0.1", None, ManualClock(), httpx.MockTransport(expire))
    with pytest.raises(Gone, match="3 times"):
        await session.pages(LIST, page_of, token_of)
    assert asked == 6
    await session.aclose()


@pytest.mark.parametrize("page", [{"items": None, "metadata": {"resourceVersion": "7"}}, {"items": []}])
async def test_an_empty_list_has_several_spellings(page: dict[str, object]) -> None:
    """Go servers send null, in a list that tells its version."""
    session = SpotTransport(
        "http://127.0.0.1", None, ManualClock(), httpx.MockTransport(lambda _: httpx.Response(200, json=page))
    )
    assert items_of(await session.pages(LIST, page_of, token_of)) == []
    await session.aclose()
