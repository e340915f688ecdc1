"""SpotTransport: sends a Call and returns its response or raises the matching error; follows pages. Knows no kinds."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from rsspot.auth.grants import REPEATABLE, UNTIL
from rsspot.constants import USER_AGENT
from rsspot.errors import Gone, OutcomeUnknown, RsspotError, ServerError
from rsspot.http.bodies import WholeBodies, lines_of
from rsspot.http.cache import Place, ResponseCache, written_place
from rsspot.http.call import Call
from rsspot.http.envelopes import NotAsDocumented, may_be_documented, opened
from rsspot.http.failures import error_from, error_of
from rsspot.http.hooks import Hooks
from rsspot.http.paging import pages_of
from rsspot.http.permission import PERMIT, PermittedTransport, refuse_write
from rsspot.http.pool import Connections
from rsspot.http.rate_limit import LimitedTransport
from rsspot.http.retry import AS_IT_COMES, SAFE, RetryPolicy, RetryTransport
from rsspot.utils.clock import Clock
from rsspot.utils.serialization import Document
from rsspot.wire import httpx

LONGEST_LIST_RESTARTS = 3
HEADERS = {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "gzip, deflate"}
CLOSED = "this client has been closed and sends no more requests; make another one"
P = TypeVar("P")
_NO_BODY = httpx.ByteStream(b"")


@dataclass(frozen=True)
class TransportOptions:
    """How to send requests. Times in seconds.

    timeout: to connect, and to wait for the next byte · rate: the maximum in requests per second
    most_bytes: the maximum length of a response body · proxy: an HTTP proxy's URL, used for https addresses
    no_proxy: hosts that are reached without it, separated by commas · verify: whether to check certificates
    """

    timeout: float = 30.0
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    rate: float | None = None
    most_bytes: int = 64 * 1024 * 1024
    proxy: str | None = field(default=None, repr=False)
    no_proxy: str | None = None
    verify: bool = True


class Signer(Protocol):
    """Adds the bearer token to requests: `auth.bearer.Bearer`."""

    @property
    def live(self) -> bool:
        """Whether there is a credential that is still valid."""
        ...

    async def carry(self, request: httpx.Request, send: Any) -> httpx.Response:
        """Send a request with the bearer token."""
        ...


class SpotTransport:
    """Sends requests to one service for one identity. Safe to share between event loops and threads."""

    def __init__(
        self,
        base_url: str,
        signer: Signer | None,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        options: TransportOptions | None = None,
        hooks: Hooks | None = None,
        cache: ResponseCache | None = None,
    ) -> None:
        self._options = options or TransportOptions()
        self.hooks = hooks or Hooks()
        self._base = base_url.rstrip("/")
        self._headers = httpx.Headers([("Host", _url(self._base).netloc.decode("ascii")), *HEADERS.items()])
        self._signer = signer
        self._clock = clock
        self.closed = False
        self.read_only = False
        """Whether to refuse every request that could change something, in the innermost transport."""
        self.cache = cache
        inner = PermittedTransport(transport or connections_of(self._options))
        longest = self._options.policy.longest_retry_after
        limited = LimitedTransport(inner, clock, self._options.rate, longest=longest, hooks=self.hooks)
        whole = WholeBodies(limited, self._options.most_bytes, clock)
        self._transport = RetryTransport(whole, clock, self._options.policy, self.hooks)

    @property
    def transport(self) -> RetryTransport:
        """Sends requests as they are, unsigned."""
        self._refuse_if_closed()
        return self._transport

    def _refuse_if_closed(self) -> None:
        """Raise RuntimeError after `aclose`, as httpx does; what is in the cache is not given either."""
        if self.closed:
            raise RuntimeError(CLOSED)

    async def send(self, call: Call) -> Document:
        """The response's JSON object; {} for the empty body of a deletion.

        Raises ApiError, AuthError, TransportError, and OutcomeUnknown for a write whose outcome is unknown.
        """
        body = await self.content(call)
        try:
            return opened(body, call.envelope, call.name)
        except NotAsDocumented as problem:
            raise self._misread(call, problem) from None

    def _misread(self, call: Call, problem: NotAsDocumented) -> RsspotError:
        """The error for a 2xx response that is not what the service documents, so that something else answered."""
        if self.cache is not None:
            self.cache.forget(call.path)
        message = f"{call.method} {call.path}: the response {problem}"
        if call.method in SAFE:
            hint = "something else may answer in the service's place: check the base URL and the network"
            return ServerError(message, status=200, hint=hint)
        return OutcomeUnknown(message)

    async def content(self, call: Call) -> bytes:
        """The response body. Raises the same errors as `send`."""
        self._refuse_if_closed()
        cache = self.cache
        if cache is None:
            return await self._fetch(call)
        if call.method not in SAFE:
            return await self._write(call, cache)
        ttl = 0.0 if call.fresh or call.method != "GET" else cache.policy.ttl(call.path)
        return await self._read(call, cache, ttl) if ttl > 0 else await self._fetch(call)

    async def _read(self, call: Call, cache: ResponseCache, ttl: float) -> bytes:
        place = call.path, urlencode(sorted(call.params.items()))
        cached = self._cached(cache, place)
        if cached is not None:
            return cached
        with cache.coalesced(place) as in_flight:
            async with in_flight.mutex:
                cached = self._cached(cache, place)
                if cached is not None:
                    return cached
                if in_flight.failure is not None:
                    # Otherwise every waiting caller would retry in turn, each as long as the first.
                    raise in_flight.failure.with_traceback(None)
                mark = cache.begin()
                try:
                    body = await self._fetch(call)
                except RsspotError as failure:
                    in_flight.failure = failure
                    raise
                cache.put(place, body, ttl, mark, private=call.private)
                return body

    def _cached(self, cache: ResponseCache, place: Place) -> bytes | None:
        """The cached response, but only with a valid credential: another run may have been allowed to see more."""
        return cache.get(place) if self._signer is None or self._signer.live else None

    async def _write(self, call: Call, cache: ResponseCache) -> bytes:
        """Invalidate before and after: a read in between may have cached the old state."""
        place = written_place(call.path)
        cache.forget(place)
        try:
            return await self._fetch(call)
        finally:
            cache.forget(place)

    async def _fetch(self, call: Call) -> bytes:
        try:
            response = await self._sent(call, self._request(call))
        except httpx.TransportError as failure:
            raise error_from(failure, call.method, call.path) from None
        if response.is_success:
            return response.content
        raise error_of(response, call.secrets)

    async def lines(self, call: Call, *, patience: float) -> AsyncGenerator[bytes, None]:
        """Stream the lines of a response of any length. patience: the longest wait for the next bytes, in seconds.

        Raises ServerError for a line that is longer than a whole response may be.
        """
        request = self._request(call)
        request.extensions[AS_IT_COMES] = True
        request.extensions["timeout"]["read"] = patience
        try:
            response = await self._sent(call, request)
            try:
                if response.status_code != 200:
                    await response.aread()
                    raise error_of(response)
                async for line in lines_of(response.aiter_bytes(), call.path, self._options.most_bytes):
                    yield line
            finally:
                await response.aclose()
        except (httpx.TransportError, httpx.DecodingError) as failure:
            raise error_from(failure, call.method, call.path) from None

    async def pages(self, call: Call, decode: Callable[[bytes], P], token_of: Callable[[P], str | None]) -> list[P]:
        """All pages of a list. An expired page token restarts the list, so pages of two versions never mix.

        decode: raises NotAsDocumented. Raises ServerError for a list that is none or that never ends.
        """

        def read(params: Mapping[str, str]) -> Awaitable[bytes]:
            return self.content(replace(call, params=params))

        for _ in range(LONGEST_LIST_RESTARTS):
            try:
                return [page async for page in pages_of(read, call.params, decode, token_of)]
            except Gone:
                # The expired token may come from a cached first page.
                if self.cache is not None:
                    self.cache.forget(call.path)
            except NotAsDocumented as problem:
                raise self._misread(call, problem) from None
        raise Gone(f"the list {call.path} expired {LONGEST_LIST_RESTARTS} times while being read", status=410)

    async def aclose(self) -> None:
        """Close this loop's connections, or those of threads without a loop. Nothing is sent any more from anywhere."""
        self.closed = True
        await self._transport.aclose()
        if self.cache is not None:
            self.cache.close()

    def _request(self, call: Call) -> httpx.Request:
        headers, added = self._headers, self.hooks.headers(call.method, call.path) if self.hooks.before else None
        if added or call.body is not None:
            headers = headers.copy()
            headers.update(added)
        query = f"?{urlencode(call.params)}" if call.params else ""
        url, extensions = _url(f"{self._base}{call.path}{query}"), self._extensions(call)
        if call.body is None and call.method == "GET":
            # All its headers are there. httpx would look for what is missing, and make them anew.
            request = httpx.Request(call.method, url, headers=headers, stream=_NO_BODY, extensions=extensions)
            request.read()
            return request
        content = None
        if call.body is not None:
            headers["Content-Type"] = call.content_type
            content = json.dumps(call.body).encode()
        return httpx.Request(call.method, url, headers=headers, content=content, extensions=extensions)

    def _extensions(self, call: Call) -> dict[str, Any]:
        seconds = self._options.timeout
        timeout = {"connect": seconds, "read": seconds, "write": seconds, "pool": seconds}
        allowed = self._options.policy.deadline if call.patience is None else call.patience
        extensions: dict[str, Any] = {"timeout": timeout, UNTIL: self._clock.monotonic() + allowed}
        if call.method == "GET":
            extensions[REPEATABLE] = may_be_documented
        if self.read_only and call.method not in SAFE:
            extensions[PERMIT] = refuse_write
        elif call.permit is not None:
            extensions[PERMIT] = call.permit
        return extensions

    async def _sent(self, call: Call, request: httpx.Request) -> httpx.Response:
        carry, signer = self.transport.handle_async_request, self._signer
        response = await (carry(request) if signer is None or not call.signed else signer.carry(request, carry))
        response.request = request
        return response


def connections_of(options: TransportOptions) -> Connections:
    """The connections that the options ask for."""
    return Connections(proxy=options.proxy, no_proxy=options.no_proxy, verify=options.verify)


@lru_cache(maxsize=256)
def _url(text: str) -> httpx.URL:
    """A URL, of which a client asks for the same few again and again: to parse one takes as long as to send it."""
    return httpx.URL(text)
