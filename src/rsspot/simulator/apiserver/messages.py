"""Requests, responses and refusals as values: what the core takes and gives, whoever carries it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
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
    def is_local(self) -> bool:
        """Whether the caller believes to be speaking to this machine."""
        matched = _HOST.fullmatch(self.headers.get("host", ""))
        return matched is not None and matched[1] in _LOOPBACK

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
    warnings: tuple[str, ...] = ()
    """What the caller should know though the request went well."""

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

    @classmethod
    def invalid(cls, field: str, message: str) -> Cause:
        """A value that will not do."""
        return cls("FieldValueInvalid", field, f"Invalid value: {message}")


class Refusal(Exception):
    """A request that the API answers with a Status of failure.

    reason: "" for the plain errors that a server has no word for · name, kind, group: what it is about
    token: where a list may be gone on with all the same
    """

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
        warnings: tuple[str, ...] = (),
        token: str = "",
    ) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message
        self.name, self.kind, self.group = name, kind, group
        self.causes, self.retry_after, self.warnings = causes, retry_after, warnings
        self.token = token

    def document(self) -> dict[str, Any]:
        """The Status that says so."""
        named = {"name": self.name, "group": self.group, "kind": self.kind}
        details: dict[str, Any] = {key: value for key, value in named.items() if value}
        if self.causes:
            details["causes"] = [
                {key: value for key, value in asdict(cause).items() if value or key != "field"} for cause in self.causes
            ]
        if self.retry_after is not None:
            details["retryAfterSeconds"] = self.retry_after
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {"continue": self.token} if self.token else {},
            "status": "Failure",
            "message": self.message,
            **({"reason": self.reason} if self.reason else {}),
            **({"details": details} if details or self.reason == "Invalid" else {}),
            "code": self.status,
        }

    def response(self) -> Response:
        """The answer that carries it."""
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after is not None else {}
        return replace(Response.of_json(self.status, self.document(), headers), warnings=self.warnings)


def invalid(group: str, kind: str, name: str, causes: list[Cause]) -> Refusal:
    """The 422 for an object with something wrong in it; what is said twice is heard once."""
    said = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))
    joined = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
    qualified = f"{kind}.{group}" if group else kind
    message = f'{qualified} "{name}" is invalid: {joined}'
    return Refusal(422, "Invalid", message, name=name, kind=kind, group=group, causes=tuple(causes))
