"""A simulator in a process of its own, and a client of plain sockets that costs less than what it measures."""

from __future__ import annotations

import http.client
import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

from simulated_calls import Call

PATIENCE = 60.0
"""Timeout of one measurement, in seconds."""


class Wire:
    """One keep-alive connection."""

    def __init__(self, address: tuple[str, int], headers: dict[str, str]) -> None:
        self.socket = socket.create_connection(address, timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.received = bytearray()
        self.end = 0
        """The length of the body being received; 0 until its headers have arrived."""

    def send(self, call: Call) -> None:
        """Send a request."""
        head = f"{call.method} {call.target} HTTP/1.1\r\n{self.headers}Content-Type: {call.media}\r\n"
        self.socket.sendall(f"{head}Content-Length: {len(call.body)}\r\n\r\n".encode() + call.body)

    def read(self) -> bytes | None:
        """Receive what has arrived. Returns the body once the response is complete, else None."""
        piece = self.socket.recv(1 << 20)
        assert piece, "the server hung up"
        self.received += piece
        if not self.end:
            start = self.received.find(b"\r\n\r\n") + 4
            if start < 4:
                return None
            head = bytes(self.received[:start])
            assert head.split(maxsplit=2)[1] in (b"200", b"201"), bytes(self.received)
            self.end = int(head.lower().partition(b"content-length:")[2].split()[0])
            del self.received[:start]
        if len(self.received) < self.end:
            return None
        body, self.end = bytes(self.received), 0
        self.received.clear()
        return body

    def ask(self, call: Call) -> bytes:
        """The response body of a call."""
        self.send(call)
        while (body := self.read()) is None:
            pass
        return body

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()


class Served:
    """A simulator in its own process, with an authenticated caller."""

    def __init__(self, process: subprocess.Popen[bytes], about: dict[str, str]) -> None:
        self.pid = process.pid
        host, _, port = about["base_url"].removeprefix("http://").rpartition(":")
        self.address = (host, int(port))
        line = http.client.HTTPConnection(*self.address, timeout=PATIENCE)
        form = {"grant_type": "refresh_token", "client_id": "bench", "refresh_token": about["refresh_token"]}
        line.request("POST", "/oauth/token", urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
        token = json.loads(line.getresponse().read())["id_token"]
        line.close()
        self.headers = {"Host": f"{host}:{port}", "User-Agent": "bench", "Authorization": f"Bearer {token}"}

    def wire(self) -> Wire:
        """A new connection."""
        return Wire(self.address, self.headers)

    def cpu(self) -> float:
        """The CPU seconds that the process has used so far."""
        used = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def memory(pid: int | str = "self") -> float:
    """The resident memory of a process, in bytes."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """Run a simulator; yields the process and the contents of its ready file. Always stops the process."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RSSPOT_", "SPOT_"))}
        command = [sys.executable, "-m", "rsspot", "simulator", "serve", "--ready-file", str(ready)]
        process = subprocess.Popen(
            [*command, "--time-scale", "0", *options],
            env={**kept, "HOME": folder},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + PATIENCE
            while not ready.exists():
                assert process.poll() is None and time.monotonic() < deadline, "the server did not come up"
                time.sleep(0.001)
            yield process, json.loads(ready.read_text())
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def served(*options: str) -> Iterator[Served]:
    """Run a simulator; yields a caller of it."""
    with started(*options) as (process, about):
        yield Served(process, about)


def drive(wires: Sequence[Wire], calls: Sequence[Call]) -> float:
    """Seconds until all calls are answered, with one call in flight per connection."""
    left, answered, deadline = iter(calls), 0, time.monotonic() + PATIENCE
    with selectors.DefaultSelector() as ready:
        for wire in wires:
            ready.register(wire.socket, selectors.EVENT_READ, wire)
        began = time.perf_counter()
        for wire, call in zip(wires, left, strict=False):
            wire.send(call)
        while answered < len(calls):
            assert time.monotonic() < deadline, "the answers take too long"
            for key, _ in ready.select(1.0):
                if key.data.read() is not None:
                    answered += 1
                    for call in islice(left, 1):
                        key.data.send(call)
        return time.perf_counter() - began
