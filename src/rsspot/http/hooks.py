"""Request hooks: functions that add headers, observe each attempt, or hear of each wait.

They never see a header, body or query.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from rsspot.wire import httpx

T = TypeVar("T")
log = logging.getLogger("rsspot.http")


@dataclass(frozen=True)
class Exchange:
    """One attempt at a request and its outcome. Holds no secrets.

    path: without the query · status: None if there was no response · seconds: until the response was read
    request_id: the id that the service gave the request · failure: the exception's class name, if one was raised
    """

    method: str
    path: str
    attempt: int
    status: int | None
    seconds: float
    request_id: str | None = None
    failure: str | None = None

    @classmethod
    def of(
        cls,
        request: httpx.Request,
        attempt: int,
        response: httpx.Response | None,
        failure: Exception | None,
        seconds: float,
    ) -> Exchange:
        """Build one from the httpx objects."""
        return cls(
            request.method,
            request.url.path,
            attempt,
            response.status_code if response is not None else None,
            seconds,
            request_id_of(response) if response is not None else None,
            type(failure).__name__ if failure is not None else None,
        )

    def __str__(self) -> str:
        outcome = str(self.status) if self.status is not None else str(self.failure)
        again = f", attempt {self.attempt}" if self.attempt > 1 else ""
        identity = f", id {self.request_id}" if self.request_id else ""
        return f"{self.method} {self.path} -> {outcome} ({self.seconds * 1000:.0f} ms{again}{identity})"


def request_id_of(response: httpx.Response) -> str | None:
    """The id that the service gave the request, or None."""
    identity: str | None = response.headers.get("Audit-Id") or response.headers.get("X-Request-Id")
    return identity


@dataclass(eq=False)
class Wait:
    """Something that is waited for: what it is, how far it is by now, and whether the wait has ended."""

    what: str
    note: str = ""
    over: bool = False


@dataclass
class Hooks:
    """before: called with method and path, may return headers to add · after: called after every attempt.

    waits: called at the beginning of every wait
    """

    before: list[Callable[[str, str], Mapping[str, str] | None]] = field(default_factory=list)
    after: list[Callable[[Exchange], object]] = field(default_factory=list)
    waits: list[Callable[[Wait], object]] = field(default_factory=list)

    def headers(self, method: str, path: str) -> dict[str, str]:
        """The headers that the `before` hooks add. Hooks cannot set Authorization."""
        added: dict[str, str] = {}
        for hook in self.before:
            added |= hook(method, path) or {}
        return {name: value for name, value in added.items() if name.lower() != "authorization"}

    def tell(self, exchange: Exchange) -> None:
        """Call the `after` hooks. A hook that raises is logged and does not fail the request."""
        _call(self.after, exchange)

    @contextmanager
    def waiting(self, what: str) -> Iterator[Wait]:
        """Call the `waits` hooks with a wait that lasts as long as the block. what: a noun phrase"""
        wait = Wait(what)
        _call(self.waits, wait)
        try:
            yield wait
        finally:
            wait.over = True


def _call(hooks: list[Callable[[T], object]], value: T) -> None:
    for hook in hooks:
        try:
            hook(value)
        except Exception:
            log.exception("a hook failed")
