"""The requests by which tokens are had, and what their answers mean. Sends nothing and keeps nothing itself."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from rsspot.auth.token import Token
from rsspot.constants import USER_AGENT
from rsspot.errors import AuthError, ConfigError, OutcomeUnknown, RequestTimeout, TransportError
from rsspot.wire import httpx

BUSY = frozenset({408, 429})
"""Answers that say nothing about a token. To a login that is waited for, 429 may mean `slow_down`."""
ONCE = "rsspot.once"
"""A request extension: whoever sent this knows what each answer means, a 429 too, and when to ask again."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
TIMEOUT = 30.0
"""Seconds to wait for the login service."""
REFUSALS = frozenset({400, 401, 403})
"""What a login service says to a token that does not work; anything else is not about the token."""
SCOPE = "openid profile email offline_access"

Send = Callable[[httpx.Request], Awaitable[httpx.Response]]
"""How a request reaches the login service."""


@dataclass(frozen=True)
class Issuer:
    """Where tokens come from, and as which of its clients we ask."""

    url: str
    client_id: str

    def __post_init__(self) -> None:
        refuse_plain(self.url)

    def request(self, path: str, **form: str) -> httpx.Request:
        """A form posted to the login service."""
        url = self.url.rstrip("/") + path
        patience = httpx.Timeout(TIMEOUT).as_dict()
        return httpx.Request(
            "POST",
            url,
            data={"client_id": self.client_id, **form},
            headers={"User-Agent": USER_AGENT},
            extensions={"timeout": patience},
        )

    def refresh(self, refresh_token: str) -> httpx.Request:
        """The refresh grant."""
        return self.request("/oauth/token", grant_type="refresh_token", refresh_token=refresh_token)


@dataclass(frozen=True)
class Grant:
    """What the login service gives: a token, and the refresh token to use from now on if it named one."""

    token: Token
    refresh_token: str | None = field(default=None, repr=False)


async def exchange(request: httpx.Request, send: Send) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of an answer; {} for a body that is none. Raises TransportError when none came."""
    where = f"{request.method} {request.url.host}{request.url.path}"
    try:
        response = await send(request)
        body = await response.aread()
    except httpx.TimeoutException:
        raise RequestTimeout(f"timed out waiting for a response to {where}") from None
    except httpx.TransportError as failure:
        hint = "check the login service's URL and the network"
        raise TransportError(f"cannot reach the login service for {where}: {failure}", hint=hint) from None
    except OutcomeUnknown as failure:
        # Nothing was written that would have to be settled.
        raise TransportError(f"cannot decode the response of the login service: {failure}") from None
    if response.status_code >= 500:
        raise TransportError(f"{where} returned {response.status_code}", hint="try again")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if response.status_code == 200 and not isinstance(answer, dict):
        # A gate of some network answers everything with a page of its own.
        raise TransportError(f"{where} did not reach a login service", hint="is there a network to log in to?")
    return response.status_code, answer if isinstance(answer, dict) else {}


async def refreshed(issuer: Issuer, refresh_token: str, send: Send) -> Grant:
    """A new token for a refresh token. Raises AuthError when it is refused, TransportError when nobody answers."""
    status, answer = await exchange(issuer.refresh(refresh_token), send)
    if status in BUSY:
        raise TransportError(f"the login service is too busy ({status} from {issuer.url})", hint="try again later")
    if status != 200 and status not in REFUSALS:
        hint = "check the login service's URL; something else may answer in its place"
        raise TransportError(f"{issuer.url} does not respond like a login service ({status})", hint=hint)
    if status != 200:
        raise AuthError(
            f"the refresh token was refused ({status} from {issuer.url})",
            hint="`rsspot login` gets a new one, or make one in the console under API Access",
        )
    return granted(answer)


def granted(answer: dict[str, Any]) -> Grant:
    """The grant in a successful answer. Raises AuthError without an id_token: nothing else is a bearer here."""
    bearer, rotated = answer.get("id_token"), answer.get("refresh_token")
    if not isinstance(bearer, str) or not bearer:
        raise AuthError("the response of the login service has no id_token")
    return Grant(Token.parse(bearer), rotated if isinstance(rotated, str) and rotated else None)


def refuse_plain(url: str) -> str:
    """Refuse to send a credential in clear text to another machine."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise ConfigError("invalid URL of the service", hint="see `rsspot config explain`") from None
    if parsed.scheme == "https" or (parsed.scheme == "http" and parsed.host in LOOPBACK):
        return url
    # Without what may stand before the host: a password.
    said = f"'{parsed.scheme}://{parsed.host}'" if parsed.host else "an address without a host"
    raise ConfigError(f"{said} is not https", hint="plain http is allowed for loopback addresses only")
