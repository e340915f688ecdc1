"""RestApi: requests to the API of a code host with one token: pages, retries, downloads. Knows no host.

Reads and replacements are repeated after 5xx, with pauses. A create that may have been executed never is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rsspot.auth.grants import REPEATABLE, require_https
from rsspot.constants import USER_AGENT
from rsspot.errors import NotFound, ServerError
from rsspot.http.bodies import WholeBodies
from rsspot.http.failures import error_from
from rsspot.http.hooks import Hooks
from rsspot.http.retry import RetryPolicy, RetryTransport
from rsspot.review.failures import Hints, error_of
from rsspot.review.rate_limits import PlainRateLimits
from rsspot.utils.clock import Clock
from rsspot.utils.reading import parse_json
from rsspot.utils.serialization import Document
from rsspot.wire import httpx

POLICY = RetryPolicy(base=1.0, longest_retry_after=120.0, deadline=300.0)
TIMEOUT = 30.0
MOST_BYTES = 64 * 1024 * 1024
PAGE = 100
"""Items of a page: the most that GitHub and GitLab give."""
MOST_PAGES = 100


@dataclass(frozen=True)
class ApiAccess:
    """How to reach the API. url: of its root · clock: for the pauses before retries"""

    url: str
    token: str = field(repr=False)
    transport: httpx.AsyncBaseTransport
    clock: Clock
    hooks: Hooks = field(default_factory=Hooks)


class RestApi:
    """One API for one token. Raises AuthError, ApiError, TransportError, and OutcomeUnknown for a create."""

    def __init__(self, access: ApiAccess, hints: Hints, accept: str) -> None:
        self._base = require_https(access.url).rstrip("/")
        self._token, self._hints, self._accept = access.token, hints, accept
        whole = WholeBodies(access.transport, MOST_BYTES, access.clock)
        self._transport = RetryTransport(PlainRateLimits(whole, access.clock), access.clock, POLICY, access.hooks)

    async def get(self, path: str, **params: str) -> Any:
        """What a path has, as JSON."""
        return _json(await self._sent("GET", path, params))

    async def found(self, path: str, **params: str) -> Any:
        """The same; None for what is not there."""
        try:
            return await self.get(path, **params)
        except NotFound:
            return None

    async def pages(self, path: str, *, inside: str | None = None, **params: str) -> list[Document]:
        """The items of all pages. inside: the field of a page that has them, if the page is no list"""
        asked = {**params, "per_page": str(PAGE)}
        items: list[Document] = []
        for _ in range(MOST_PAGES):
            response = await self._sent("GET", path, asked)
            page = _json(response)
            items += _items(page.get(inside) if inside and isinstance(page, dict) else page, path)
            following = response.links.get("next", {}).get("url")
            if not following:
                return items
            # Only the query: the token goes to no other address than that of the API.
            asked = {**asked, **httpx.URL(following).params}
        raise ServerError(f"GET {path}: more than {MOST_PAGES * PAGE} items", status=200)

    async def create(self, path: str, body: Document) -> Document:
        """Add something, once. Raises OutcomeUnknown if it may have been added."""
        return _object(await self._sent("POST", path, body=body), path)

    async def replace(self, method: str, path: str, body: Document) -> Document:
        """Set fields of something. May be sent more than once."""
        return _object(await self._sent(method, path, body=body), path)

    async def download(self, path: str) -> bytes:
        """A file. Where the API redirects to a storage, that is asked without the token."""
        response = await self._sent("GET", path, redirects=True)
        if response.is_redirect:
            target = httpx.URL(self._base + path).join(response.headers.get("Location", ""))
            response = await self._carried(
                self._request("GET", require_https(str(target)), signed=False), "the storage"
            )
        return response.content

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def _sent(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: Document | None = None,
        *,
        redirects: bool = False,
    ) -> httpx.Response:
        url = httpx.URL(self._base + path, params=params) if params else httpx.URL(self._base + path)
        return await self._carried(self._request(method, str(url), body), path, redirects=redirects)

    async def _carried(self, request: httpx.Request, what: str, *, redirects: bool = False) -> httpx.Response:
        try:
            response = await self._transport.handle_async_request(request)
        except httpx.TransportError as failure:
            raise error_from(failure, request.method, what) from None
        response.request = request
        if response.is_success or (redirects and response.is_redirect):
            return response
        raise error_of(response, what, self._token, self._hints)

    def _request(self, method: str, url: str, body: Document | None = None, *, signed: bool = True) -> httpx.Request:
        headers = {"User-Agent": USER_AGENT, "Accept": self._accept, "Accept-Encoding": "gzip, deflate"}
        if signed:
            headers["Authorization"] = f"Bearer {self._token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        extensions: dict[str, Any] = {"timeout": httpx.Timeout(TIMEOUT).as_dict()}
        if method != "POST":
            extensions[REPEATABLE] = lambda response: True
        content = None if body is None else json.dumps(body).encode()
        return httpx.Request(method, url, headers=headers, content=content, extensions=extensions)


def _json(response: httpx.Response) -> Any:
    try:
        return parse_json(response.content)
    except ValueError:
        request = response.request
        hint = "something else may answer in the API's place: check --api-url"
        raise ServerError(
            f"{request.method} {request.url.path}: the response is no JSON", status=200, hint=hint
        ) from None


def _items(page: Any, path: str) -> list[Document]:
    if not isinstance(page, list):
        raise ServerError(f"GET {path}: the response is no list", status=200, hint="check --api-url")
    return [item for item in page if isinstance(item, dict)]


def _object(response: httpx.Response, path: str) -> Document:
    document = _json(response)
    if not isinstance(document, dict):
        raise ServerError(f"{path}: the response is no JSON object", status=200, hint="check --api-url")
    return document
