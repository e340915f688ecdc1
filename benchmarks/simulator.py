"""Measures the simulator: served on loopback by its own process, and called in this process. Asserts no timings.

Run with `make benchmarks`, or by itself, with the names of tables to print only those. Unless a table says otherwise,
the simulator's clock stands still, so that only requests are measured. Kinds of calls alternate in rounds, and medians
are printed; json.loads plus json.dumps of one object is the reference. The client of the served simulator is a selector
over plain sockets, so that it costs less than what it measures.
"""

from __future__ import annotations

import http.client
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from rounds import ROUNDS, Work, median_of, row, timed, title
from simulated_calls import CLOUDSPACES, POOLS, Call, Local, cloudspace, created, got, patched
from simulated_growth import days, growth, held, memories
from simulated_server import PATIENCE, drive, served, started
from simulated_watches import watches

from rsspot.simulator.apiserver.messages import Request
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.world import World

CALLS = 1_000
AT_ONCE = 16
LISTED, PAGE = 10_000, 500
STARTS = 5
LONGEST = 240
"""Seconds after which the whole run is stopped."""
FILED = " in a file"


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
