"""How long planning takes as stacks grow, and what start-up costs. Prints; asserts nothing.

Run with `make benchmarks`. Planning is measured on the in-process simulator, whose time is in the numbers.
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
    """Seconds that some work takes, and what it gives."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def planning(size: int) -> str:
    """One line: a stack of that many pools, none of which exists."""
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
    """One line: the best of seven whole processes."""
    command = [sys.executable, "-m", "rsspot", *arguments]
    best = min(timed(lambda: subprocess.run(command, capture_output=True, check=True))[0] for _ in range(7))
    return f"rsspot {' '.join(arguments):<24} {best * 1000:6.0f} ms"


def main() -> None:
    """Print every line as it is known."""
    for arguments in (("--version",), ("--help",), ("validate", "manifests")):
        print(start_up(*arguments))
    for size in SIZES:
        print(planning(size))


if __name__ == "__main__":
    main()
