"""One deadline holds for a whole request, whatever the server keeps sending."""

from __future__ import annotations

import gzip
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress

import pytest

from rsspot.concurrency import drive
from rsspot.errors import OutcomeUnknown, RequestTimeout
from rsspot.http.call import Call
from rsspot.http.pool import Connections
from rsspot.http.retry import RetryPolicy
from rsspot.http.transport import SpotTransport, TransportOptions
from rsspot.utils.clock import SystemClock

OK = b"HTTP/1.1 200 OK\r\n"
GZIPPED = OK + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
NAMED = gzip.compress(b"x")[:3] + b"\x08" + gzip.compress(b"x")[4:10]
"""The header of a gzip file, with the flag that a name follows."""


def chunk(data: bytes) -> bytes:
    """A chunk of a body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


ENDLESS = {
    "a header": (OK, b"X"),
    "many headers": (OK, b"X: y\r\n"),
    "103": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a body": (OK + b"Content-Length: 100000000\r\n\r\n", b" "),
    "chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", chunk(b" ")),
    "a gzip name": (GZIPPED + chunk(NAMED), chunk(b"n")),
    "empty deflate blocks": (GZIPPED + chunk(gzip.compress(b"")[:10]), chunk(b"\x00\x00\x00\xff\xff")),
}
"""What begins a response -> what then goes on for ever, a piece each 20 ms, below every timeout for the next bytes."""


class Drip:
    """A server that begins every response and never ends it."""

    def __init__(self, beginning: bytes, piece: bytes) -> None:
        self._beginning, self._piece = beginning, piece
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(self._beginning)
            while not self._over.wait(0.02):
                connection.sendall(self._piece)

    def close(self) -> None:
        """Stop."""
        self._over.set()
        self._listener.close()


@pytest.fixture(params=ENDLESS)
def drip(request: pytest.FixtureRequest) -> Iterator[Drip]:
    """One server for each way not to end."""
    server = Drip(*ENDLESS[request.param])
    yield server
    server.close()


def session_of(server: Drip) -> SpotTransport:
    """A session that gives up after a third of a second in all, and waits for the next bytes far longer."""
    options = TransportOptions(timeout=60.0, policy=RetryPolicy(deadline=0.3))
    return SpotTransport(server.url, None, SystemClock(), Connections(), options=options)


def test_the_compressed_examples_decompress_to_nothing() -> None:
    """So that no piece of them ever shows up as a part of the body."""
    for name in ("a gzip name", "empty deflate blocks"):
        beginning, piece = ENDLESS[name]
        stream = zlib.decompressobj(31)
        sent = beginning.split(b"\r\n\r\n", 1)[1] + piece * 100
        assert b"".join(stream.decompress(part) for part in sent.split(b"\r\n")[1::2]) == b""


@pytest.mark.parametrize(("method", "error"), [("GET", RequestTimeout), ("PATCH", OutcomeUnknown)])
async def test_a_request_ends_at_its_deadline(drip: Drip, method: str, error: type[Exception]) -> None:
    """In an event loop."""
    session = session_of(drip)
    with pytest.raises(error):
        await session.content(Call(method, "/x"))
    await session.aclose()


@pytest.mark.parametrize(("method", "error"), [("GET", RequestTimeout), ("PATCH", OutcomeUnknown)])
def test_a_blocking_request_ends_at_its_deadline(drip: Drip, method: str, error: type[Exception]) -> None:
    """In a thread without a loop, where nothing else could interrupt a read."""
    session = session_of(drip)
    with pytest.raises(error):
        drive(session.content(Call(method, "/x")))
    drive(session.aclose())
