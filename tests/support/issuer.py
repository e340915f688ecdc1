"""Tokens that nobody checks, and a service that issues them and answers as a test says."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

from rsspot.auth.bearer import Bearer
from rsspot.auth.grants import Issuer
from rsspot.http.transport import SpotTransport
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx

CANARY = "canary-refresh-token"
URL = "http://127.0.0.1"
Answer = Callable[[httpx.Request], httpx.Response]


def id_token(**claims: object) -> str:
    """An id_token whose signature nobody checks, and which is a canary too."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"canary-header.{payload}.canary-signature"


def refused(_: httpx.Request) -> httpx.Response:
    """What a login service says of a refresh token that is not valid."""
    return httpx.Response(401, json={"error": "access_denied", "error_description": "Unauthorized"})


class Service:
    """A token endpoint and an API behind it, as functions."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.lifetime = 3600.0
        self.issued = 0
        self.seen: list[httpx.Request] = []
        self.api: Answer = lambda _: httpx.Response(200, json={})
        self.login: Answer = self.issue

    def issue(self, _: httpx.Request) -> httpx.Response:
        """A token, every one another."""
        self.issued += 1
        token = id_token(exp=self.clock.time() + self.lifetime, number=self.issued)
        return httpx.Response(200, json={"id_token": token, "access_token": "canary-access"})

    @property
    def logins(self) -> list[httpx.Request]:
        """The requests for a token."""
        return [each for each in self.seen if each.url.path == "/oauth/token"]

    @property
    def calls(self) -> list[httpx.Request]:
        """The requests to the API."""
        return [each for each in self.seen if each.url.path != "/oauth/token"]

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        await asyncio.sleep(0)
        return self.login(request) if request.url.path == "/oauth/token" else self.api(request)

    def session(self, bearer: Bearer) -> SpotTransport:
        """A session that a bearer signs."""
        return SpotTransport(URL, bearer, self.clock, httpx.MockTransport(self.handle))


def bearer_of(service: Service, base_url: str = URL, oauth_url: str = URL, **rest: Any) -> Bearer:
    """A bearer for the service, with a refresh token unless something else is named."""
    credentials = {"refresh_token": CANARY, **rest}
    return Bearer(base_url=base_url, issuer=Issuer(oauth_url, "tests"), clock=service.clock, **credentials)
