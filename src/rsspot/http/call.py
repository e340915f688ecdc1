"""A request to the service as a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rsspot.http.envelopes import Envelope
from rsspot.utils.serialization import Document

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True)
class Call:
    """A request as a value. `path` is absolute on the API host.

    fresh: do not use a cached response · private: the response may hold secrets, so it is not cached on disk
    envelope, name: what the body of a 2xx response must be, and the name that an object must have
    """

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: Document | None = None
    content_type: str = JSON
    envelope: Envelope = Envelope.DOCUMENT
    name: str | None = None
    fresh: bool = True
    private: bool = True
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Values in the body that must not appear in any message."""
    permit: Callable[[], None] | None = field(default=None, repr=False, compare=False)
    """Called before each attempt; raises if the request must no longer be sent, and then nothing was sent."""
    patience: float | None = None
    """A deadline for this request in seconds, if shorter than the retry policy's."""
    signed: bool = True
    """Whether to send the bearer token."""
