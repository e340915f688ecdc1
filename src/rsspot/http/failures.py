"""Turns failed responses and transport failures into rsspot errors. Knows HTTP and Kubernetes Status, no kinds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
from rsspot.http.hooks import request_id_of
from rsspot.http.next_steps import NEXT_STEPS, REDIRECTED, UNKNOWN, next_step
from rsspot.http.retry import NEVER_SENT, SAFE, pause_asked_by, retry_after
from rsspot.utils.clock import utc_now
from rsspot.utils.reading import parse_json
from rsspot.utils.secrets import Secrets
from rsspot.utils.serialization import Document
from rsspot.wire import httpx

LONGEST_MESSAGE = 400
AMBIGUOUS = frozenset({408, 499})
"""Statuses besides 5xx after which it is unknown whether a write was executed."""


def error_of(response: httpx.Response, secrets: Sequence[str] = ()) -> RsspotError:
    """The error for a non-2xx response. secrets: values to mask if the response quotes them.

    For a write, a 5xx, 408 or 499 becomes OutcomeUnknown.
    """
    body = _body(response)
    # The bearer token is masked too, in case the service quotes the request.
    hidden = Secrets((response.request.headers.get("Authorization", "").removeprefix("Bearer "), *secrets))
    status, message = response.status_code, _message(body, response, hidden)
    if status == 401:
        return AuthError(f"the service refused the token (HTTP 401): {message}", hint=NEXT_STEPS[401])
    if response.request.method not in SAFE and (status in AMBIGUOUS or status >= 500):
        seconds = _seconds(body, response)
        text = f"{response.request.method} returned {status}: {message}"
        return OutcomeUnknown(text, hint=UNKNOWN, retry_after=seconds)
    if 300 <= status < 400:
        # Following the redirect would send the bearer token to another host, and could turn a write into a read.
        text = f"the service redirected {response.request.method}; redirects are not followed"
        return ApiError(text, status=status, hint=REDIRECTED, method=response.request.method)
    reason = str(body.get("reason") or "")
    return _class_for(status, reason)(
        message,
        status=status,
        reason=hidden.mask(reason),
        causes=dict(_causes(body, hidden)),
        request_id=request_id_of(response),
        retry_after=_seconds(body, response),
        hint=next_step(status, reason, message),
        method=response.request.method,
    )


def _details(body: Document) -> Document:
    details = body.get("details")
    return details if isinstance(details, dict) else {}


def _causes(body: Document, hidden: Secrets) -> Iterator[tuple[str, str]]:
    causes = _details(body).get("causes")
    for cause in causes if isinstance(causes, list) else ():
        if isinstance(cause, dict):
            yield hidden.mask(str(cause.get("field") or "")), hidden.mask(str(cause.get("message") or ""))


def _seconds(body: Document, response: httpx.Response) -> float | None:
    """How long the service asked to be left alone, by the body or else by the header; None if it did not say."""
    seconds = _details(body).get("retryAfterSeconds")
    from_body = retry_after(str(seconds), utc_now()) if isinstance(seconds, int | float | str) and seconds else None
    return from_body or pause_asked_by(response, utc_now())


def error_from(failure: httpx.TransportError | httpx.DecodingError, method: str, path: str) -> RsspotError:
    """The error for a request that got no response. `path` is the path the caller requested."""
    # A LocalProtocolError quotes what httpx refused to send, and that may be a header with a secret.
    quotable = str(failure) and not isinstance(failure, httpx.LocalProtocolError)
    what = f"{method} {path}: {failure if quotable else type(failure).__name__}"
    if method not in SAFE and not isinstance(failure, NEVER_SENT):
        return OutcomeUnknown(f"no response to {what}", hint=UNKNOWN)
    if isinstance(failure, httpx.TimeoutException):
        return RequestTimeout(f"timed out: {what}", hint="check the network, or set a longer `timeout`")
    return TransportError(f"cannot reach the service for {what}", hint="check the base URL and the network")


def _class_for(status: int, reason: str) -> type[ApiError]:
    if status == 409:
        return AlreadyExists if reason == "AlreadyExists" else Conflict
    classes: dict[int, type[ApiError]] = {
        400: Invalid,
        403: Forbidden,
        404: NotFound,
        410: Gone,
        415: Invalid,
        422: Invalid,
        429: TooManyRequests,
    }
    return classes.get(status, ServerError if status >= 500 else ApiError)


def _body(response: httpx.Response) -> Document:
    try:
        body = parse_json(response.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _message(body: Document, response: httpx.Response, hidden: Secrets) -> str:
    message = body.get("message") or body.get("error_description") or body.get("error")
    # Masked before it is cut: the beginning of a secret at the cut would not be recognized.
    text = hidden.mask(str(message or response.text.strip() or response.reason_phrase))
    return text if len(text) <= LONGEST_MESSAGE else text[:LONGEST_MESSAGE] + "…"
