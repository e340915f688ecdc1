"""Turns failed responses of a code host into rsspot errors that quote no token. Knows HTTP, no host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rsspot.errors import (
    ApiError,
    AuthError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    OutcomeUnknown,
    RsspotError,
    ServerError,
    TooManyRequests,
)
from rsspot.http.retry import pause_asked_by
from rsspot.utils.clock import utc_now
from rsspot.utils.reading import parse_json
from rsspot.utils.secrets import Secrets
from rsspot.wire import httpx

LONGEST = 400
Hints = Mapping[int, str]
"""Status -> what to do about it."""
CLASSES: dict[int, type[ApiError]] = {
    400: Invalid,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: Invalid,
    422: Invalid,
    429: TooManyRequests,
}


def error_of(response: httpx.Response, what: str, token: str, hints: Hints) -> RsspotError:
    """The error for a response that is no success. what: that was asked for · token: to mask if it is quoted"""
    status, method = response.status_code, response.request.method
    # Masked before it is cut: the beginning of a secret at the cut would not be recognized.
    told = Secrets((token,)).mask("; ".join(_messages(response)) or response.reason_phrase)
    text = f"{method} {what}: {told if len(told) <= LONGEST else told[:LONGEST] + '…'}"
    hint = hints.get(status)
    if status == 401:
        return AuthError(f"{text} (HTTP 401)", hint=hint)
    if method == "POST" and (status >= 500 or status == 408):
        return OutcomeUnknown(f"{text} (HTTP {status})", hint="look whether it is there before you repeat the command")
    error = CLASSES.get(status, ServerError if status >= 500 else ApiError)
    pause = pause_asked_by(response, utc_now())
    return error(text, status=status, hint=hint, retry_after=pause, method=method)


def _messages(response: httpx.Response) -> Iterator[str]:
    try:
        body = parse_json(response.content)
    except ValueError:
        # A page of a proxy: its first line says what it is.
        yield from response.text.strip().splitlines()[:1]
        return
    for field in ("message", "error", "errors"):
        yield from _texts(body.get(field) if isinstance(body, dict) else None)


def _texts(value: Any) -> Iterator[str]:
    """The texts in a message, which GitHub and GitLab give as a text, a list of objects, or a list for each field."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each.get("message") if isinstance(each, dict) else each)
    elif isinstance(value, dict):
        yield from (f"{field} {text}" for field, inner in value.items() for text in _texts(inner))
