"""What users may see of every request and add to it: two lists of functions. Shows no header, no body and no query."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rsspot.wire import httpx

log = logging.getLogger("rsspot.http")


@dataclass(frozen=True)
class Exchange:
    """One attempt at a request and what came of it. Holds nothing secret.

    path: without its query · status: None when no answer came · seconds: until the answer was read
    request_id: the service's own id of the request · failure: the name of what went wrong on the way
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
        """From the wire's own objects."""
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
        said = str(self.status) if self.status is not None else str(self.failure)
        again = f", attempt {self.attempt}" if self.attempt > 1 else ""
        identity = f", id {self.request_id}" if self.request_id else ""
        return f"{self.method} {self.path} -> {said} ({self.seconds * 1000:.0f} ms{again}{identity})"


def request_id_of(response: httpx.Response) -> str | None:
    """The service's own id of a request."""
    identity: str | None = response.headers.get("Audit-Id") or response.headers.get("X-Request-Id")
    return identity


@dataclass
class Hooks:
    """before: given method and path, may add headers · after: told of every attempt, failed ones too."""

    before: list[Callable[[str, str], Mapping[str, str] | None]] = field(default_factory=list)
    after: list[Callable[[Exchange], object]] = field(default_factory=list)

    def headers(self, method: str, path: str) -> dict[str, str]:
        """Every header that the hooks want added. Authorization is not theirs to set."""
        added: dict[str, str] = {}
        for hook in self.before:
            added |= hook(method, path) or {}
        return {name: value for name, value in added.items() if name.lower() != "authorization"}

    def tell(self, exchange: Exchange) -> None:
        """Tell everyone; one who fails is logged and spoils nothing."""
        for hook in self.after:
            try:
                hook(exchange)
            except Exception:
                log.exception("a hook failed")
