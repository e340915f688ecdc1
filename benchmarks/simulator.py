"""Measures the simulator: served on loopback by its own process, and called in this process. Asserts no timings.

Run with `make benchmarks`, or by itself, with the names of tables to print only those. Unless a table says otherwise,
the simulator's clock stands still, so that only requests are measured. Kinds of calls alternate in rounds, and medians
are printed; json.loads plus json.dumps of one object is the reference. The client of the served simulator is a selector
over plain sockets, so that it costs less than what it measures.
"""

from __future__ import annotations

import gc
import http.client
import json
import os
import resource
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from rsspot.simulator.api import Api
from rsspot.simulator.apiserver.messages import Request, Response
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.world import World

CALLS = 1_000
AT_ONCE = 16
LISTED, PAGE = 10_000, 500
WATCHERS, UPDATES = 100, 100
HELD = (10_000, 100_000)
AMONG, BATCH = (1, 1_000, 10_000), 50
FAST = 20.0
"""Seconds for which a server with a fast clock is used."""
ROUNDS = 7
STARTS = 5
LONGEST = 240
"""Seconds after which the whole run is stopped."""
PATIENCE = 60.0
"""Timeout of one measurement, in seconds."""
VERSION = "ngpc.rxt.io/v1"
NAMESPACE = "org-sandbox000000001"
POOLS = f"/apis/{VERSION}/namespaces/{NAMESPACE}/spotnodepools"
CLOUDSPACES = f"/apis/{VERSION}/namespaces/{NAMESPACE}/cloudspaces"
MERGE = "application/merge-patch+json"
FILED = " in a file"
Work = Callable[[], object]


def name_of(number: int) -> str:
    """The wire name of a pool."""
    return f"00000000-0000-4000-8000-{number:012x}"


def cloudspace(name: str = "prod") -> dict[str, object]:
    """A cloudspace as a caller writes it."""
    spec = {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1"}
    return {"apiVersion": VERSION, "kind": "CloudSpace", "metadata": {"name": name}, "spec": spec}


def pool(number: int, group: str = "prod", **more: object) -> dict[str, object]:
    """A spot pool as a caller writes it."""
    spec = {"serverClass": "ch.vs1.large-ord", "cloudSpace": group, "desired": 1, "bidPrice": "0.02", **more}
    return {"apiVersion": VERSION, "kind": "SpotNodePool", "metadata": {"name": name_of(number)}, "spec": spec}


def noted(number: int) -> dict[str, object]:
    """A merge patch that sets the annotation `note` to a number."""
    return {"metadata": {"annotations": {"note": str(number)}}}


@dataclass(frozen=True)
class Call:
    """A request, for the served simulator or the one in process."""

    method: str
    target: str
    body: bytes = b""
    media: str = "application/json"

    @classmethod
    def of(cls, method: str, target: str, body: object, media: str = "application/json") -> Call:
        """A request with a JSON body."""
        return cls(method, target, json.dumps(body).encode(), media)


def created(number: int, group: str = "prod") -> Call:
    """POST a pool."""
    return Call.of("POST", POOLS, pool(number, group))


def patched(number: int, note: int) -> Call:
    """PATCH a pool."""
    return Call.of("PATCH", f"{POOLS}/{name_of(number)}", noted(note), MERGE)


def got(number: int) -> Call:
    """GET a pool."""
    return Call("GET", f"{POOLS}/{name_of(number)}")


class Local:
    """A simulated world in this process, with an authenticated caller."""

    def __init__(self, path: Path | None = None) -> None:
        self.clock = ManualClock()
        self.world = World(path, clock=self.clock)
        self.api = Api(self.world)
        self.headers = {"Host": "127.0.0.1", "User-Agent": "bench", "Authorization": f"Bearer {self.token()}"}

    def token(self) -> str:
        """A new id token."""
        return self.world.identity.id_token(self.world.organizations[0])

    def ask(self, call: Call) -> Response:
        """The response to a call; asserts that it succeeds."""
        headers = {**self.headers, "Content-Type": call.media}
        response = self.api.handle(Request.of(call.method, call.target, headers, call.body))
        assert response.status in (200, 201), response.body
        return response

    def fill(self, count: int, first: int = 1_000_000) -> None:
        """Add pools to `prod`: copies of a created one, put into the store without validation."""
        made = json.loads(self.ask(created(first)).body)
        with self.world.store.transaction():
            for number in range(first + 1, first + count):
                metadata = {**made["metadata"], "name": name_of(number), "uid": name_of(number)}
                self.world.store.put("spotnodepools", {**made, "metadata": metadata})


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


def timed(work: Work) -> float:
    """The duration in seconds."""
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def row(what: str, *cells: str) -> None:
    """Print one table row."""
    print(f"{what:<44}" + "".join(f"{cell:>14}" for cell in cells), flush=True)


def title(what: str, *heads: str) -> None:
    """Print a table header."""
    print(f"\n{what:<44}" + "".join(f"{head:>14}" for head in heads))


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


def median_of(works: dict[str, tuple[int, Work]], rounds: int = ROUNDS) -> dict[str, float]:
    """Seconds per call: medians of alternating rounds but the first. works: name -> (calls, function)."""
    durations: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, (calls, work) in works.items():
            spent = timed(work) / calls
            if number:
                durations[name].append(spent)
    return {name: statistics.median(seconds) for name, seconds in durations.items()}


def start_up() -> None:
    """Time from spawning a process to its first response, and to make a world in this process."""
    title(f"start-up, median of {STARTS}", "ms")

    def nothing() -> None:
        subprocess.run([sys.executable, "-c", "pass"], check=True)

    def serving() -> float:
        began = time.perf_counter()
        with started() as (_, about):
            host, _, port = about["base_url"].removeprefix("http://").rpartition(":")
            line = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)
            line.request("GET", "/healthz")
            assert line.getresponse().read() == b"ok"
            line.close()
            return time.perf_counter() - began

    plain = statistics.median(timed(nothing) for _ in range(STARTS))
    answering = statistics.median(serving() for _ in range(STARTS))
    with tempfile.TemporaryDirectory() as folder:
        paths = (Path(folder) / str(number) for number in range(STARTS + 1))
        known = Path(folder) / "known"
        World(known, clock=ManualClock()).close()
        opened = median_of(
            {
                "a new world in memory": (1, lambda: World(clock=ManualClock()).close()),
                "a new world in a file": (1, lambda: World(next(paths), clock=ManualClock()).close()),
                "a world from a file": (1, lambda: World(known, clock=ManualClock()).close()),
            },
            STARTS,
        )
    row("python -c pass", f"{plain * 1e3:.0f}")
    row("simulator serve, until its first answer", f"{answering * 1e3:.0f}")
    for name, seconds in opened.items():
        row(name, f"{seconds * 1e3:.0f}")


def works_on(reader: Local, writer: Local) -> dict[str, tuple[int, Work]]:
    """The in-process measurements. reader: has 100 pools in `prod` · writer: new pools are created there"""
    for group in range(ROUNDS + 1):
        writer.ask(Call.of("POST", CLOUDSPACES, cloudspace(f"g{group}")))
    reader.ask(Call.of("POST", CLOUDSPACES, cloudspace()))
    for number in range(100):
        reader.ask(created(number))
    # Each round creates pools in a new cloudspace, since the cost of a create grows with the cloudspace's pools.
    creates = (created(number, f"g{number // 100}") for number in range(100 * (ROUNDS + 1)))
    patches = (patched(number % 100, number) for number in range(100 * (ROUNDS + 1)))
    every = Call("GET", POOLS)
    return {
        "GET of a pool": (100, lambda: [reader.ask(got(number)) for number in range(100)]),
        "LIST of 100 pools": (20, lambda: [reader.ask(every) for _ in range(20)]),
        "create of a pool": (100, lambda: [writer.ask(next(creates)) for _ in range(100)]),
        "merge patch of a pool": (100, lambda: [reader.ask(next(patches)) for _ in range(100)]),
    }


def costs() -> None:
    """The cost of a call in process, with a world in memory and with one in a file, like the CLI's sandbox."""
    title("a call in process", "us in memory", "us in a file", "times json")
    with tempfile.TemporaryDirectory() as folder:
        paths = Path(folder) / "reader", Path(folder) / "writer"
        reader, bank = Local(), Local()
        memory_works, file_works = works_on(reader, Local()), works_on(*map(Local, paths))
        text = reader.ask(got(0)).body.decode()
        asked = Request.of("GET", POOLS, bank.headers, b"")
        fresh = []
        for _ in range(20 * (ROUNDS + 1)):
            bank.clock.advance(1)
            fresh.append(Request.of("GET", POOLS, {"Authorization": f"Bearer {bank.token()}"}, b""))
        unseen = iter(fresh)
        identity = bank.world.identity
        json_works: dict[str, tuple[int, Work]] = {
            "json.loads and json.dumps of that pool": (500, lambda: [json.dumps(json.loads(text)) for _ in range(500)]),
            "a token is made": (20, lambda: [bank.token() for _ in range(20)]),
            "a new token is checked": (20, lambda: [identity.caller(next(unseen)) for _ in range(20)]),
            "a known token is checked": (500, lambda: [identity.caller(asked) for _ in range(500)]),
        }
        filed = {f"{name}{FILED}": each for name, each in file_works.items()}
        inside = median_of({**json_works, **memory_works, **filed})
    scale = inside["json.loads and json.dumps of that pool"]
    for name, seconds in inside.items():
        if not name.endswith(FILED):
            kept = inside.get(name + FILED)
            row(name, f"{seconds * 1e6:,.1f}", f"{kept * 1e6:,.1f}" if kept else "", f"{seconds / scale:,.1f}")
    print(f"(that pool has {len(text):,} bytes)")


def requests() -> None:
    """A thousand creates, gets and patches: over one connection, over several, and in process."""
    title(f"{CALLS:,} requests", "per s", "us each", "us CPU each")
    kinds = {
        "create": [created(number) for number in range(CALLS)],
        "get": [got(number) for number in range(CALLS)],
        "merge patch": [patched(number, number) for number in range(CALLS)],
    }
    lines: dict[str, list[tuple[str, float, float]]] = {kind: [] for kind in kinds}
    for count in (1, AT_ONCE):
        with served() as spot:
            wires = [spot.wire() for _ in range(count)]
            wires[0].ask(Call.of("POST", CLOUDSPACES, cloudspace()))
            for kind, calls in kinds.items():
                before = spot.cpu()
                wall = drive(wires, calls)
                of = "1 connection" if count == 1 else f"{count} connections"
                lines[kind].append((f"{kind}, {of}", wall, spot.cpu() - before))
            for wire in wires:
                wire.close()
    local = Local()
    local.ask(Call.of("POST", CLOUDSPACES, cloudspace()))
    for kind, calls in kinds.items():
        before = time.process_time()
        wall = timed(partial(list, map(local.ask, calls)))
        lines[kind].append((f"{kind}, in process", wall, time.process_time() - before))
    for what, wall, cpu in (line for each in lines.values() for line in each):
        row(what, f"{CALLS / wall:,.0f}", f"{wall / CALLS * 1e6:,.0f}", f"{cpu / CALLS * 1e6:,.0f}")


def listed(ask: Callable[[Call], bytes], limit: int) -> int:
    """The size of a complete list in bytes, read in pages of `limit`."""
    token, count, size = "", 0, 0
    while True:
        query = {"limit": str(limit), **({"continue": token} if token else {})}
        body = ask(Call("GET", f"{POOLS}?{urlencode(query)}"))
        count, size = count + body.count(b'"kind": "SpotNodePool"'), size + len(body)
        token = body[-400:].partition(b'"continue": "')[2].partition(b'"')[0].decode()
        if not token:
            assert count == LISTED, count
            return size


def lists() -> None:
    """A list of ten thousand pools of a world in a file, served and in process."""
    title(f"list of {LISTED:,} pools", "objects/s", "MB/s", "ms")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ends:
        path = Path(folder) / "world"
        local = Local(path)
        local.ask(Call.of("POST", CLOUDSPACES, cloudspace()))
        local.fill(LISTED)
        wire = ends.enter_context(served("--state", str(path))).wire()
        ends.callback(wire.close)

        def in_process(call: Call) -> bytes:
            return local.ask(call).body

        for what, limit in ((f"pages of {PAGE}", PAGE), ("one page", LISTED)):
            size = listed(in_process, limit)
            times = median_of(
                {
                    "served": (1, partial(listed, wire.ask, limit)),
                    "in process": (1, partial(listed, in_process, limit)),
                },
                3,
            )
            for where, seconds in times.items():
                rate, flow = f"{LISTED / seconds:,.0f}", f"{size / seconds / 1e6:,.0f}"
                row(f"{what}, {where}", rate, flow, f"{seconds * 1e3:,.0f}")
        local.world.close()


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


def held(count: int) -> None:
    """Run in its own process: measures the memory of a world with that many objects. Prints JSON."""
    local = Local()
    local.ask(Call.of("POST", CLOUDSPACES, cloudspace()))
    text = len(local.ask(created(0)).body)
    gc.collect()
    before = memory()
    seconds = timed(lambda: local.fill(count))
    after = memory()
    paged = timed(lambda: local.ask(Call("GET", f"{POOLS}?limit={PAGE}")))
    local.ask(Call("GET", POOLS))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"before": before, "after": after, "seconds": seconds, "text": text, "page": paged, "peak": peak}))


def memories() -> None:
    """The memory of a process with only the catalog, and of those with many pools."""
    title("memory of an empty world", "MB")
    with served() as spot:
        row("simulator serve, empty", f"{memory(spot.pid) / 1e6:,.0f}")
    for count in HELD:
        title(f"memory with {count:,} pools in memory", "MB", "bytes each")
        command = [sys.executable, __file__, "held", str(count)]
        found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
        row("a process with an empty world", f"{found['before'] / 1e6:,.0f}")
        each = (found["after"] - found["before"]) / count
        row("the same with the pools", f"{found['after'] / 1e6:,.0f}", f"{each:,.0f}")
        row("of that, the JSON of the pools", f"{found['text'] * count / 1e6:,.0f}", f"{found['text']:,}")
        row("at the peak of a list in one page", f"{found['peak'] / 1e6:,.0f}")
        first = f"the first page of {PAGE} takes {found['page'] * 1e3:.0f} ms"
        print(f"(put into the store in {found['seconds']:.1f} s; {first})")


def cpu_of(work: Work) -> float:
    """The CPU seconds of this process."""
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


def growth() -> None:
    """The CPU of a create, of a list and of looking for one object, in a file, as a world grows."""
    title("as it fills, in process, in a file: CPU", "us a create", "autoscaled", "by name", "listed/s")
    for among in AMONG:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "world"
            local = Local(path)
            for name in ("prod", "other", "scaled"):
                local.ask(Call.of("POST", CLOUDSPACES, cloudspace(name)))
            local.fill(among)
            batches = [partial(create_all, local, range(start, start + BATCH)) for start in range(0, 6 * BATCH, BATCH)]
            create = min(map(cpu_of, batches)) / BATCH
            bounds = {"enabled": True, "minNodes": 1, "maxNodes": 2}
            scaled = Call.of("POST", POOLS, pool(CALLS * 3, "scaled", autoscaling=bounds))
            autoscaled = cpu_of(partial(local.ask, scaled))
            found = Call("GET", f"{POOLS}?{urlencode({'fieldSelector': f'metadata.name={name_of(0)}'})}")
            named = min(cpu_of(partial(local.ask, found)) for _ in range(3))
            paged = min(cpu_of(partial(paged_through, local)) for _ in range(3))
            cells = [f"{seconds * 1e6:,.0f}" for seconds in (create, autoscaled, named)]
            row(f"among {among:,} pools", *cells, f"{among / paged:,.0f}")
            local.world.close()
    title("as one cloudspace fills, in process: CPU", "us a create")
    local = Local()
    local.ask(Call.of("POST", CLOUDSPACES, cloudspace()))
    for start in range(0, CALLS * 2, 100):
        spent = cpu_of(partial(create_all, local, range(start, start + 100), "prod")) / 100
        if start in (0, CALLS - 100, CALLS * 2 - 100):
            row(f"among {start:,} pools of the same cloudspace", f"{spent * 1e6:,.0f}")


def create_all(local: Local, numbers: Sequence[int], group: str = "other") -> None:
    """Create pools."""
    for number in numbers:
        local.ask(created(number, group))


def paged_through(local: Local) -> None:
    """Read a complete list in pages."""
    token = ""
    while True:
        query = {"limit": str(PAGE), **({"continue": token} if token else {})}
        body = local.ask(Call("GET", f"{POOLS}?{urlencode(query)}")).body
        token = body[-400:].partition(b'"continue": "')[2].partition(b'"')[0].decode()
        if not token:
            return


def days() -> None:
    """The CPU of a day of auctions, and a server whose clock is faster than it may be able to follow."""
    title("a day of auctions, in process, in a file: CPU", "s", "versions")
    for pools, groups in ((12, 1), (200, 1), (200, 20)):
        with tempfile.TemporaryDirectory() as folder:
            local = Local(Path(folder) / "world")
            for group in range(groups):
                local.ask(Call.of("POST", CLOUDSPACES, cloudspace(f"g{group}")))
            for number in range(pools):
                local.ask(Call.of("POST", POOLS, pool(number, f"g{number % groups}", desired=2, bidPrice="0.10")))
            before = local.world.store.version()
            local.clock.advance(86_400)
            spent = cpu_of(local.api.tick)
            what = f"{pools} pools in {groups} cloudspace{'s' * (groups > 1)}"
            row(what, f"{spent:.2f}", f"{local.world.store.version() - before:,}")
            local.world.close()
    title(f"200 pools in one cloudspace, served for {FAST:.0f} s", "p50 ms", "p99 ms", "CPU s", "end, s")
    for scale in (1_000, 1_000_000):
        with tempfile.TemporaryDirectory() as folder, ExitStack() as ends:
            options = ("--time-scale", str(scale), "--state", str(Path(folder) / "world"))
            process, about = ends.enter_context(started(*options))
            spot = Served(process, about)
            wire = spot.wire()
            wire.ask(Call.of("POST", CLOUDSPACES, cloudspace()))
            waits, until = [], time.monotonic() + FAST
            calls = [Call.of("POST", POOLS, pool(n, desired=2, bidPrice="0.10")) for n in range(200)]
            while time.monotonic() < until:
                call = calls.pop() if calls else got(199)
                waits.append(timed(partial(wire.ask, call)))
            cpu, late = spot.cpu(), statistics.quantiles(waits, n=100)
            process.terminate()
            ended = timed(partial(process.wait, PATIENCE))
            row(
                f"at {scale:,} times real time",
                f"{late[49] * 1e3:,.1f}",
                f"{late[98] * 1e3:,.1f}",
                f"{cpu:.1f}",
                f"{ended:.2f}",
            )


def too_long(*_: object) -> None:
    """Exit, so that the context managers stop the processes that were started."""
    raise SystemExit(f"stopped after {LONGEST} s")


def main() -> None:
    """Print each table once it is measured."""
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LONGEST)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if sys.argv[1:2] == ["held"]:
        held(int(sys.argv[2]))
        return
    works = (start_up, costs, requests, lists, watches, memories, growth, days)
    for work in [each for each in works if each.__name__ in sys.argv[1:]] or works:
        work()


if __name__ == "__main__":
    main()
