"""The HTTP endpoints of a controller: /healthz, /readyz and /metrics, in a thread of their own.

/healthz answers 200 while the event loop turns, however long a round takes, and 503 once it has stood still.
/readyz answers 200 once a round came to an end that is no failure, or on standby, and 503 after rounds have failed for
a while.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from rsspot.controller.metrics import Metrics
from rsspot.controller.rounds import Round, RoundOutcome
from rsspot.errors import UsageError
from rsspot.utils.clock import Clock, SystemClock

BEAT = 1.0
"""Seconds between two signs of life of the event loop."""
LONGEST_SILENCE = 60.0
MOST_FAILURES = 3
"""Failed rounds in a row after which a controller is not ready."""


class Health:
    """What is known of a controller's health."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._beat = self._clock.monotonic()
        self._rounds = self._failures = 0

    def beat(self) -> None:
        """The event loop turns."""
        self._beat = self._clock.monotonic()

    def add(self, ended: Round) -> None:
        """A round has ended."""
        self._rounds += 1
        self._failures = self._failures + 1 if ended.outcome is RoundOutcome.FAILED else 0

    def trouble(self) -> str:
        """What is wrong with the process; empty if nothing is."""
        silence = self._clock.monotonic() - self._beat
        return f"the event loop has stood still for {silence:.0f} s" if silence > LONGEST_SILENCE else ""

    def unready(self) -> str:
        """Why it is not ready; empty if it is."""
        if self._rounds == self._failures and self._failures < MOST_FAILURES:
            return "no round has come to its end yet"
        return f"the last {self._failures} rounds failed" if self._failures >= MOST_FAILURES else ""


class Endpoints:
    """Answers to GET requests. host, port: where to listen; port 0 for any free one"""

    def __init__(self, host: str, port: int, health: Health, metrics: Metrics) -> None:
        handler = type("_Bound", (_Handler,), {"health": health, "metrics": metrics})
        try:
            self._server = ThreadingHTTPServer((host, port), handler)
        except OSError as error:
            raise UsageError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
        self._server.daemon_threads = True
        self._health = health
        self.port = int(self._server.server_address[1])

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Answer for as long as the block lasts."""
        thread = threading.Thread(target=self._server.serve_forever, name="endpoints", daemon=True)
        thread.start()
        beating = asyncio.create_task(self._keep_beating())
        try:
            yield
        finally:
            beating.cancel()
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    async def _keep_beating(self) -> None:
        while True:
            self._health.beat()
            await asyncio.sleep(BEAT)


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    health: ClassVar[Health]
    metrics: ClassVar[Metrics]
    timeout = 10.0

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._answer(200, self.metrics.text(), "text/plain; version=0.0.4; charset=utf-8")
        elif path in ("/healthz", "/readyz"):
            lack = self.health.trouble() or (self.health.unready() if path == "/readyz" else "")
            self._answer(503 if lack else 200, (lack or "ok").encode() + b"\n", "text/plain; charset=utf-8")
        else:
            self._answer(404, b"not found\n", "text/plain; charset=utf-8")

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Scrapes are not worth a line."""
