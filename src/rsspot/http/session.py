"""Session: sends a Call and gives back a document or raises the right error; follows pages. Knows no kinds."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from rsspot.constants import PAGE_SIZE, USER_AGENT
from rsspot.errors import Gone, ServerError
from rsspot.http.failures import error_from, error_of
from rsspot.http.pool import StackedConnections
from rsspot.http.retry import RetryPolicy, RetryTransport
from rsspot.utils import Clock, Document
from rsspot.wire import httpx

MERGE_PATCH = "application/merge-patch+json"
LONGEST_LIST_RESTARTS = 3
TIMEOUT = 30.0
"""Seconds to wait for a connection, or for the next byte."""


@dataclass(frozen=True)
class Call:
    """A request as a value. `path` is absolute on the API host."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: Document | None = None
    content_type: str = "application/json"


class Session:
    """One connection pool, one identity."""

    def __init__(
        self,
        base_url: str,
        auth: httpx.Auth | None,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        policy: RetryPolicy | None = None,
    ) -> None:
        inner = transport or StackedConnections(base_url)
        self.transport = RetryTransport(inner, clock, policy or RetryPolicy())
        self._client = httpx.AsyncClient(
            base_url=base_url,
            auth=auth,
            transport=self.transport,
            timeout=TIMEOUT,
            headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
            trust_env=False,
        )

    async def send(self, call: Call) -> Document:
        """The answer's JSON object; {} for an empty body.

        Raises: ApiError, AuthError, TransportError, and OutcomeUnknown for a write without a clear answer.
        """
        headers = {"Content-Type": call.content_type} if call.body is not None else {}
        content = None if call.body is None else json.dumps(call.body)
        try:
            response = await self._client.request(
                call.method, call.path, params=dict(call.params), content=content, headers=headers
            )
        except httpx.TransportError as failure:
            raise error_from(failure, call.method, call.path) from None
        if response.is_success:
            return _document(response)
        raise error_of(response)

    async def items(self, path: str, params: Mapping[str, str] | None = None) -> list[Document]:
        """Every item of a list, over all its pages. An expired page token restarts the list, so halves never mix."""
        for _ in range(LONGEST_LIST_RESTARTS):
            try:
                return [item async for item in self._pages(path, params or {})]
            except Gone:
                continue
        raise Gone(f"the list {path} expired {LONGEST_LIST_RESTARTS} times while it was read", status=410)

    async def _pages(self, path: str, params: Mapping[str, str]) -> AsyncIterator[Document]:
        token = ""
        while True:
            extra = {"limit": str(PAGE_SIZE)} | ({"continue": token} if token else {})
            page = await self.send(Call("GET", path, {**params, **extra}))
            for item in page.get("items") or []:
                yield item
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return

    async def aclose(self) -> None:
        await self._client.aclose()


def _document(response: httpx.Response) -> Document:
    if not response.content:
        return {}
    try:
        document = response.json()
    except ValueError:
        document = None
    if isinstance(document, dict):
        return document
    if response.request.method == "GET":
        raise ServerError(f"{response.url.path} did not answer with a JSON object", status=response.status_code)
    return {}
