"""The latest requests that a server answered, for its web page. Keeps no body, token or other secret."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from rsspot.simulator.apiserver.messages import Request

LONGEST = 500
_SHOWN = "/apis/"
"""Query strings are kept only for paths that start with this; others may contain codes."""


@dataclass(frozen=True)
class LoggedRequest:
    """One request. status: 0 if the connection was reset · seconds: until the response was ready"""

    id: int
    time: float
    method: str
    target: str
    status: int
    seconds: float
    caller: str
    fault: str


class RequestLog:
    """The latest requests, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[LoggedRequest] = deque(maxlen=LONGEST)
        self._lock = threading.Lock()
        self._count = 0
        self.name = secrets.token_hex(4)
        """Identifies this log, because another log numbers its entries from 1 too."""

    def note(self, request: Request, time: float, status: int, seconds: float, fault: str) -> None:
        """Record a request."""
        query = "&".join(f"{name}={value}" for name, value in request.query.items() if name != "continue")
        target = f"{request.path}?{query}" if query and request.path.startswith(_SHOWN) else request.path
        caller = request.headers.get("user-agent", "").split(" ")[0]
        with self._lock:
            self._count += 1
            entry = LoggedRequest(self._count, time, request.method, target, status, round(seconds, 6), caller, fault)
            self._entries.append(entry)

    def since(self, last: int) -> list[dict[str, Any]]:
        """The requests with an id above `last`."""
        with self._lock:
            return [asdict(entry) for entry in self._entries if entry.id > last]
