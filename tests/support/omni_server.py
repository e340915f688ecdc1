"""A stand-in for an Omni endpoint with join tokens, on loopback: see examples/registrars/omni.py."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "a-service-account-key"
Reply = tuple[int, dict[str, Any]]


class Omni:
    """What the endpoint knows. down: the status that it answers everything with · lost: answers that do not arrive"""

    def __init__(self) -> None:
        self.url = ""
        self.tokens: list[dict[str, Any]] = []
        self.machines: dict[str, dict[str, Any]] = {}
        self.joins = 0
        self.down: int | None = None
        self.lost = 0
        self._answered: dict[str, Reply] = {}

    def reply(self, method: str, path: str, key: str | None, body: dict[str, Any]) -> Reply:
        """The answer to a request; to a repeated one the same."""
        if key is not None and key in self._answered:
            return self._answered[key]
        reply = self._reply(method, path.removeprefix("/api/v1/"), body)
        if key is not None:
            self._answered[key] = reply
        return reply

    def _reply(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        if (method, path) == ("POST", "jointokens"):
            self.tokens.append({"id": f"token-{len(self.tokens)}", "expiresAt": "2999-01-01T00:00:00Z"})
            return 200, self.tokens[-1]
        if (method, path) == ("POST", "machines"):
            if body["joinToken"] not in {each["id"] for each in self.tokens}:
                return 403, {"message": "unknown join token"}
            self.machines[body["id"]] = {**body, "connected": True}
            self.joins += 1
            return 200, {}
        found = self.machines.get(path.removeprefix("machines/"))
        return (200, found) if method == "GET" and found else (404, {})


@contextmanager
def serving() -> Iterator[Omni]:
    """An endpoint while the block lasts."""
    omni = Omni()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            """Answer one request."""
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            if omni.down is not None:
                status, document = omni.down, dict[str, Any]()
            elif self.headers["Authorization"] != f"Bearer {KEY}":
                status, document = 401, {}
            else:
                status, document = omni.reply(self.command, self.path, self.headers["Idempotency-Key"], body)
                if omni.lost and self.command == "POST":
                    omni.lost -= 1
                    return
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            """Answer a read."""
            self.answer()

        def do_POST(self) -> None:
            """Answer a write."""
            self.answer()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    omni.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield omni
    finally:
        server.shutdown()
        server.server_close()
