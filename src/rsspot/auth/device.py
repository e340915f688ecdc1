"""Log in on another screen: the device grant of RFC 8628. Shows nothing itself; whoever can, shows the code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rsspot.auth.grants import BUSY, ONCE, SCOPE, Grant, Issuer, Send, exchange, granted
from rsspot.errors import AuthError, TransportError
from rsspot.utils.clock import Clock

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
INTERVAL = 5.0
"""Seconds between two questions, where the service does not say; and what each `slow_down` adds."""
LIFETIME = 900.0


@dataclass(frozen=True)
class Invitation:
    """What a person needs to approve: open the link, and compare the code. expires_in: seconds."""

    link: str
    code: str
    expires_in: float
    whole_link: str | None = None
    """The link with the code in it, where the service gives one."""


Show = Callable[[Invitation], None]


@dataclass(frozen=True)
class _Waiting:
    device_code: str = field(repr=False)
    interval: float
    expires_in: float


async def log_in(issuer: Issuer, send: Send, clock: Clock, show: Show, organization: str | None = None) -> Grant:
    """Ask for a code, show it, and wait until a person approves it.

    Raises AuthError when it is denied, runs out, or the service does not offer this way.
    """
    form = {"scope": SCOPE} | ({"organization": organization} if organization else {})
    status, answer = await exchange(issuer.request("/oauth/device/code", **form), send)
    if status != 200:
        raise AuthError(
            f"the login service offers no device login ({status}: {_said(answer)})",
            hint="make a refresh token in the console under API Access and set RSSPOT_REFRESH_TOKEN",
        )
    invitation, waiting = _invitation(answer)
    show(invitation)
    return await _wait(issuer, waiting, send, clock)


async def _wait(issuer: Issuer, waiting: _Waiting, send: Send, clock: Clock) -> Grant:
    deadline, interval = clock.now().timestamp() + waiting.expires_in, waiting.interval
    while clock.now().timestamp() + interval < deadline:
        await clock.sleep(interval)
        ask = issuer.request("/oauth/token", grant_type=GRANT_TYPE, device_code=waiting.device_code)
        ask.extensions[ONCE] = True
        try:
            status, answer = await exchange(ask, send)
        except TransportError:
            # A network that fails for a moment must not cost the person their approval: RFC 8628, 3.5.
            interval *= 2
            continue
        if status == 200:
            return granted(answer)
        error = answer.get("error")
        if error == "slow_down" or status in BUSY:
            interval += INTERVAL
        elif error != "authorization_pending":
            raise _refused(status, answer)
    raise AuthError("the login was not approved in time", hint="run the command again")


def _invitation(answer: dict[str, Any]) -> tuple[Invitation, _Waiting]:
    try:
        lifetime, interval = float(answer.get("expires_in", LIFETIME)), float(answer.get("interval", INTERVAL))
        code, link, device_code = (str(answer[key]) for key in ("user_code", "verification_uri", "device_code"))
    except (KeyError, TypeError, ValueError):
        raise AuthError("cannot decode the login service's response to a device login") from None
    whole = answer.get("verification_uri_complete")
    shown = Invitation(link, code, lifetime, str(whole) if whole else None)
    return shown, _Waiting(device_code, max(interval, 0.1), lifetime)


def _refused(status: int, answer: dict[str, Any]) -> AuthError:
    sentences = {
        "access_denied": "the login was denied",
        "expired_token": "the login was not approved in time",
    }
    error = str(answer.get("error"))
    said = sentences.get(error, f"the login failed ({status}: {_said(answer)})")
    return AuthError(said, hint="run the command again" if error in sentences else None)


def _said(answer: dict[str, Any]) -> str:
    return str(answer.get("error_description") or answer.get("error") or "no reason given")
