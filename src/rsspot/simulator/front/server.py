"""Serves the simulator over HTTP with the standard library's threaded server, on loopback only."""

from __future__ import annotations

import io
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rsspot.simulator.api import Api
from rsspot.simulator.apiserver.messages import Request, Response
from rsspot.simulator.front.control import Control
from rsspot.simulator.front.dispatch import carry
from rsspot.simulator.front.framing import BadRequest, TimedReader, read_body
from rsspot.simulator.front.request_log import RequestLog
from rsspot.simulator.front.sites import Sites
from rsspot.simulator.front.webhook_sender import WebhookSender

HOST = "127.0.0.1"
LOOK_AGAIN = 0.25
"""Seconds between two polls of a watch while nothing changes."""
_BUSY = b"too many connections"
_REFUSED = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
    b"Retry-After: 1\r\nConnection: close\r\n\r\n%b" % (len(_BUSY), _BUSY)
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._reader = TimedReader(self.connection)
        self.rfile = self._buffered = io.BufferedReader(self._reader)
        self._reader.allow(self.server.reading_timeout)

    def handle_one_request(self) -> None:
        """Handle a request. Its time begins with its first byte; before that, the connection may be idle for longer."""
        self.close_connection = True
        with suppress(TimeoutError, ConnectionError):
            if not self._buffered.peek(1):
                return
            self._reader.allow(self.server.reading_timeout)
            super().handle_one_request()
            self._reader.allow(self.server.idle_timeout)

    def _handle(self) -> None:
        try:
            body = read_body(self.headers, self.rfile)
        except BadRequest as error:
            # Nobody can tell where the next request would begin.
            self.close_connection = True
            self._send(Response.of_text(error.status, error.message, {"Connection": "close"}))
            return
        request = Request.of(self.command, self.path, dict(self.headers.items()), body)
        with suppress(BrokenPipeError, ConnectionResetError):
            self._carry(request)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Pass every HTTP method to the API, which refuses those it does not support."""
        if name.startswith("do_"):
            return self._handle
        raise AttributeError(name)

    def _carry(self, request: Request) -> None:
        """Answer a request, or break the connection if a scripted fault says so."""
        own = self.server.sites.refusal(request) or self.server.control.answer(request)
        if own is not None:
            self._send(own)
            return
        began, moment = time.perf_counter(), self.server.api.world.clock.time()
        carried = carry(self.server.api, request)
        faults = "; ".join(each.words or each.what for each in carried.faults)
        status = carried.response.status if carried.response and carried.cut is None else 0
        self.server.request_log.note(request, moment, status, time.perf_counter() - began, faults)
        if carried.delay:
            self.server.stopping.wait(carried.delay)
        if carried.response is None:
            self._break()
            return
        self._send(carried.response, carried.cut)
        if carried.cut is not None:
            self._break()

    def _break(self) -> None:
        """End the connection as a crash would: with a reset instead of an orderly close."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def _send(self, response: Response, cut: int | None = None) -> None:
        # The reader of a stream may stop reading for as long as it likes.
        self.connection.settimeout(self.server.writing_timeout if response.stream is None else None)
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        for name, value in response.headers.items():
            # The standard library encodes headers as Latin-1; this sends UTF-8 bytes unchanged.
            self.send_header(name, value.encode().decode("latin-1"))
        if response.stream is not None:
            self._send_stream(response)
            return
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body if cut is None else response.body[:cut])
        self.wfile.flush()

    def _send_stream(self, response: Response) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        assert response.stream is not None
        turn, wait = self.server.api.turn, response.wait
        for chunk in response.stream:
            if self.server.stopping.is_set():
                break
            if chunk:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            else:
                self.wfile.flush()
                wait(LOOK_AGAIN) if wait else self.server.api.wait(turn, LOOK_AGAIN)
            turn = self.server.api.turn
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: a request line may contain a secret."""


class Server(ThreadingHTTPServer):
    """Listens on loopback. `port=0` chooses a free port.

    webhooks_everywhere: whether to call webhooks on other machines · hosts: names to answer for besides loopback
    """

    daemon_threads = True
    request_queue_size = 128
    most_connections = 256
    """Each connection takes a thread. More connections than this are refused with 503."""
    reading_timeout = 10.0
    """Seconds for a request to arrive."""
    idle_timeout = 60.0
    """Seconds from the end of one request to the beginning of the next one on the same connection."""
    writing_timeout = 30.0
    """Seconds without progress in sending a response; streams have no such limit."""

    def __init__(
        self, api: Api, port: int = 0, *, webhooks_everywhere: bool = False, hosts: Iterable[str] = ()
    ) -> None:
        super().__init__((HOST, port), _Handler)
        self.api = api
        self.sites = Sites(self.server_address[1], hosts)
        self.request_log = RequestLog()
        self.control = Control(api, self.request_log)
        self.webhook_sender = WebhookSender(api.world, everywhere=webhooks_everywhere)
        self.stopping = threading.Event()
        self._connections = threading.BoundedSemaphore(self.most_connections)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Handle a connection in a thread of its own, or refuse it if there are too many."""
        if not self._connections.acquire(blocking=False):
            with suppress(OSError):
                request.settimeout(0)
                request.sendall(_REFUSED)
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._connections.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect early or do not read; report other errors."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"

    def start(self) -> None:
        """Start serving and sending webhooks, each in its own thread."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.webhook_sender.start()

    def close(self) -> None:
        """End all streams and stop listening."""
        self.stopping.set()
        self.webhook_sender.stop()
        self.shutdown()
        self.server_close()

    def describe(self) -> dict[str, object]:
        """Connection settings for the first person of the first organization, and with several logins, all of them."""
        callers = self.api.world.identity.accounts.callers()
        logins = [
            {
                "email": each.person.email,
                "organization": each.organization.name,
                "refresh_token": each.person.refresh_tokens.get(each.organization.id, ""),
            }
            for each in callers
        ]
        return {
            "base_url": self.url,
            "oauth_url": self.url,
            "feeds_url": self.url,
            "refresh_token": logins[0]["refresh_token"],
            "organization": logins[0]["organization"],
            "pid": os.getpid(),
            **({"logins": logins} if len(logins) > 1 else {}),
        }
