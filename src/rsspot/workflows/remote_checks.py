"""The checks of `doctor` that ask the service. They send GETs, apart from the grant that renews a token."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rsspot.auth.lifetime import MARGIN
from rsspot.client.async_client import AsyncSpotClient
from rsspot.config.models import Profile
from rsspot.constants import ORGANIZATIONS_PATH, USER_AGENT
from rsspot.errors import Forbidden, NotFound, RsspotError
from rsspot.http.call import Call
from rsspot.resources.kind import Kind
from rsspot.resources.registry import kinds
from rsspot.utils.clock import Clock, http_date, stamp
from rsspot.wire import httpx
from rsspot.workflows.diagnosis import Diagnosis, fail, ok, warn
from rsspot.workflows.verification import other_organization

PROBE_SECONDS = 10.0
"""The longest wait for a connection, and for an answer."""
NETWORK = "check the network, the proxy, and the URL in `rsspot config explain`"


@dataclass(frozen=True)
class Site:
    """A part of the service with a URL of its own, and a path there that anybody may read."""

    what: str
    url: str
    path: str


def sites_of(options: Profile) -> list[Site]:
    """The API, the login service and the price feeds."""
    return [
        Site("service", options.base_url, ORGANIZATIONS_PATH),
        Site("login service", options.oauth_url, "/.well-known/openid-configuration"),
        Site("price feeds", options.feeds_url, "/percentiles.json"),
    ]


@dataclass(frozen=True)
class Reached:
    """What came of a request to a site without a credential. date: the time there; None if it did not say"""

    diagnosis: Diagnosis
    date: datetime | None = None
    answered: bool = False


async def reach(site: Site, transport: httpx.AsyncBaseTransport, clock: Clock) -> Reached:
    """Ask a site for something, once. Any answer will do, also that one has to log in."""
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), PROBE_SECONDS)
    try:
        request = httpx.Request(
            "GET",
            site.url.rstrip("/") + site.path,
            headers={"User-Agent": USER_AGENT},
            extensions={"timeout": timeout},
        )
        began = clock.monotonic()
        response = await transport.handle_async_request(request)
        await response.aclose()
    except (httpx.TransportError, httpx.InvalidURL) as error:
        return Reached(fail(site.what, f"{_host(site.url)}: {_clause(error)}", _way_out(error)))
    except RsspotError as error:
        return Reached(fail(site.what, error, NETWORK))
    seconds = clock.monotonic() - began
    detail = f"{_host(site.url)} answers ({response.status_code}, {seconds * 1000:.0f} ms)"
    if response.status_code >= 500:
        return Reached(fail(site.what, detail, "try again later: it has a problem of its own"))
    return Reached(ok(site.what, detail), http_date(response.headers.get("Date")), answered=True)


def _host(url: str) -> str:
    """Host and port only: a URL may hold a password."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return "the URL"
    return f"{parsed.host}:{parsed.port}" if parsed.port else parsed.host or "the URL"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _clause(error: Exception) -> str:
    """Why there was no answer, in words of the network."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {getattr(cause, 'reason', None) or 'the connection was ended'}"
        if isinstance(cause, socket.gaierror):
            return "the host name cannot be resolved"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {PROBE_SECONDS:.0f} s"
    if isinstance(error, httpx.ProxyError):
        return "the proxy refused the connection"
    return "it cannot be used" if isinstance(error, httpx.InvalidURL) else "the connection failed"


def _way_out(error: Exception) -> str:
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
        return "set SSL_CERT_FILE to the certificates of your proxy or firewall, if one is in the way"
    return NETWORK


def skew(date: datetime | None, now: datetime) -> Diagnosis:
    """Whether this machine's clock agrees with the service's. Tokens are renewed a minute before they expire."""
    if date is None:
        return ok("clock", "the service does not say what time it is")
    seconds = (now - date).total_seconds()
    # The header has whole seconds, and the answer took a moment.
    detail = f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the service"
    if abs(seconds) > MARGIN:
        return warn("clock", detail, "set the clock, for example by NTP: certificates and leases depend on it")
    return ok("clock", detail if abs(seconds) >= 2 else "agrees with the service")


async def identity(client: AsyncSpotClient) -> Diagnosis:
    """Whether the token works, and whose it is."""
    try:
        persona = await client.whoami()
        await client.organizations.list()
    except RsspotError as error:
        return fail("login", error, "run `rsspot login`")
    until = f", until {stamp(persona.until)}" if persona.until else ""
    return ok("login", f"{persona.email or persona.subject or 'somebody'}{until}")


async def organization(client: AsyncSpotClient) -> Diagnosis:
    """Whether the organization exists for this user, and the token is for it."""
    try:
        name, namespace = await client.organization.name(), await client.organization.namespace()
        differs = await other_organization(client)
    except RsspotError as error:
        return fail("organization", error, "choose one with --org or RSSPOT_ORG: see `rsspot organizations list`")
    if differs:
        return warn("organization", *differs)
    return ok("organization", f"{name} ({namespace})")


async def permissions(client: AsyncSpotClient) -> list[Diagnosis]:
    """Which kinds may be listed: without one, a plan that needs it is refused."""
    listed = [kind for kind in kinds().values() if "list" in kind.verbs and not kind.local]
    answers = await asyncio.gather(*(_permission(client, kind) for kind in listed))
    allowed = [kind.plural for kind, answer in zip(listed, answers, strict=True) if answer is None]
    diagnoses = [answer for answer in answers if answer is not None]
    return [ok("permissions", f"may list {', '.join(allowed)}"), *diagnoses] if allowed else diagnoses


async def _permission(client: AsyncSpotClient, kind: Kind[Any]) -> Diagnosis | None:
    """What keeps a kind from being listed; None if nothing does."""
    what = f"list {kind.plural}"
    try:
        await client.session.send(Call("GET", await client.documents(kind).path(), {"limit": "1"}))
    except Forbidden as error:
        return fail(what, error, "ask an owner of the organization for the role")
    except NotFound:
        return warn(what, "the service does not have this kind", f"plan with --allow-incomplete {kind.name}")
    except RsspotError as error:
        return fail(what, error, "try again")
    return None
