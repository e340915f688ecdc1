"""Serves the simulator over HTTP with the standard library's threaded server, on loopback only."""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from rsspot.simulator.accounts.people import Tenant
from rsspot.simulator.api import Api
from rsspot.simulator.apiserver.messages import Request, Response
from rsspot.simulator.front.control import Control
from rsspot.simulator.front.dispatch import carry
from rsspot.simulator.front.request_log import RequestLog
from rsspot.simulator.front.webhook_sender import WebhookSender
from rsspot.utils.files import write_private

HOST = "127.0.0.1"
CONTEXT = "rsspot-simulator"
LARGEST_BODY = 16 * 1024 * 1024
LOOK_AGAIN = 0.25
"""Seconds between two polls of a watch while nothing changes."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def _handle(self) -> None:
        length = _length(self.headers.get("Content-Length"))
        if length is None:
            self.close_connection = True
            self._send(Response.of_text(400, "Content-Length is not a valid number", {"Connection": "close"}))
            return
        if length > LARGEST_BODY:
            # The unread body would be taken for the next request.
            self.close_connection = True
            self._send(Response.of_text(413, "request body too large", {"Connection": "close"}))
            return
        body = self._chunked() if self.headers.get("Transfer-Encoding") == "chunked" else self.rfile.read(length)
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
        control = self.server.control.answer(request)
        if control is not None:
            self._send(control)
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
        turn = self.server.api.turn
        for chunk in response.stream:
            if self.server.stopping.is_set():
                break
            if chunk:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            else:
                self.wfile.flush()
                self.server.api.wait(turn, LOOK_AGAIN)
            turn = self.server.api.turn
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _chunked(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
            if len(body) > LARGEST_BODY:
                break
        self.rfile.readline()
        return body

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: a request line may contain a secret."""


class Server(ThreadingHTTPServer):
    """Listens on loopback. `port=0` chooses a free port."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, api: Api, port: int = 0, *, webhooks_everywhere: bool = False) -> None:
        super().__init__((HOST, port), _Handler)
        self.api = api
        self.request_log = RequestLog()
        self.control = Control(api, self.request_log)
        self.webhook_sender = WebhookSender(api.world, everywhere=webhooks_everywhere)
        self.stopping = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect early; report other errors."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

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


def _length(header: str | None) -> int | None:
    """The length in a Content-Length header; None if it is not valid."""
    text = header or "0"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def write_ready_file(path: Path, about: dict[str, object]) -> None:
    """Write the ready file atomically, to tell that requests are answered."""
    write_private(path, json.dumps(about, indent=2) + "\n")


def kubeconfig(url: str, organization: Tenant, password: str) -> str:
    """A kubeconfig for kubectl, with a password in the server's URL.

    kubectl sends a user's token over TLS only, but always sends credentials from the URL. It names cache folders
    after the URL, for which a token would be too long.
    """
    address = url.replace("://", f"://spot:{password}@", 1)
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "spot", "cluster": {"server": address}}],
        "users": [{"name": "spot", "user": {}}],
        "contexts": [
            {"name": CONTEXT, "context": {"cluster": "spot", "user": "spot", "namespace": organization.namespace}}
        ],
        "current-context": CONTEXT,
    }
    return json.dumps(config, indent=2) + "\n"
