"""Requests, responses and refusals as plain values, independent of the transport."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from rsspot.constants import OAUTH_URL
from rsspot.simulator.apiserver.yaml_bodies import YamlBody, parse_yaml

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
        """Build a request from the target of a request line, which includes the query."""
        path, _, query = target.partition("?")
        lower = {name.lower(): value for name, value in headers.items()}
        return cls(method, path, _first(query), lower, body)

    def flag(self, name: str) -> bool:
        """Whether a boolean query parameter is true: whatever its value is, but for two."""
        return self.query.get(name, "false").lower() not in ("0", "false")

    def form(self) -> dict[str, str]:
        """The fields of a form-encoded body. The first value of a repeated field is used."""
        return _first(self.body.decode(errors="replace"), keep_blank_values=False)

    @cached_property
    def yaml(self) -> YamlBody:
        """The body, parsed as YAML once."""
        return parse_yaml(self.body)

    @property
    def origin(self) -> str:
        """The origin in the Host header. The scheme is http on loopback and https everywhere else."""
        match = _HOST.fullmatch(self.headers.get("host", ""))
        if match is None:
            return OAUTH_URL
        return f"{'http' if match[1] in _LOOPBACK else 'https'}://{match[0]}"


@dataclass(frozen=True)
class Response:
    """One HTTP response."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    stream: Iterator[bytes] | None = None
    """Further chunks, as long as the client is connected. An empty chunk means that there is nothing new yet."""
    wait: Callable[[float], None] | None = None
    """Waits until the stream may have something new, for some seconds at most."""
    warnings: tuple[str, ...] = ()
    """Texts for Warning headers."""

    @classmethod
    def of_json(cls, status: int, document: Any, headers: dict[str, str] | None = None) -> Response:
        """A JSON response."""
        return cls(status, json.dumps(document).encode(), headers=headers or {})

    @classmethod
    def of_text(cls, status: int, text: str, headers: dict[str, str] | None = None) -> Response:
        """A plain-text response, like those of the gateway in front of the API."""
        return cls(status, text.encode(), "text/plain", headers or {})


@dataclass(frozen=True)
class Cause:
    """One cause of a refusal: a field and what is wrong with it."""

    reason: str
    field: str
    message: str

    @classmethod
    def invalid(cls, field: str, message: str) -> Cause:
        """The cause for an invalid value."""
        return cls("FieldValueInvalid", field, f"Invalid value: {message}")


class Refusal(Exception):
    """A request that the API answers with a failure Status.

    reason: "" for errors that have no reason code · name, kind, group: the object that the request was for
    token: a new continue token for a list whose token has expired
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
        """The Status object."""
        about = {"name": self.name, "group": self.group, "kind": self.kind}
        details: dict[str, Any] = {key: value for key, value in about.items() if value}
        if self.causes:
            details["causes"] = [
                {key: value for key, value in asdict(cause).items() if value or key == "message"}
                for cause in self.causes
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
        """The response with the Status object as its body."""
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after is not None else {}
        return replace(Response.of_json(self.status, self.document(), headers), warnings=self.warnings)


def invalid(group: str, kind: str, name: str, causes: list[Cause]) -> Refusal:
    """The 422 for an invalid object. The message names duplicate causes only once."""
    texts = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))
    joined = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    qualified = f"{kind}.{group}" if group else kind
    message = f'{qualified} "{name}" is invalid: {joined}'
    return Refusal(422, "Invalid", message, name=name, kind=kind, group=group, causes=tuple(causes))


def _first(text: str, *, keep_blank_values: bool = True) -> dict[str, str]:
    """The parameters of a query or form. The first value of a repeated one is used."""
    return dict(reversed(parse_qsl(text, keep_blank_values=keep_blank_values)))
