"""The one place where an answer or a broken line becomes an error. Knows HTTP and Kubernetes Status, no kinds."""

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
"""What may be a piece of a token."""
AMBIGUOUS = frozenset({408, 499})
"""Besides 5xx: statuses after which nobody can know whether a write was executed."""


def error_of(response: httpx.Response, secrets: Sequence[str] = ()) -> RsspotError:
    """The error that a non-2xx answer stands for. secrets: what the answer may quote and the error must not.

    On a write, a status after which nobody can know what happened is OutcomeUnknown.
    """
    body = _body(response)
    hide = _hider(response.request, secrets)
    status, message = response.status_code, _message(body, response, hide)
    if status == 401:
        return AuthError(
            f"the service refused the token: {message}", hint="it may be expired, revoked or of another organization"
        )
    if response.request.method not in SAFE and (status in AMBIGUOUS or status >= 500):
        asked = retry_after(response.headers.get("Retry-After"), utc_now())
        return OutcomeUnknown(f"{response.request.method} was answered with {status}: {message}", retry_after=asked)
    if 300 <= status < 400:
        # Following would carry a bearer to whoever the answer names, and turn writes into reads.
        return ApiError(f"the service redirects {response.request.method} elsewhere; not followed", status=status)
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
    """The error that a request without an answer stands for. `path` is what the caller asked for."""
    # What our own library refuses to send it quotes, and that may be a header.
    quotable = str(failure) and not isinstance(failure, httpx.LocalProtocolError)
    what = f"{method} {path}: {failure if quotable else type(failure).__name__}"
    if method not in SAFE and not isinstance(failure, NEVER_SENT):
        return OutcomeUnknown(f"no answer to {what}")
    if isinstance(failure, httpx.TimeoutException):
        return RequestTimeout(f"no answer in time to {what}")
    return TransportError(f"cannot reach the service for {what}", hint="check the base URL and the network")


def _hider(request: httpx.Request, secrets: Sequence[str]) -> Callable[[str], str]:
    """Masks what a service may quote of what it was sent: the bearer, and the secrets of the body."""
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    hidden = sorted({each for each in (bearer, *secrets) if each}, key=len, reverse=True)

    def piece(run: re.Match[str]) -> str:
        # A piece of a secret is as bad as the whole.
        return "(secret)" if any(run[0].strip(".") in each for each in hidden) else run[0]

    def hide(text: str) -> str:
        for each in hidden:
            text = text.replace(each, "(secret)")
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
    said = body.get("message") or body.get("error_description") or body.get("error")
    text = hide(str(said or response.text.strip() or response.reason_phrase))
    return text if len(text) <= LONGEST_MESSAGE else text[:LONGEST_MESSAGE] + "…"
