"""Requests to the login service and the meaning of its responses. Opens no connection and stores nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from math import inf
from typing import Any, NamedTuple

from rsspot.auth.lifetime import lifetime_of
from rsspot.auth.token import Token
from rsspot.constants import USER_AGENT
from rsspot.errors import AuthError, ConfigError, OutcomeUnknown, RequestTimeout, TransportError
from rsspot.utils.clock import http_date
from rsspot.utils.reading import parse_json
from rsspot.wire import httpx

BUSY = frozenset({408, 429})
"""Statuses that say nothing about a token. While a device login is pending, 429 may mean `slow_down`."""
ONCE = "rsspot.once"
"""A request extension: never retry this request, and let no 429 slow others down. The sender handles each response."""
REPEATABLE = "rsspot.repeatable"
"""A request extension: retry this as a read is retried, whatever its method. Its value is a function of a response that
tells whether the service itself answered.
"""
UNTIL = "rsspot.until"
"""A request extension: the time of the deadline, by the monotonic clock. Retries and renewals count against it."""
TIMEOUT = 30.0
"""Seconds to wait for a response of the login service."""
REFUSALS = frozenset({400, 401, 403})
"""Statuses that mean a refusal, if the body is an error of OAuth. Nothing else says anything about a token."""
OUTAGES = frozenset({"server_error", "temporarily_unavailable"})
"""Errors of OAuth that are no refusal."""
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
            extensions={"timeout": timeout, REPEATABLE: is_answer},
        )

    def refresh(self, refresh_token: str) -> httpx.Request:
        """The request for the refresh token grant."""
        return self.request("/oauth/token", grant_type="refresh_token", refresh_token=refresh_token)


@dataclass(frozen=True)
class Grant:
    """The tokens the login service issued. refresh_token: replaces the current one; None if that stays valid.

    lifetime: of the token from its receipt, in seconds, if known
    received_at: seconds since 1970 by the clock of this machine, for tokens from the cache
    login: a digest that names the device login the tokens come from; None if they come from a configured credential
    """

    token: Token
    refresh_token: str | None = field(default=None, repr=False)
    lifetime: float | None = None
    received_at: float | None = None
    login: str | None = None


class Answer(NamedTuple):
    """A response of the login service. body: {} if it is not a JSON object · sent_at: by the service's clock."""

    status: int
    body: dict[str, Any]
    sent_at: datetime | None


def is_answer(response: httpx.Response) -> bool:
    """Whether a response comes from a working login service, and not from a firewall or captive portal, say."""
    body = _object(response)
    if response.status_code in REFUSALS:
        error = (body or {}).get("error")
        return isinstance(error, str) and error not in OUTAGES
    return response.status_code < 500 and (response.status_code != 200 or body is not None)


def _object(response: httpx.Response) -> dict[str, Any] | None:
    """The body, if it is a JSON object."""
    try:
        body = parse_json(response.content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


async def exchange(request: httpx.Request, send: Send) -> Answer:
    """Send a request and read the response.

    Raises TransportError if there is no response, or one that does not come from a working login service.
    """
    where = f"{request.method} {request.url.host}{request.url.path}"
    try:
        response = await send(request)
        await response.aread()
    except httpx.TimeoutException:
        raise RequestTimeout(f"timed out waiting for a response to {where}") from None
    except httpx.TransportError as error:
        hint = "check the login service's URL and the network"
        raise TransportError(f"cannot reach the login service for {where}: {error}", hint=hint) from None
    except OutcomeUnknown as error:
        # A login writes nothing that an apply would have to settle.
        raise TransportError(f"cannot decode the response of the login service: {error}") from None
    status = response.status_code
    if status >= 500:
        raise TransportError(f"{where} returned {status}", hint="try again")
    if not is_answer(response):
        hint = "try again, and check whether a firewall is in the way or the network asks you to sign in first"
        raise TransportError(f"{where} did not reach a login service that works ({status})", hint=hint)
    return Answer(status, _object(response) or {}, http_date(response.headers.get("Date")))


async def refreshed(issuer: Issuer, refresh_token: str, send: Send, until: float = inf) -> Grant:
    """Get a new token for a refresh token. until: when to give up, by the monotonic clock.

    Raises AuthError if it is refused, TransportError for any other failure.
    """
    request = issuer.refresh(refresh_token)
    request.extensions[UNTIL] = until
    status, body, sent_at = await exchange(request, send)
    if status in BUSY:
        raise TransportError(f"the login service is too busy ({status} from {issuer.url})", hint="try again later")
    if status in REFUSALS:
        raise AuthError(
            f"the refresh token was refused ({status} from {issuer.url})",
            hint="run `rsspot login` to get a new one, or create one in the console under API Access",
        )
    if status != 200:
        hint = "check the login service's URL: another service may be answering there"
        raise TransportError(f"{issuer.url} does not respond like a login service ({status})", hint=hint)
    return granted(body, sent_at)


def granted(body: dict[str, Any], sent_at: datetime | None = None) -> Grant:
    """The grant in a successful response. Raises AuthError without an id_token: the API accepts no other token."""
    bearer, rotated = body.get("id_token"), body.get("refresh_token")
    if not isinstance(bearer, str) or not bearer:
        raise AuthError("the response of the login service has no id_token")
    token = Token.parse(bearer)
    return Grant(token, rotated if isinstance(rotated, str) and rotated else None, lifetime_of(token, sent_at))


def require_https(url: str) -> str:
    """Raises ConfigError for a URL to which a credential would travel in plain text. Loopback is allowed."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise ConfigError("the URL of the service is invalid", hint="see `rsspot config explain`") from None
    if parsed.scheme == "https" or (parsed.scheme == "http" and _is_loopback(parsed.host)):
        return url
    # Only scheme and host, because the URL may contain a password.
    shown = f"'{parsed.scheme}://{parsed.host}'" if parsed.host else "a URL without a host"
    raise ConfigError(f"{shown} is not https", hint="plain http is allowed only for loopback addresses")


def _is_loopback(host: str) -> bool:
    """Whether a host is this machine: localhost, or an address such as 127.0.0.1."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
