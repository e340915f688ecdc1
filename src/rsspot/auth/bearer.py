"""How a request gets its bearer: refresh before expiry, once more on 401, never on 403. Sends nothing itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path

from rsspot.auth.cache import Kept, TokenCache
from rsspot.auth.token import Token
from rsspot.errors import AuthError, ConfigError, TransportError
from rsspot.utils import Clock
from rsspot.wire import httpx

TOKEN_PATH = "/oauth/token"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Bearer(httpx.Auth):
    """Signs requests to one origin with an id_token made from a refresh token.

    One refresh serves every task that waits for it. A request to any other origin is not signed.
    """

    def __init__(
        self,
        refresh_token: str,
        *,
        base_url: str,
        oauth_url: str,
        client_id: str,
        clock: Clock,
        cache_folder: Path | None = None,
    ) -> None:
        self._configured = self._refresh_token = refresh_token
        self._cache = TokenCache(cache_folder, oauth_url, client_id, refresh_token) if cache_folder else None
        self._origin = origin_of(base_url)
        self._token_url = refuse_plain(oauth_url).rstrip("/") + TOKEN_PATH
        refuse_plain(base_url)
        self._client_id = client_id
        self._clock = clock
        self._lock = asyncio.Lock()
        kept = self._cache.load() if self._cache else None
        self._token: Token | None = kept.token if kept else None
        if kept and kept.refresh_token:
            self._refresh_token = kept.refresh_token

    @property
    def token(self) -> Token | None:
        """The token in use; None before the first request."""
        return self._token

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        if origin_of(str(request.url)) != self._origin:
            yield request
            return
        used = self._token
        if used is None or not used.fresh(self._clock.now()):
            async with self._lock:
                if self._token is used:
                    self._token = await self._accept((yield self._refresh()))
            used = self._token
        response = yield self._sign(request, used)
        if response.status_code != 401:
            return
        async with self._lock:
            if self._token is used:
                self._token = await self._accept((yield self._refresh()))
        yield self._sign(request, self._token)

    def _sign(self, request: httpx.Request, token: Token | None) -> httpx.Request:
        if token is not None:
            request.headers["Authorization"] = f"Bearer {token.bearer}"
        return request

    def _refresh(self) -> httpx.Request:
        form = {
            "grant_type": "refresh_token",
            "client_id": self._client_id,
            "refresh_token": self._refresh_token,
        }
        return httpx.Request("POST", self._token_url, data=form)

    async def _accept(self, response: httpx.Response) -> Token:
        if response.status_code >= 500:
            raise TransportError(f"{self._token_url} answered with {response.status_code}", hint="try again")
        if response.status_code != 200:
            raise AuthError(
                f"the refresh token was refused ({response.status_code} from {self._token_url})",
                hint="make a new token in the console under API Access and set RSSPOT_REFRESH_TOKEN",
            )
        try:
            answer = json.loads(await response.aread())
            token = Token.parse(str(answer["id_token"]))
        except (ValueError, KeyError, TypeError):
            raise AuthError(f"{self._token_url} answered without an id_token") from None
        rotated = answer.get("refresh_token")
        if isinstance(rotated, str) and rotated:
            self._refresh_token = rotated
        if self._cache:
            replaced = self._refresh_token != self._configured
            self._cache.save(Kept(token, self._refresh_token if replaced else None))
        return token


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: where a bearer may be sent."""
    parsed = httpx.URL(url)
    return (parsed.scheme, parsed.host, parsed.port)


def refuse_plain(url: str) -> str:
    """Refuse to send a credential in clear text to another machine."""
    parsed = httpx.URL(url)
    if parsed.scheme == "https" or (parsed.scheme == "http" and parsed.host in LOOPBACK):
        return url
    raise ConfigError(f"{url!r} is not https", hint="only loopback addresses may be spoken to in plain http")
