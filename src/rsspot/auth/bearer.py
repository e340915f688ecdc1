"""How a request gets its bearer: renewed before expiry, once more on 401, never on 403. Maps no answers to errors."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from rsspot.auth.cache import TokenCache
from rsspot.auth.grants import Grant, Issuer, Send, refreshed, refuse_plain
from rsspot.auth.token import MARGIN, Token
from rsspot.concurrency import Mutex
from rsspot.errors import AuthError, TransportError
from rsspot.utils.clock import Clock
from rsspot.utils.serialization import digest
from rsspot.wire import httpx

log = logging.getLogger("rsspot.auth")

LogIn = Callable[[Issuer, Send], Awaitable[Grant]]
"""Another way to a token, when no refresh token works: the device login of a terminal."""


class Bearer:
    """Signs requests to one origin with an id_token. A request to any other origin is not signed.

    One renewal serves every task and thread that waits for it, and one that was refused is not tried again.
    token: an id_token to use as it is · refresh_token: what new ones are made from · either may be missing.
    """

    def __init__(
        self,
        *,
        base_url: str,
        issuer: Issuer,
        clock: Clock,
        refresh_token: str | None = None,
        token: str | None = None,
        cache_folder: Path | None = None,
        log_in: LogIn | None = None,
    ) -> None:
        refuse_plain(base_url)
        self.identity = digest([issuer.url, issuer.client_id, refresh_token or "", token or ""])
        """Tells credentials apart without telling them; another one once somebody has logged in."""
        self._origin = origin_of(httpx.URL(base_url))
        self._issuer = issuer
        self._clock = clock
        self._log_in = log_in
        self._configured = refresh_token
        self._refresh_token = refresh_token
        self._token = Token.parse(token) if token else None
        self._mutex = Mutex()
        self._dead: AuthError | None = None
        self._outage: TransportError | None = None
        self._renewals = 0
        self._refused: Token | None = None
        parts = (issuer.url, issuer.client_id, refresh_token or "")
        self._cache = TokenCache(cache_folder, *parts) if cache_folder and refresh_token else None
        if self._token is None and self._cache:
            self._recall(self._cache)

    @property
    def token(self) -> Token | None:
        """The token in use; None before the first request."""
        return self._token

    @property
    def refresh_token(self) -> str:
        """The refresh token, for the one endpoint that wants it in a body. Raises AuthError when there is none."""
        if self._refresh_token is None:
            raise AuthError("this needs a refresh token", hint="set RSSPOT_REFRESH_TOKEN, or `rsspot login`")
        return self._refresh_token

    @property
    def live(self) -> bool:
        """Whether there is a token that still holds."""
        return self._token is not None and self._token.fresh(self._clock.now())

    async def current(self, send: Send) -> Token:
        """A token that still holds. Raises AuthError, TransportError."""
        used = self._token
        # One that cannot be renewed is good for as long as it says.
        margin = MARGIN if self._renewable else timedelta()
        if used is not None and used.fresh(self._clock.now(), margin):
            return used
        return await self._renew(used, send)

    async def carry(self, request: httpx.Request, send: Send) -> httpx.Response:
        """Send a request signed, and once more with a new token if the first one is refused."""
        if origin_of(request.url) != self._origin:
            return await send(request)
        used = await self.current(send)
        response = await send(_signed(request, used))
        if response.status_code != 401 or not self._renewable or self._refused == used:
            return response
        await response.aclose()
        newer = await self._renew(used, send)
        response = await send(_signed(request, newer))
        if response.status_code == 401:
            # The login service and the API disagree: asking for more tokens would only be a storm.
            self._refused = newer
        return response

    @property
    def _renewable(self) -> bool:
        return self._refresh_token is not None or self._log_in is not None

    async def _renew(self, used: Token | None, send: Send) -> Token:
        """A token other than `used`; whoever comes second takes what the first one got, be it a failure."""
        seen = self._renewals
        async with self._mutex:
            # By value: a token read again from the cache is another object and no other token.
            if self._token is not None and self._token != used:
                return self._token
            if self._dead is not None:
                raise self._dead.with_traceback(None)
            if self._renewals != seen and self._outage is not None:
                # It was tried while we waited: to try again for each who waited would take minutes.
                raise self._outage.with_traceback(None)
            self._outage = None
            try:
                self._token = await self._refresh(used, send)
            except AuthError as error:
                self._token = await self._fall_back(error, send)
            except TransportError as error:
                self._outage = error
                raise
            finally:
                self._renewals += 1
            return self._token

    async def _refresh(self, used: Token | None, send: Send) -> Token:
        if self._refresh_token is None:
            raise AuthError(
                "there is no refresh token" if used is None else "the token has expired or was refused",
                hint="set RSSPOT_REFRESH_TOKEN, or `rsspot login`",
            )
        async with AsyncExitStack() as stack:
            if self._cache:
                await stack.enter_async_context(self._cache.alone(self._clock))
                kept = self._recall(self._cache)
                if kept is not None and (used is None or kept.bearer != used.bearer):
                    return kept
            return self._accept(await refreshed(self._issuer, self._refresh_token, send))

    async def _fall_back(self, error: AuthError, send: Send) -> Token:
        """What is left when the refresh token does not work: a person, if there is one."""
        if self._log_in is None:
            self._dead = error
            raise error
        try:
            grant = await self._log_in(self._issuer, send)
        except AuthError as refusal:
            self._dead = refusal
            raise
        # It may be somebody else, so nothing of it is kept for the next run, nor mixed with what was kept before.
        self._cache = None
        self._refresh_token = grant.refresh_token
        self.identity = digest([self.identity, grant.token.bearer])
        return grant.token

    def _recall(self, cache: TokenCache) -> Token | None:
        """Take over what another run kept, if it still holds."""
        kept = cache.load()
        if kept is None:
            return None
        self._refresh_token = kept.refresh_token or self._refresh_token
        if not kept.token.fresh(self._clock.now()):
            return None
        self._token = kept.token
        return kept.token

    def _accept(self, grant: Grant) -> Token:
        """Keep a new token, and before it is used the refresh token that replaced the old one."""
        self._refresh_token = grant.refresh_token or self._refresh_token
        if self._cache:
            replaced = self._refresh_token != self._configured
            kept = self._cache.save(Grant(grant.token, self._refresh_token if replaced else None))
            if replaced and not kept:
                log.warning("the login service replaced the refresh token, and the new one could not be kept")
        return grant.token


def _signed(request: httpx.Request, token: Token) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token.bearer}"
    return request


def origin_of(url: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port: where a bearer may be sent."""
    return (url.scheme, url.host, url.port)
