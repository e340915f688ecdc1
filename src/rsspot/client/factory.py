"""Builds the parts of a client from its settings: bearer, transport options, caches. Opens and sends nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import cached_property
from pathlib import Path

from rsspot.auth.bearer import Bearer, LogIn
from rsspot.auth.grants import Issuer, require_https
from rsspot.auth.stores import CredentialStore
from rsspot.client.credentials import refresh_token_of
from rsspot.config.loader import Resolved
from rsspot.config.models import Profile
from rsspot.errors import AuthError, ConfigError, StateError
from rsspot.http.cache import CachePolicy, ResponseCache
from rsspot.http.hooks import Hooks
from rsspot.http.retry import RetryPolicy
from rsspot.http.transport import SpotTransport, TransportOptions
from rsspot.state.database import IMPATIENT, Database
from rsspot.state.http_cache import SqliteCache
from rsspot.utils.clock import Clock
from rsspot.wire import httpx


def bearer_of(
    resolved: Resolved,
    clock: Clock,
    token_folder: Path | None,
    log_in: LogIn | None,
    hooks: Hooks,
    store: CredentialStore | None = None,
) -> Bearer:
    """The source of bearer tokens. Raises AuthError if there is neither a credential nor a way to log in.

    store: has the refresh token, whatever the settings say
    """
    options = resolved.options
    token = options.access_token.get_secret_value() if options.access_token and store is None else None
    bearer = Bearer(
        base_url=options.base_url,
        issuer=Issuer(options.oauth_url, options.client_id),
        clock=clock,
        refresh_token=store.recall() if store else refresh_token_of(resolved),
        token=token,
        cache_folder=token_folder,
        profile=resolved.profile,
        store=store,
        log_in=log_in,
        waiting=hooks.waiting,
    )
    if not bearer.usable and store is not None:
        raise AuthError("the credential store has no refresh token", hint="log in, or put one there")
    if not bearer.usable:
        resolved.require("refresh_token")
    return bearer


def transport_options_of(options: Profile) -> TransportOptions:
    """The transport options in a profile. Raises ConfigError for an invalid proxy."""
    retry = options.retry
    policy = RetryPolicy(
        attempts=retry.max_retries + 1,
        base=retry.base_delay,
        ceiling=retry.max_delay,
        jitter=retry.jitter,
        longest_retry_after=retry.max_retry_after,
        deadline=retry.deadline,
        statuses=frozenset(retry.statuses),
    )
    return TransportOptions(
        options.timeout,
        policy,
        options.rate_limit,
        options.most_response_bytes,
        _proxy(options.proxy),
        options.no_proxy,
        options.verify_ssl,
    )


def _proxy(value: str | None) -> str | None:
    """A proxy's URL; http:// is added if it has no scheme. Raises ConfigError if it is not an HTTP URL."""
    if value is None:
        return None
    address = value if "://" in value else f"http://{value}"
    try:
        scheme = httpx.URL(address).scheme
    except httpx.InvalidURL:
        scheme = ""
    if scheme not in ("http", "https"):
        hint = "use a URL such as http://proxy.example.com:3128"
        raise ConfigError("the proxy is not the URL of an HTTP proxy", hint=hint)
    return address


def cache_of(resolved: Resolved, url: str, identity: Callable[[], str], clock: Clock) -> ResponseCache | None:
    """The response cache for one identity at one service, or None if caching is disabled."""
    cache = resolved.options.cache
    if not cache.enabled:
        return None
    policy = CachePolicy(True, cache.default_ttl, cache.ttls, cache.most_entries, cache.most_bytes)
    back = LazyCacheStore(resolved.state_path, policy) if cache.persistent else None
    return ResponseCache(url, identity, policy, clock, back)


def feeds_of(
    resolved: Resolved, clock: Clock, transport: httpx.AsyncBaseTransport | None, hooks: Hooks, *, cache: bool
) -> SpotTransport:
    """The transport to the public price feeds: separate connections, and no credential."""
    options = resolved.options
    # Prices decide what is bid, so nobody on the way may change them.
    require_https(options.feeds_url)
    # Headers from `before` hooks are meant for the service and may be secret.
    after_only = Hooks(after=hooks.after)
    feed_cache = cache_of(resolved, options.feeds_url, lambda: "public", clock) if cache else None
    transport_options = transport_options_of(options)
    return SpotTransport(
        options.feeds_url, None, clock, transport, options=transport_options, hooks=after_only, cache=feed_cache
    )


class LazyCacheStore:
    """The cache in state.db, opened on first use. A missing file is created by the first write, never by a read."""

    def __init__(self, path: Path, policy: CachePolicy) -> None:
        self._path = path
        self._policy = policy

    @cached_property
    def _open(self) -> SqliteCache:
        database = Database(self._path, durable=False, patience=IMPATIENT)
        return SqliteCache(database, most_entries=self._policy.most_entries, most_bytes=self._policy.most_bytes)

    @property
    def _exists(self) -> bool:
        return "_open" in self.__dict__ or self._path.is_file()

    def get(self, owner: str, path: str, query: str, now: float) -> tuple[bytes, float] | None:
        return self._open.get(owner, path, query, now) if self._exists else None

    def put(self, owner: str, path: str, query: str, body: bytes, *, now: float, expires_at: float) -> None:
        self._open.put(owner, path, query, body, now=now, expires_at=expires_at)

    def drop(self, owner: str, prefix: str) -> None:
        if not self._exists:
            return
        try:
            self._open.drop(owner, prefix)
        except StateError:
            # The database is locked, but stale responses must not survive a write: retry with the full lock timeout.
            with closing(SqliteCache(Database(self._path), most_entries=1, most_bytes=1)) as patient:
                patient.drop(owner, prefix)

    def foreign_writes(self) -> int:
        return self._open.foreign_writes() if self._exists else 0

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if "_open" in self.__dict__:
            self._open.close()
            del self._open
