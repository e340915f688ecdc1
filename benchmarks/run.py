"""Measures planning time by stack size, and CLI start-up time. Prints results; asserts nothing.

Run with `make benchmarks`. Planning uses the in-process simulator, whose own time is included.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from rsspot.manifests.parse import load
from rsspot.planner.order import order
from rsspot.testing import SimulatedSpot
from rsspot.workflows.reconcile import make_plan

T = TypeVar("T")
SIZES = (100, 1_000, 10_000)
CLOUDSPACE = """apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {region: us-central-dfw-2, kubernetesVersion: 1.33.0}
"""
POOL = """---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {name: pool-NUMBER}
spec: {cloudSpace: edge, serverClass: gp.vs2.large-dfw2, desired: 1, bidPrice: 0.06}
"""


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """The duration in seconds, and the result."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def planning(size: int) -> str:
    """One line of results: a stack of `size` new pools."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pools = "".join(POOL.replace("NUMBER", str(number)) for number in range(size))
        (folder / "stack.yaml").write_text(CLOUDSPACE + pools)
        reading, manifests = timed(lambda: load([folder / "stack.yaml"]))
        client = SimulatedSpot(folder).client()
        planned, plan = timed(lambda: asyncio.run(make_plan(client, client.ledger, manifests)))
        ordered, steps = timed(lambda: order(plan.changes))
        written, _ = timed(plan.to_json)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    times = f"read {reading:6.2f} s   plan {planned:6.2f} s   order {ordered:5.2f} s   JSON {written:5.2f} s"
    return f"{len(steps):>7,} objects to create   {times}   {peak:5.0f} MiB so far"


def start_up(*arguments: str) -> str:
    """One line of results: the best of seven runs of the CLI."""
    command = [sys.executable, "-m", "rsspot", *arguments]
    best = min(timed(lambda: subprocess.run(command, capture_output=True, check=True))[0] for _ in range(7))
    return f"rsspot {' '.join(arguments):<24} {best * 1000:6.0f} ms"


def main() -> None:
    """Print each line once it is measured."""
    for arguments in (("--version",), ("--help",), ("validate", "manifests")):
        print(start_up(*arguments))
    for size in SIZES:
        print(planning(size))


if __name__ == "__main__":
    main()
