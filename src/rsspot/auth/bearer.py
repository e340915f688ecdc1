"""Adds a bearer token to requests. Renews it before it expires and once after a 401, never after a 403.

Does not turn API responses into errors: `http.failures` does.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from math import inf, isfinite
from pathlib import Path

from rsspot.auth.cache import TokenCache, Waiting, untold
from rsspot.auth.grants import TIMEOUT, UNTIL, Grant, Issuer, Send, refreshed, require_https
from rsspot.auth.lifetime import TimedToken
from rsspot.auth.stores import CredentialStore
from rsspot.auth.token import Token
from rsspot.concurrency import Mutex
from rsspot.errors import AuthError, ConfigError, TransportError
from rsspot.utils.clock import Clock
from rsspot.utils.serialization import digest
from rsspot.wire import httpx

log = logging.getLogger("rsspot.auth")

LogIn = Callable[[Issuer, Send], Awaitable[Grant]]
"""How to get a token when no refresh token works, for example by a device login in a terminal."""

_HOW_TO_GET_ONE = "set RSSPOT_REFRESH_TOKEN or run `rsspot login`"


class Bearer:
    """Signs requests to one origin with an id_token. Requests to any other origin are sent unsigned.

    All tasks and threads that need a new token share one renewal. After a refused renewal, no other is tried.
    token: an id_token to use as it is · refresh_token: used to get new id_tokens · either may be missing.
    waiting: says what is waited for
    cache_folder: where tokens are kept between runs · profile: whose login is kept there if no credential is given
    store: is given the refresh tokens that the login service issues
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
        profile: str | None = None,
        store: CredentialStore | None = None,
        log_in: LogIn | None = None,
        waiting: Waiting = untold,
    ) -> None:
        require_https(base_url)
        self._credential = digest([issuer.url, issuer.client_id, refresh_token or "", token or ""])
        self._login: str | None = None
        self._origin = origin_of(httpx.URL(base_url))
        self._issuer = issuer
        self._clock = clock
        self._log_in = log_in
        self._waiting = waiting
        self._credential_store = None if store is None or store.read_only else store
        self._configured = refresh_token
        self._refresh_token = refresh_token
        self._in_use = TimedToken.kept(Token.parse(token), clock) if token else None
        self._mutex = Mutex()
        self._refusal: AuthError | None = None
        self._outage: TransportError | None = None
        self._outage_until = inf
        self._renewals = 0
        self._waited_for_people = 0.0
        self._refused_token: Token | None = None
        self._cache = _cache_of(cache_folder, issuer, refresh_token, None if token else profile)
        if self._in_use is None and self._cache:
            self._in_use = self._cached(self._cache)
        if self._in_use and not self._renewable and not self._in_use.outlasts(0.0, clock):
            # Expired by our clock, which may be wrong. There is nothing to lose by asking the service.
            self._in_use = self._in_use.untimed()

    @property
    def identity(self) -> str:
        """A digest that differs between credentials and reveals none of them. It changes after a device login."""
        return digest([self._credential, self._login]) if self._login else self._credential

    @property
    def usable(self) -> bool:
        """Whether there is a token, or a way to get one."""
        return self._in_use is not None or self._renewable

    @property
    def credentials(self) -> frozenset[str]:
        """The refresh token and the bearer token in use: never to be sent as a value."""
        bearer = self.token.bearer if self.token else None
        return frozenset(filter(None, (self._configured, self._refresh_token, bearer)))

    @property
    def token(self) -> Token | None:
        """The token in use; None before the first request."""
        return self._in_use.token if self._in_use else None

    @property
    def refresh_token(self) -> str:
        """The refresh token, for the one endpoint that takes it in the body. Raises AuthError if there is none."""
        if self._refresh_token is None:
            raise AuthError("this operation needs a refresh token", hint=_HOW_TO_GET_ONE)
        return self._refresh_token

    @property
    def live(self) -> bool:
        """Whether there is a token that is not due to be renewed."""
        return self._in_use is not None and self._in_use.outlasts(self._in_use.margin, self._clock)

    async def current(self, send: Send, until: float = inf) -> Token:
        """A valid token, renewed if necessary. until: when to give up, by the monotonic clock.

        Raises AuthError, TransportError.
        """
        used = self._in_use
        # A token that cannot be renewed is used until it expires.
        if used is not None and used.outlasts(used.margin if self._renewable else 0.0, self._clock):
            return used.token
        return await self._renew(used.token if used else None, send, until)

    @property
    def has_refresh_token(self) -> bool:
        """Whether there is a refresh token."""
        return self._refresh_token is not None

    async def renewed(self, send: Send, until: float = inf) -> Token:
        """A token other than the one in use. Raises the same errors as `current`."""
        return await self._renew(self.token, send, until)

    async def carry(self, request: httpx.Request, send: Send) -> httpx.Response:
        """Sign a request and send it. If the token is refused, send it once more with a new one."""
        if origin_of(request.url) != self._origin:
            return await send(request)
        with self._deadline_of(request) as until:
            used = await self.current(send, until)
        response = await send(_signed(request, used))
        if response.status_code != 401 or not self._renewable or self._refused_token == used:
            return response
        await response.aclose()
        with self._deadline_of(request) as until:
            renewed = await self._renew(used, send, until)
        response = await send(_signed(request, renewed))
        if response.status_code == 401:
            # The API refuses even a new token. Renewing on every 401 would only flood the login service.
            self._refused_token = renewed
        return response

    @property
    def _renewable(self) -> bool:
        return self._refresh_token is not None or self._log_in is not None

    @contextmanager
    def _deadline_of(self, request: httpx.Request) -> Iterator[float]:
        """When to give up on a request. The time that a person takes to log in does not count."""
        until, waited = request.extensions.get(UNTIL, inf), self._waited_for_people
        yield until
        request.extensions[UNTIL] = until + self._waited_for_people - waited

    async def _renew(self, used: Token | None, send: Send, until: float) -> Token:
        """A token other than `used`. Concurrent callers share one renewal and its outcome, whether token or error."""
        renewals_before = self._renewals
        async with self._mutex:
            # Compared by value, because the same token read again from the cache is a different object.
            if self.token is not None and self.token != used:
                return self.token
            if self._refusal is not None:
                raise self._refusal.with_traceback(None)
            patient = until > self._outage_until + TIMEOUT
            if self._renewals != renewals_before and self._outage is not None and not patient:
                # A renewal failed while we waited. If each waiting caller tried again in turn, it would take minutes.
                raise self._outage.with_traceback(None)
            self._outage = None
            try:
                self._in_use = await self._refresh(used, send, until)
            except AuthError as error:
                self._in_use = await self._fall_back(error, send)
            except TransportError as error:
                self._outage, self._outage_until = error, until
                raise
            finally:
                self._renewals += 1
            return self._in_use.token

    async def _refresh(self, used: Token | None, send: Send, until: float) -> TimedToken:
        if self._refresh_token is None:
            raise AuthError(
                "there is no refresh token" if used is None else "the token has expired or was refused",
                hint=_HOW_TO_GET_ONE,
            )
        async with AsyncExitStack() as stack:
            if self._cache:
                await stack.enter_async_context(self._cache.exclusive(self._clock, self._waiting))
                cached = self._cached(self._cache)
                if cached is not None and (used is None or cached.token.bearer != used.bearer):
                    return cached
            return self._store(await refreshed(self._issuer, self._refresh_token, send, until))

    async def _fall_back(self, error: AuthError, send: Send) -> TimedToken:
        """Log in interactively, if possible, when the refresh token does not work. Otherwise raise `error`."""
        if self._log_in is None:
            self._refusal = error
            raise error
        began = self._clock.monotonic()
        try:
            grant = await self._log_in(self._issuer, send)
        except AuthError as refusal:
            self._refusal = refusal
            raise
        finally:
            self._waited_for_people += self._clock.monotonic() - began
        # Another user may have logged in, who must not see responses that are cached for the one before.
        self._login = digest([grant.token.bearer])
        # The refused one must not be sent again.
        self._refresh_token = None
        return self._store(grant)

    def _cached(self, cache: TokenCache) -> TimedToken | None:
        """The id_token that another run has cached, if it is still valid. Adopts its refresh token in any case."""
        cached = cache.load()
        if cached is None:
            return None
        self._login = cached.login or self._login
        self._refresh_token = cached.refresh_token or self._refresh_token
        timed = TimedToken.kept(cached.token, self._clock, cached.lifetime, cached.received_at)
        return timed if timed.outlasts(timed.margin, self._clock) else None

    def _store(self, grant: Grant) -> TimedToken:
        """Cache a new token before it is used, with the refresh token if the login service replaced it."""
        self._refresh_token = grant.refresh_token or self._refresh_token
        timed = TimedToken.new(grant.token, grant.lifetime, self._clock)
        if grant.refresh_token and self._credential_store:
            self._keep(grant.refresh_token, self._credential_store)
        if self._cache:
            replaced = self._refresh_token != self._configured
            lifetime = timed.lifetime if isfinite(timed.lifetime) else None
            received_at = self._clock.now().timestamp()
            saved = self._cache.save(
                Grant(grant.token, self._refresh_token if replaced else None, lifetime, received_at, self._login)
            )
            if replaced and not saved:
                log.warning("the login service replaced the refresh token, but the new one could not be saved")
        return timed

    def _keep(self, refresh_token: str, store: CredentialStore) -> None:
        try:
            store.keep(refresh_token)
        except ConfigError as error:
            log.warning("the new refresh token could not be stored: %s", error)


def _cache_of(folder: Path | None, issuer: Issuer, refresh_token: str | None, profile: str | None) -> TokenCache | None:
    """The cache of a refresh token, or of the device logins of a profile that has none."""
    if folder is None:
        return None
    if refresh_token:
        return TokenCache(folder, issuer.url, issuer.client_id, refresh_token)
    return TokenCache.of_profile(folder, issuer.url, issuer.client_id, profile) if profile else None


def _signed(request: httpx.Request, token: Token) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token.bearer}"
    return request


def origin_of(url: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port of a URL. The token is sent to one origin only."""
    return (url.scheme, url.host, url.port)
