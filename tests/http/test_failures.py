"""Which error each answer and each broken line becomes."""

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
from rsspot.http.failures import error_from, error_of
from rsspot.http.transport import Call, SpotTransport
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx

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
    """An answer to a request."""
    return httpx.Response(status, request=httpx.Request(method, "http://127.0.0.1/x"), **rest)


@pytest.mark.parametrize(("status", "reason", "error"), ANSWERS)
def test_every_status_of_a_read_is_its_own_error(status: int, reason: str, error: type[RsspotError]) -> None:
    """By status, and 409 by its reason."""
    found = error_of(answer("GET", status, json={"message": "why", "reason": reason}))
    assert type(found) is error
    assert "why" in str(found)
    if isinstance(found, ApiError):
        assert (found.status, found.reason) == (status, reason)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("status", [408, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524, 599])
def test_a_write_with_an_ambiguous_answer_has_an_unknown_outcome(method: str, status: int) -> None:
    """It may have happened, and may not be repeated."""
    found = error_of(answer(method, status, text="oops"))
    assert type(found) is OutcomeUnknown
    assert found.exit_code == 11


@pytest.mark.parametrize("status", [400, 402, 403, 404, 409, 410, 415, 422, 429])
def test_a_write_with_a_definite_no_is_no(status: int) -> None:
    """Nothing happened, and that is certain."""
    assert not isinstance(error_of(answer("POST", status)), OutcomeUnknown)


def test_the_fields_that_the_service_named_are_kept() -> None:
    """With the id of the request."""
    causes = [{"field": "spec.bidPrice", "message": "too low"}, "odd", None]
    body = {"message": "no", "reason": "Invalid", "details": {"causes": causes, "retryAfterSeconds": 4}}
    found = error_of(answer("POST", 422, json=body, headers={"Audit-Id": "a1"}))
    assert isinstance(found, Invalid)
    assert (found.causes, found.request_id, found.retry_after) == ({"spec.bidPrice": "too low"}, "a1", 4)


def test_retry_after_is_known_from_the_header_too() -> None:
    """A gateway in front of the service answers without a Status."""
    found = error_of(answer("GET", 429, text="slow down", headers={"Retry-After": "7"}))
    assert isinstance(found, TooManyRequests)
    assert found.retry_after == 7


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'"text"', b"\xff\xfe", b'{"details": null}', b'{"message": 1}']
)
def test_an_odd_body_is_still_an_error_of_its_status(body: bytes) -> None:
    """Whatever stands in it, or nothing."""
    assert type(error_of(answer("GET", 404, content=body))) is NotFound


@given(st.binary(max_size=2000), st.integers(400, 599), st.sampled_from(["GET", "POST"]))
def test_no_answer_is_too_odd(body: bytes, status: int, method: str) -> None:
    """It becomes an error of ours, and its message has an end."""
    found = error_of(answer(method, status, content=body))
    assert isinstance(found, RsspotError)
    assert len(str(found)) < 600


@pytest.mark.parametrize("failure", [httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.RemoteProtocolError])
def test_a_line_that_breaks_under_a_write_leaves_its_outcome_unknown(failure: type[httpx.TransportError]) -> None:
    """Under a read nothing was changed."""
    request = httpx.Request("POST", "http://127.0.0.1/x")
    assert type(error_from(failure("broke", request=request), "POST", "/x")) is OutcomeUnknown
    assert not isinstance(error_from(failure("broke"), "GET", "/x"), OutcomeUnknown)


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError])
def test_a_line_that_was_never_there_changed_nothing(failure: type[httpx.TransportError]) -> None:
    """Also under a write."""
    found = error_from(failure("no"), "POST", "/x")
    assert isinstance(found, TransportError)
    assert not isinstance(found, OutcomeUnknown)


@pytest.mark.parametrize("base", ["http://127.0.0.1", "http://127.0.0.1/gateway", "http://127.0.0.1/gateway/"])
async def test_a_write_that_breaks_behind_a_gateway_has_an_unknown_outcome(base: str) -> None:
    """A path in the base URL does not make it somebody else's request."""

    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("broke", request=request)

    session = SpotTransport(base, None, ManualClock(), httpx.MockTransport(broken))
    with pytest.raises(OutcomeUnknown):
        await session.send(Call("POST", "/x", body={}))
    await session.aclose()


def test_a_read_that_takes_too_long_is_a_timeout() -> None:
    """Python's own as well."""
    found = error_from(httpx.ReadTimeout("slow"), "GET", "/x")
    assert type(found) is RequestTimeout
    assert isinstance(found, TimeoutError)


async def test_a_token_request_that_breaks_is_not_the_callers_write() -> None:
    """The write did not even start."""

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
    """With all that it knows."""
    found = error_of(answer("GET", status, json={"message": "why", "reason": reason}))
    again = pickle.loads(pickle.dumps(found))
    assert (type(again), str(again), vars(again)) == (error, str(found), vars(found))


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"text"'])
async def test_a_read_that_is_no_json_object_is_a_server_error(body: bytes) -> None:
    """Not a crash, and not an empty list."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    session = SpotTransport("http://127.0.0.1", None, ManualClock(), transport)
    with pytest.raises(ServerError, match="JSON object"):
        await session.send(Call("GET", "/x"))
    await session.aclose()


async def test_a_list_that_expires_again_and_again_is_given_up() -> None:
    """After a few restarts."""
    asked = 0

    def expire(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        if "continue" in request.url.params:
            return httpx.Response(410, json={"reason": "Expired", "message": "too old"})
        return httpx.Response(200, json={"items": [{}], "metadata": {"continue": "more"}})

    session = SpotTransport("http://127.0.0.1", None, ManualClock(), httpx.MockTransport(expire))
    with pytest.raises(Gone, match="3 times"):
        await session.items("/x")
    assert asked == 6
    await session.aclose()


@pytest.mark.parametrize("page", [{}, {"items": None}, {"items": None, "metadata": None}, {"items": []}])
async def test_an_empty_list_comes_in_many_spellings(page: dict[str, object]) -> None:
    """Go servers send null."""
    session = SpotTransport(
        "http://127.0.0.1", None, ManualClock(), httpx.MockTransport(lambda _: httpx.Response(200, json=page))
    )
    assert await session.items("/x") == []
    await session.aclose()
