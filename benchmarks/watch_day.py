"""A virtual day of `rsspot watch`, with faults: rounds, what they cost, and the memory of the process. Asserts nothing.

watch_day.py [POOLS] prints a line for every four hours: one read in ten fails, and somebody changes a field each hour.
The simulator is in the same process, and remembers what happened to objects.
"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import aclosing
from pathlib import Path

from simulated_server import memory
from stack import manifests

from rsspot.applier.options import ApplyOptions
from rsspot.controller.interval import Interval
from rsspot.controller.loop import Controller, ControllerOptions
from rsspot.controller.metrics import Metrics
from rsspot.controller.reconciler import RoundOptions
from rsspot.controller.rounds import DesiredState
from rsspot.errors import RsspotError
from rsspot.manifests.parse import load
from rsspot.resources.registry import kinds
from rsspot.state.ledger import open_ledger
from rsspot.testing import SimulatedSpot

HOUR = 3600.0
SHOWN = 4


async def day(folder: Path, pools: int) -> None:
    """Run it and print."""
    (folder / "stack.yaml").write_text(manifests(pools))
    spot = SimulatedSpot(folder)
    client, metrics = spot.client(), Metrics()

    async def read() -> DesiredState:
        return DesiredState(load([folder / "stack.yaml"], environ={}))

    options = ControllerOptions(RoundOptions(apply=True, run=ApplyOptions(wait="none")), Interval(300.0, 0.1))
    controller = Controller(client, lambda: open_ledger(folder / "state.db"), read, options, chance=random.Random(1))
    spot.faults.say("GET: 503 always p 0.1")
    began, hours, seen = spot.clock.time(), 0, Counter[str]()
    spent = time.process_time()
    print(f"{'hour':>4}{'rounds':>8}{'in sync':>9}{'applied':>9}{'failed':>8}{'MiB':>7}{'ms CPU a round':>16}")
    async with aclosing(controller.rounds()) as rounds:
        async for each in rounds:
            seen[each.outcome.value] += 1
            metrics.add(each)
            if spot.clock.time() - began < (hours + 1) * HOUR:
                continue
            hours += 1
            await _change_by_hand(spot, hours)
            if hours % SHOWN == 1 or hours == 24:
                gc.collect()
                count = sum(seen.values())
                cost = (time.process_time() - spent) / count * 1e3
                cells = (seen["in-sync"], seen["applied"], seen["failed"])
                row = f"{count:>8}{cells[0]:>9}{cells[1]:>9}{cells[2]:>8}"
                print(f"{hours:>4}{row}{memory() / 2**20:>7.1f}{cost:>16.1f}", flush=True)
            if hours == 24:
                break
    await client.aclose()
    spot.close()


async def _change_by_hand(spot: SimulatedSpot, hour: int) -> None:
    """Somebody changes a pool; now and then the service is away."""
    documents = spot.client().documents(kinds()["SpotNodePool"])
    try:
        [first, *_] = await documents.list()
        await documents.patch(first["metadata"]["name"], {"spec": {"desired": 2 + hour % 3}})
    except RsspotError as error:
        print(f"hour {hour}: {error.message}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(day(Path(name), int(sys.argv[1]) if len(sys.argv) > 1 else 20))
