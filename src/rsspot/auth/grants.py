"""Requests to the login service and the meaning of its responses. Opens no connection and stores nothing."""

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
"""Statuses that say nothing about a token. While a device login is pending, 429 may mean `slow_down`."""
ONCE = "rsspot.once"
"""A request extension: never retry this request, and let no 429 slow others down. The sender handles each response."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
TIMEOUT = 30.0
"""Seconds to wait for a response of the login service."""
REFUSALS = frozenset({400, 401, 403})
"""Statuses that mean the token was refused. No other status says anything about the token."""
SCOPE = "openid profile email offline_access"

Send = Callable[[httpx.Request], Awaitable[httpx.Response]]
"""Sends a request to the login service."""


@dataclass(frozen=True)
class Issuer:
    """The login service, and the client ID that we use there."""

    url: str
    client_id: str

    def __post_init__(self) -> None:
        require_https(self.url)

    def request(self, path: str, **form: str) -> httpx.Request:
        """A request that posts a form to the login service."""
        url = self.url.rstrip("/") + path
        timeout = httpx.Timeout(TIMEOUT).as_dict()
        return httpx.Request(
            "POST",
            url,
            data={"client_id": self.client_id, **form},
            headers={"User-Agent": USER_AGENT},
            extensions={"timeout": timeout},
        )

    def refresh(self, refresh_token: str) -> httpx.Request:
        """The request for the refresh token grant."""
        return self.request("/oauth/token", grant_type="refresh_token", refresh_token=refresh_token)


@dataclass(frozen=True)
class Grant:
    """The tokens the login service issued. refresh_token: replaces the current one; None if that stays valid."""

    token: Token
    refresh_token: str | None = field(default=None, repr=False)


async def exchange(request: httpx.Request, send: Send) -> tuple[int, dict[str, Any]]:
    """Send a request. Returns the status and the JSON object of the response, or {} if the body is not an object.

    Raises TransportError if there is no response, or one that does not come from a working login service.
    """
    where = f"{request.method} {request.url.host}{request.url.path}"
    try:
        response = await send(request)
        body = await response.aread()
    except httpx.TimeoutException:
        raise RequestTimeout(f"timed out waiting for a response to {where}") from None
    except httpx.TransportError as error:
        hint = "check the login service's URL and the network"
        raise TransportError(f"cannot reach the login service for {where}: {error}", hint=hint) from None
    except OutcomeUnknown as error:
        # A login writes nothing that an apply would have to settle.
        raise TransportError(f"cannot decode the response of the login service: {error}") from None
    if response.status_code >= 500:
        raise TransportError(f"{where} returned {response.status_code}", hint="try again")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if response.status_code == 200 and not isinstance(answer, dict):
        # A captive portal answers every request with its own page.
        hint = "check whether your network asks you to sign in first"
        raise TransportError(f"{where} did not reach a login service", hint=hint)
    return response.status_code, answer if isinstance(answer, dict) else {}


async def refreshed(issuer: Issuer, refresh_token: str, send: Send) -> Grant:
    """Get a new token for a refresh token. Raises AuthError if it is refused, TransportError for any other failure."""
    status, answer = await exchange(issuer.refresh(refresh_token), send)
    if status in BUSY:
        raise TransportError(f"the login service is too busy ({status} from {issuer.url})", hint="try again later")
    if status != 200 and status not in REFUSALS:
        hint = "check the login service's URL: another service may be answering there"
        raise TransportError(f"{issuer.url} does not respond like a login service ({status})", hint=hint)
    if status != 200:
        raise AuthError(
            f"the refresh token was refused ({status} from {issuer.url})",
            hint="run `rsspot login` to get a new one, or create one in the console under API Access",
        )
    return granted(answer)


def granted(answer: dict[str, Any]) -> Grant:
    """The grant in a successful response. Raises AuthError without an id_token: the API accepts no other token."""
    bearer, rotated = answer.get("id_token"), answer.get("refresh_token")
    if not isinstance(bearer, str) or not bearer:
        raise AuthError("the response of the login service has no id_token")
    return Grant(Token.parse(bearer), rotated if isinstance(rotated, str) and rotated else None)


def require_https(url: str) -> str:
    """Raises ConfigError for a URL to which a credential would travel in plain text. Loopback is allowed."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise ConfigError("the URL of the service is invalid", hint="see `rsspot config explain`") from None
    if parsed.scheme == "https" or (parsed.scheme == "http" and parsed.host in LOOPBACK):
        return url
    # Only scheme and host, because the URL may contain a password.
    shown = f"'{parsed.scheme}://{parsed.host}'" if parsed.host else "a URL without a host"
    raise ConfigError(f"{shown} is not https", hint="plain http is allowed only for loopback addresses")
