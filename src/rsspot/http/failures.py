"""Turns failed responses and transport failures into rsspot errors. Knows HTTP and Kubernetes Status, no kinds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

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
from rsspot.http.retry import NEVER_SENT, SAFE, retry_after
from rsspot.utils.clock import utc_now
from rsspot.wire import httpx

LONGEST_MESSAGE = 400
LONG_RUN = re.compile(r"[A-Za-z0-9_.~+/=-]{12,}")
"""Text that could be part of a token."""
AMBIGUOUS = frozenset({408, 499})
"""Statuses besides 5xx after which it is unknown whether a write was executed."""


def error_of(response: httpx.Response, secrets: Sequence[str] = ()) -> RsspotError:
    """The error for a non-2xx response. secrets: values to mask if the response quotes them.

    For a write, a 5xx, 408 or 499 becomes OutcomeUnknown.
    """
    body = _body(response)
    hide = _hider(response.request, secrets)
    status, message = response.status_code, _message(body, response, hide)
    if status == 401:
        return AuthError(
            f"the service refused the token: {message}",
            hint="it may be expired, revoked or issued for another organization",
        )
    if response.request.method not in SAFE and (status in AMBIGUOUS or status >= 500):
        seconds = retry_after(response.headers.get("Retry-After"), utc_now())
        return OutcomeUnknown(f"{response.request.method} returned {status}: {message}", retry_after=seconds)
    if 300 <= status < 400:
        # Following the redirect would send the bearer token to another host, and could turn a write into a read.
        return ApiError(f"the service redirected {response.request.method}; redirects are not followed", status=status)
    raw_details = body.get("details")
    details: dict[str, Any] = raw_details if isinstance(raw_details, dict) else {}
    return _class_for(status, str(body.get("reason") or ""))(
        message,
        status=status,
        reason=str(body.get("reason") or ""),
        causes={
            str(c.get("field", "")): hide(str(c.get("message", "")))
            for c in details.get("causes") or []
            if isinstance(c, dict)
        },
        request_id=request_id_of(response),
        retry_after=details.get("retryAfterSeconds") or retry_after(response.headers.get("Retry-After"), utc_now()),
    )


def error_from(failure: httpx.TransportError | httpx.DecodingError, method: str, path: str) -> RsspotError:
    """The error for a request that got no response. `path` is the path the caller requested."""
    # A LocalProtocolError quotes what httpx refused to send, and that may be a header with a secret.
    quotable = str(failure) and not isinstance(failure, httpx.LocalProtocolError)
    what = f"{method} {path}: {failure if quotable else type(failure).__name__}"
    if method not in SAFE and not isinstance(failure, NEVER_SENT):
        return OutcomeUnknown(f"no response to {what}")
    if isinstance(failure, httpx.TimeoutException):
        return RequestTimeout(f"timed out: {what}")
    return TransportError(f"cannot reach the service for {what}", hint="check the base URL and the network")


def _hider(request: httpx.Request, secrets: Sequence[str]) -> Callable[[str], str]:
    """A function that masks the bearer token and the secrets of the body, in case the service quotes them."""
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    hidden = sorted({secret for secret in (bearer, *secrets) if secret}, key=len, reverse=True)

    def piece(run: re.Match[str]) -> str:
        # A fragment of a secret must not leak either.
        return "(secret)" if any(run[0].strip(".") in secret for secret in hidden) else run[0]

    def hide(text: str) -> str:
        for secret in hidden:
            text = text.replace(secret, "(secret)")
        return LONG_RUN.sub(piece, text)

    return hide


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


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _message(body: dict[str, Any], response: httpx.Response, hide: Callable[[str], str]) -> str:
    message = body.get("message") or body.get("error_description") or body.get("error")
    text = hide(str(message or response.text.strip() or response.reason_phrase))
    return text if len(text) <= LONGEST_MESSAGE else text[:LONGEST_MESSAGE] + "…"
