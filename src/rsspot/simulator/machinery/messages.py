"""Requests, responses and refusals as values: what the core takes and gives, whoever carries it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from rsspot.constants import OAUTH_URL

_HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?")
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class Request:
    """One HTTP request. Header names are lower case."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, method: str, target: str, headers: dict[str, str], body: bytes) -> Request:
        """From a request line's target, query included."""
        path, _, query = target.partition("?")
        lower = {name.lower(): value for name, value in headers.items()}
        return cls(method, path, dict(parse_qsl(query, keep_blank_values=True)), lower, body)

    def flag(self, name: str) -> bool:
        """Whether a boolean query parameter is on."""
        return self.query.get(name, "").lower() in ("1", "true")

    def form(self) -> dict[str, str]:
        """The fields of a body as a web form sends it; of a repeated one, the first."""
        return dict(reversed(parse_qsl(self.body.decode(errors="replace"))))

    @property
    def origin(self) -> str:
        """Where the caller believes to be speaking to: plain http on loopback only."""
        matched = _HOST.fullmatch(self.headers.get("host", ""))
        if matched is None:
            return OAUTH_URL
        return f"{'http' if matched[1] in _LOOPBACK else 'https'}://{matched[0]}"


@dataclass(frozen=True)
class Response:
    """One HTTP response."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    stream: Iterator[bytes] | None = None
    """Further chunks, for as long as somebody listens; an empty one means nothing new yet."""

    @classmethod
    def of_json(cls, status: int, document: Any, headers: dict[str, str] | None = None) -> Response:
        """A JSON answer."""
        return cls(status, json.dumps(document).encode(), headers=headers or {})

    @classmethod
    def of_text(cls, status: int, text: str, headers: dict[str, str] | None = None) -> Response:
        """A plain-text answer, as the gateway in front of the API gives."""
        return cls(status, text.encode(), "text/plain", headers or {})


@dataclass(frozen=True)
class Cause:
    """One field that a refusal is about."""

    reason: str
    field: str
    message: str


class Refusal(Exception):
    """A request that the API answers with a Status of failure."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        name: str = "",
        kind: str = "",
        group: str = "",
        causes: tuple[Cause, ...] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message
        self.details: dict[str, Any] = {
            key: value for key, value in (("name", name), ("group", group), ("kind", kind)) if value
        }
        if causes:
            self.details["causes"] = [
                {"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in causes
            ]
        if retry_after is not None:
            self.details["retryAfterSeconds"] = retry_after
        self.retry_after = retry_after

    def response(self) -> Response:
        """The Status that says so."""
        status = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.status,
        }
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after is not None else {}
        return Response.of_json(self.status, status, headers)
