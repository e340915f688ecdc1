"""Measures what the simulator holds and costs as its world fills and its days pass."""

from __future__ import annotations

import gc
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from rounds import cpu_of, row, timed, title
from simulated_calls import CLOUDSPACES, POOLS, Call, Local, cloudspace, created, got, name_of, pool
from simulated_server import PATIENCE, Served, memory, served, started

CALLS, PAGE, BATCH = 1_000, 500, 50
HELD = (10_000, 100_000)
AMONG = (1, 1_000, 10_000)
FAST = 20.0
"""Seconds for which a server with a fast clock is used."""


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
        command = [sys.executable, str(Path(__file__).with_name("simulator.py")), "held", str(count)]
        found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
        row("a process with an empty world", f"{found['before'] / 1e6:,.0f}")
        each = (found["after"] - found["before"]) / count
        row("the same with the pools", f"{found['after'] / 1e6:,.0f}", f"{each:,.0f}")
        row("of that, the JSON of the pools", f"{found['text'] * count / 1e6:,.0f}", f"{found['text']:,}")
        row("at the peak of a list in one page", f"{found['peak'] / 1e6:,.0f}")
        first = f"the first page of {PAGE} takes {found['page'] * 1e3:.0f} ms"
        print(f"(put into the store in {found['seconds']:.1f} s; {first})")


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
