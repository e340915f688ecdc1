"""Connections are used again, bounded, and never shared after something went wrong with one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rsspot.http.pool import StackedConnections
from rsspot.wire import httpx


class Handler(BaseHTTPRequestHandler):
    """Answers with the number of the connection that a request came on; /slow takes its time, /break hangs up."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections += 1
            self.number = self.server.connections

    def do_GET(self) -> None:
        if self.path == "/break":
            self.close_connection = True
            return
        if self.path == "/slow":
            self.server.gate.wait(5)
        body = str(self.number).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class Server(ThreadingHTTPServer):
    """Counts connections."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock, self.gate, self.connections = threading.Lock(), threading.Event(), 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()
    threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield served
    served.gate.set()
    served.shutdown()
    served.server_close()


def client(server: Server, most: int = 4) -> httpx.AsyncClient:
    """A client on stacked connections."""
    return httpx.AsyncClient(
        base_url=server.url, transport=StackedConnections(server.url, most), timeout=httpx.Timeout(5, pool=0.2)
    )


async def test_one_request_after_another_shares_one_connection(server: Server) -> None:
    """Keep-alive works."""
    async with client(server) as http:
        assert {(await http.get("/")).text for _ in range(5)} == {"1"}


async def test_many_at_once_never_use_more_connections_than_allowed(server: Server) -> None:
    """The rest wait their turn and are answered too."""
    async with client(server) as http:
        answers = await asyncio.gather(*(http.get("/") for _ in range(20)))
    assert all(answer.status_code == 200 for answer in answers)
    assert server.connections <= 4


async def test_a_request_that_waits_too_long_for_its_turn_was_never_sent(server: Server) -> None:
    """It is told apart from one that may have been executed."""
    async with client(server, most=1) as http:
        slow = asyncio.create_task(http.get("/slow"))
        await asyncio.sleep(0.05)
        with pytest.raises(httpx.PoolTimeout):
            await http.get("/")
        server.gate.set()
        assert (await slow).status_code == 200
        assert (await http.get("/")).status_code == 200


async def test_a_broken_connection_is_not_used_again_and_its_turn_is_not_lost(server: Server) -> None:
    """As many requests go on as before."""
    async with client(server, most=1) as http:
        for _ in range(3):
            with pytest.raises(httpx.RemoteProtocolError):
                await http.get("/break")
        assert (await http.get("/")).text == "4"


async def test_a_cancelled_request_gives_its_turn_back(server: Server) -> None:
    """Nobody waits for ever behind somebody who left."""
    async with client(server, most=1) as http:
        slow = asyncio.create_task(http.get("/slow"))
        await asyncio.sleep(0.05)
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        assert (await http.get("/")).status_code == 200


async def test_a_body_that_is_not_read_to_its_end_gives_its_turn_back(server: Server) -> None:
    """Closing the response is enough."""
    async with client(server, most=1) as http:
        async with http.stream("GET", "/"):
            pass
        assert (await http.get("/")).status_code == 200
