"""SpotTransport: sends a Call and returns its answer or raises the right error; follows pages. Knows no kinds."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from rsspot.constants import PAGE_SIZE, USER_AGENT
from rsspot.errors import Gone, RsspotError, ServerError, UnexpectedShape
from rsspot.http.bodies import WholeBodies
from rsspot.http.cache import Place, ResponseCache, written_place
from rsspot.http.failures import error_from, error_of
from rsspot.http.hooks import Hooks
from rsspot.http.permission import PERMIT, PermittedTransport
from rsspot.http.pool import Connections
from rsspot.http.rate_limit import LimitedTransport
from rsspot.http.retry import AS_IT_COMES, PATIENCE, SAFE, RetryPolicy, RetryTransport
from rsspot.utils.clock import Clock
from rsspot.utils.serialization import Document
from rsspot.wire import httpx

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
LONGEST_LIST_RESTARTS = 3
HEADERS = {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "gzip, deflate"}
P = TypeVar("P")


@dataclass(frozen=True)
class Call:
    """A request as a value. `path` is absolute on the API host.

    fresh: no kept answer will do · private: the answer may hold secrets, so it is not kept on disk
    """

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: Document | None = None
    content_type: str = JSON
    fresh: bool = True
    private: bool = True
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What the body holds that no message may repeat."""
    permit: Callable[[], None] | None = field(default=None, repr=False, compare=False)
    """Asked before each attempt to send it; raises when it may not go out any more, and nothing was sent then."""
    patience: float | None = None
    """Seconds after which it is given up, if that is sooner than the policy says."""


@dataclass(frozen=True)
class TransportOptions:
    """How to send. Times in seconds.

    timeout: for a connection, or for the next byte · rate: requests in a second at most
    most_bytes: an answer longer than this is refused · proxy: for https addresses
    """

    timeout: float = 30.0
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    rate: float | None = None
    most_bytes: int = 64 * 1024 * 1024
    proxy: str | None = field(default=None, repr=False)


class Signer(Protocol):
    """Who gives requests their bearer: `auth.bearer.Bearer`."""

    @property
    def live(self) -> bool:
        """Whether there is a credential that still holds."""
        ...

    async def carry(self, request: httpx.Request, send: Any) -> httpx.Response:
        """Send a request signed."""
        ...


class SpotTransport:
    """One way to one service, for one identity. May be shared by tasks of several loops and by threads."""

    def __init__(
        self,
        base_url: str,
        signer: Signer | None,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        manners: TransportOptions | None = None,
        hooks: Hooks | None = None,
        cache: ResponseCache | None = None,
    ) -> None:
        self._manners = manners or TransportOptions()
        self.hooks = hooks or Hooks()
        self._base = base_url.rstrip("/")
        self._signer = signer
        self.cache = cache
        inner = PermittedTransport(transport or Connections(proxy=self._manners.proxy))
        longest = self._manners.policy.longest_retry_after
        limited = LimitedTransport(inner, clock, self._manners.rate, longest=longest)
        whole = WholeBodies(limited, self._manners.most_bytes, clock)
        self.transport = RetryTransport(whole, clock, self._manners.policy, self.hooks)

    async def send(self, call: Call) -> Document:
        """The answer's JSON object; {} for an empty body.

        Raises: ApiError, AuthError, TransportError, and OutcomeUnknown for a write without a clear answer.
        """
        body = await self.content(call)
        return decoded(body) if call.method == "GET" else _acknowledged(body)

    async def content(self, call: Call) -> bytes:
        """The answer's body. Raises as `send` does."""
        cache = self.cache
        if cache is None:
            return await self._fetch(call)
        if call.method not in SAFE:
            return await self._write(call, cache)
        ttl = 0.0 if call.fresh or call.method != "GET" else cache.policy.ttl(call.path)
        return await self._read(call, cache, ttl) if ttl > 0 else await self._fetch(call)

    async def _read(self, call: Call, cache: ResponseCache, ttl: float) -> bytes:
        place = _place(call)
        kept = self._kept(cache, place)
        if kept is not None:
            return kept
        with cache.coalesced(place) as asking:
            async with asking.mutex:
                kept = self._kept(cache, place)
                if kept is not None:
                    return kept
                if asking.failure is not None:
                    # Each would wait as long again, one after the other.
                    raise asking.failure.with_traceback(None)
                mark = cache.begin()
                try:
                    body = await self._fetch(call)
                except RsspotError as failure:
                    asking.failure = failure
                    raise
                cache.put(place, body, ttl, mark, private=call.private)
                return body

    def _kept(self, cache: ResponseCache, place: Place) -> bytes | None:
        """Without a credential that holds, nobody may be shown what another run was allowed to see."""
        return cache.get(place) if self._signer is None or self._signer.live else None

    async def _write(self, call: Call, cache: ResponseCache) -> bytes:
        """Forget before and after: whoever reads in between may have read what was there before."""
        place = written_place(call.path)
        cache.forget(place)
        try:
            return await self._fetch(call)
        finally:
            cache.forget(place)

    async def _fetch(self, call: Call) -> bytes:
        try:
            response = await self._sent(self._request(call))
        except httpx.TransportError as failure:
            raise error_from(failure, call.method, call.path) from None
        if response.is_success:
            return response.content
        raise error_of(response, call.secrets)

    async def lines(self, call: Call, *, patience: float) -> AsyncGenerator[str, None]:
        """The lines of an answer that goes on for as long as the service likes. patience: seconds between two."""
        request = self._request(call)
        request.extensions[AS_IT_COMES] = True
        request.extensions["timeout"]["read"] = patience
        try:
            response = await self._sent(request)
            try:
                if response.status_code != 200:
                    await response.aread()
                    raise error_of(response)
                async for line in response.aiter_lines():
                    yield line
            finally:
                await response.aclose()
        except (httpx.TransportError, httpx.DecodingError) as failure:
            raise error_from(failure, call.method, call.path) from None

    async def items(self, path: str, params: Mapping[str, str] | None = None) -> list[Document]:
        """Every item of a list, over all its pages."""
        pages = await self.pages(Call("GET", path, params or {}), decoded, token_of)
        return whole_items(path, pages)

    async def pages(self, call: Call, decode: Callable[[bytes], P], token_of: Callable[[P], str | None]) -> list[P]:
        """Every page of a list. An expired page token restarts the list, so halves never mix."""
        for _ in range(LONGEST_LIST_RESTARTS):
            try:
                return [page async for page in self._pages(call, decode, token_of)]
            except Gone:
                # The token may stand in a first page that was kept.
                if self.cache is not None:
                    self.cache.forget(call.path)
        raise Gone(f"the list {call.path} expired {LONGEST_LIST_RESTARTS} times while it was read", status=410)

    async def _pages(
        self, call: Call, decode: Callable[[bytes], P], token_of: Callable[[P], str | None]
    ) -> AsyncIterator[P]:
        params: dict[str, str] = {**call.params, "limit": str(PAGE_SIZE)}
        while True:
            page = decode(await self.content(replace(call, params=params)))
            yield page
            token = token_of(page)
            if not token:
                return
            params["continue"] = token

    async def aclose(self) -> None:
        """Let go of this loop's connections, or of those that threads without one have used."""
        await self.transport.aclose()
        if self.cache is not None:
            self.cache.close()

    def _request(self, call: Call) -> httpx.Request:
        headers = httpx.Headers(HEADERS)
        headers.update(self.hooks.headers(call.method, call.path))
        content = None
        if call.body is not None:
            headers["Content-Type"] = call.content_type
            content = json.dumps(call.body).encode()
        query = f"?{urlencode(call.params)}" if call.params else ""
        seconds = self._manners.timeout
        timeout = {"connect": seconds, "read": seconds, "write": seconds, "pool": seconds}
        url = f"{self._base}{call.path}{query}"
        extensions: dict[str, Any] = {"timeout": timeout}
        if call.patience is not None:
            extensions[PATIENCE] = call.patience
        if call.permit is not None:
            extensions[PERMIT] = call.permit
        return httpx.Request(call.method, url, headers=headers, content=content, extensions=extensions)

    async def _sent(self, request: httpx.Request) -> httpx.Response:
        carry = self.transport.handle_async_request
        response = await (carry(request) if self._signer is None else self._signer.carry(request, carry))
        response.request = request
        return response


def _place(call: Call) -> Place:
    return call.path, urlencode(sorted(call.params.items()))


def whole_items(path: str, pages: Iterable[Document]) -> list[Document]:
    """The items of pages, each with a name. Raises UnexpectedShape for what is none."""
    items = [item for page in pages for item in page.get("items") or []]
    for item in items:
        metadata = item.get("metadata") if isinstance(item, dict) else None
        if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
            raise UnexpectedShape(f"the list {path} holds something that is no object with a name")
    return items


def token_of(page: Document) -> str | None:
    """What to ask for the next page of a list with, if there is one."""
    metadata = page.get("metadata")
    token = metadata.get("continue") if isinstance(metadata, dict) else None
    return token if isinstance(token, str) else None


def decoded(body: bytes) -> Document:
    """The JSON object that was read; {} for nothing. Raises ServerError for anything else."""
    document = _acknowledged(body)
    if not document and body.strip() not in (b"", b"{}"):
        raise ServerError("the service did not answer with a JSON object", status=200)
    return document


def _acknowledged(body: bytes) -> Document:
    """The JSON object that a write was answered with; {} for anything else, since the write has happened."""
    try:
        document = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
