"""Measures how the simulator delivers updates to many watches."""

from __future__ import annotations

import json
import selectors
import statistics
import time
from contextlib import ExitStack
from urllib.parse import urlencode

from rounds import row, title
from simulated_calls import CLOUDSPACES, POOLS, Call, cloudspace, created, patched
from simulated_server import PATIENCE, Served, Wire, served

WATCHERS, UPDATES = 100, 100


class Watching:
    """A number of open watches, and another connection that writes."""

    def __init__(self, spot: Served, count: int) -> None:
        self.writer = spot.wire()
        self.wires = [spot.wire() for _ in range(count)]
        self.ready = selectors.DefaultSelector()
        self.written = 0
        self.seen: list[tuple[int, float]] = []
        newest = self.writer.ask(Call("GET", f"{POOLS}?limit=1"))
        since = json.loads(newest)["metadata"]["resourceVersion"]
        query = urlencode({"watch": "true", "resourceVersion": since, "timeoutSeconds": int(PATIENCE)})
        for wire in self.wires:
            wire.send(Call("GET", f"{POOLS}?{query}"))
            while b"\r\n\r\n" not in wire.received:
                wire.received += wire.socket.recv(1 << 16)
            wire.received.clear()
        for wire in (self.writer, *self.wires):
            self.ready.register(wire.socket, selectors.EVENT_READ, wire)

    def look(self, seconds: float) -> bool:
        """Receive what arrives within `seconds`. Returns whether a write was answered."""
        answered = False
        for key, _ in self.ready.select(seconds):
            wire: Wire = key.data
            if wire is self.writer:
                answered = wire.read() is not None
                continue
            wire.received += wire.socket.recv(1 << 20)
            moment = time.perf_counter()
            # Each event is one line, and each line one HTTP chunk.
            while (end := wire.received.find(b"\n\r\n")) >= 0:
                note = wire.received[:end].partition(b'"note": "')[2].partition(b'"')[0]
                self.seen.append((int(note), moment))
                del wire.received[: end + 3]
        return answered

    def write(self, count: int, pace: float) -> tuple[float, float, list[float]]:
        """(mean seconds per write, events per second, seconds from each write to each receipt)."""
        self.seen.clear()
        sent: dict[int, float] = {}
        waits: list[float] = []
        deadline, wanted = time.monotonic() + PATIENCE / 2, count * len(self.wires)
        due, is_free = time.perf_counter(), True
        while (len(sent) < count or len(self.seen) < wanted or not is_free) and time.monotonic() < deadline:
            if is_free and len(sent) < count and time.perf_counter() >= due:
                self.written += 1
                sent[self.written] = time.perf_counter()
                self.writer.send(patched(0, self.written))
                is_free, due = False, due + pace
            if self.look(0.001):
                is_free = True
                waits.append(time.perf_counter() - sent[self.written])
        assert len(self.seen) == wanted, f"{len(self.seen)} of {wanted} events"
        ended = max((moment for _, moment in self.seen), default=time.perf_counter())
        took = ended - min(sent.values())
        return statistics.mean(waits), wanted / took, [moment - sent[note] for note, moment in self.seen]

    def close(self) -> None:
        """Close all connections."""
        self.ready.close()
        for wire in (self.writer, *self.wires):
            wire.close()


def watches() -> None:
    """The delivery of updates to up to a hundred watchers."""
    title(f"{UPDATES} updates, {WATCHERS} watchers", "events/s", "p50 ms", "p99 ms", "ms a write", "CPU")
    for count, pace in ((0, 0.0), (1, 0.0), (WATCHERS, 0.0), (WATCHERS, 0.05)):
        with served() as spot, ExitStack() as ends:
            first = spot.wire()
            first.ask(Call.of("POST", CLOUDSPACES, cloudspace()))
            first.ask(created(0))
            first.close()
            watching = Watching(spot, count)
            ends.callback(watching.close)
            before, began = spot.cpu(), time.perf_counter()
            a_write, rate, waits = watching.write(UPDATES, pace)
            share = (spot.cpu() - before) / (time.perf_counter() - began)
            late = [f"{each * 1e3:,.1f}" for each in (statistics.quantiles(waits, n=100) if waits else ())]
            writes = f"{1 / pace:.0f} writes a second" if pace else "a write at a time"
            how = f"{count} watcher{'s' * (count != 1)}, {writes}"
            middle, last = (late[49], late[98]) if late else ("", "")
            row(how, f"{rate:,.0f}" if late else "", middle, last, f"{a_write * 1e3:.1f}", f"{share:.0%}")
            if pace:
                before = spot.cpu()
                ends_at = time.monotonic() + 2
                while time.monotonic() < ends_at:
                    watching.look(0.1)
                row(f"{count} watchers, nothing written", "", "", "", "", f"{(spot.cpu() - before) / 2:.0%}")
