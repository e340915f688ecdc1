"""Device login: the device authorization grant of RFC 8628. Displays nothing itself: a callback shows the code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rsspot.auth.grants import BUSY, ONCE, SCOPE, Grant, Issuer, Send, exchange, granted
from rsspot.errors import AuthError, TransportError
from rsspot.utils.clock import Clock

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
INTERVAL = 5.0
"""Seconds between two polls if the service does not say. Each `slow_down` adds as many again."""
LIFETIME = 900.0
"""Seconds until the code expires if the service does not say."""


@dataclass(frozen=True)
class Invitation:
    """What a user needs to approve the login: a link to open and a code to compare. expires_in: seconds."""

    link: str
    code: str
    expires_in: float
    whole_link: str | None = None
    """The link with the code included, if the service provides one."""


Show = Callable[[Invitation], None]


@dataclass(frozen=True)
class _Pending:
    device_code: str = field(repr=False)
    interval: float
    expires_in: float


async def log_in(issuer: Issuer, send: Send, clock: Clock, show: Show, organization: str | None = None) -> Grant:
    """Request a code, show it, and wait until the user approves the login.

    Raises AuthError if the login is denied or not approved in time, or if the service does not support device login.
    """
    form = {"scope": SCOPE} | ({"organization": organization} if organization else {})
    status, body, _ = await exchange(issuer.request("/oauth/device/code", **form), send)
    if status != 200:
        raise AuthError(
            f"the login service does not support device login ({status}: {_reason(body)})",
            hint="create a refresh token in the console under API Access and set RSSPOT_REFRESH_TOKEN",
        )
    invitation, pending = _invitation(body)
    show(invitation)
    return await _wait(issuer, pending, send, clock)


async def _wait(issuer: Issuer, pending: _Pending, send: Send, clock: Clock) -> Grant:
    deadline, interval = clock.monotonic() + pending.expires_in, pending.interval
    while clock.monotonic() + interval < deadline:
        await clock.sleep(interval)
        poll = issuer.request("/oauth/token", grant_type=GRANT_TYPE, device_code=pending.device_code)
        poll.extensions[ONCE] = True
        try:
            status, body, sent_at = await exchange(poll, send)
        except TransportError:
            # A brief network failure must not end a login that the user may have approved already.
            # RFC 8628, section 3.5: back off after a timeout.
            interval *= 2
            continue
        if status == 200:
            return granted(body, sent_at)
        error = body.get("error")
        if error == "slow_down" or status in BUSY:
            interval += INTERVAL
        elif error != "authorization_pending":
            raise _login_error(status, body)
    raise AuthError("the login was not approved in time", hint="run the command again")


def _invitation(answer: dict[str, Any]) -> tuple[Invitation, _Pending]:
    try:
        lifetime, interval = float(answer.get("expires_in", LIFETIME)), float(answer.get("interval", INTERVAL))
        code, link, device_code = (str(answer[key]) for key in ("user_code", "verification_uri", "device_code"))
    except (KeyError, TypeError, ValueError):
        raise AuthError("cannot decode the login service's response to a device login") from None
    complete_link = answer.get("verification_uri_complete")
    invitation = Invitation(link, code, lifetime, str(complete_link) if complete_link else None)
    return invitation, _Pending(device_code, max(interval, 0.1), lifetime)


def _login_error(status: int, answer: dict[str, Any]) -> AuthError:
    messages = {
        "access_denied": "the login was denied",
        "expired_token": "the login was not approved in time",
    }
    error = str(answer.get("error"))
    message = messages.get(error, f"the login failed ({status}: {_reason(answer)})")
    return AuthError(message, hint="run the command again" if error in messages else None)


def _reason(answer: dict[str, Any]) -> str:
    return str(answer.get("error_description") or answer.get("error") or "no reason given")
