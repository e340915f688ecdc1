"""Simulates how long a drift round of a large fleet takes with so many workers, and what bounds it. Asserts nothing.

fleet_scale.py [SEED]

The fleet has 50 organizations with 200 stacks of 50 pools each: 500,000 objects. What a plan costs is measured here,
against a simulated organization of 10,000 pools in this process; latency and rate limits are assumptions, which the
first lines print. The rest is counted by events: requests wait for a token of their organization's rate limit, pages of
a list follow each other, the lists of different kinds do not wait for each other, and a worker plans on one core.

alone: each stack is a task of a queue, which lists its whole organization for itself, as `fleet worker` does
together: each organization is one task, whose stacks share their lists, as `fleet plan` does in one process
"""

from __future__ import annotations

import asyncio
import heapq
import math
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from simulated_calls import NAMESPACE, name_of

from rsspot.applier.options import ApplyOptions
from rsspot.client.shared_reads import SharedReads
from rsspot.manifests.parse import load
from rsspot.state.ledger import open_ledger
from rsspot.testing import SimulatedSpot
from rsspot.workflows.reconcile import apply_plan, make_plan

ORGANIZATIONS, STACKS, POOLS = 50, 200, 50
PAGE = 500
OTHER_LISTS = 6
"""Lists of one page: the cloudspaces of an organization, its other kinds, and the catalogues."""
WORKERS = (1, 10, 100)
LATENCIES = (0.05, 0.3)
"""Seconds of a request, from the fastest to the slowest."""
RATES = (5.0, 20.0, math.inf)
"""Requests a second that an organization may send."""


@dataclass(frozen=True)
class Measured:
    """CPU seconds: of a list of the whole organization, and of a plan of one stack once that is there."""

    listing: float
    planning: float


@dataclass(frozen=True)
class Round:
    """Of a drift round. busy, held: the share of the workers' time that they compute, and wait for a rate limit."""

    seconds: float
    busy: float
    held: float
    requests: int


def manifests(stack: int) -> str:
    """A stack of a cloudspace and fifty pools."""
    head = f"apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {{name: s{stack}}}\n"
    space = f"---\napiVersion: ngpc.rxt.io/v1\nkind: CloudSpace\nmetadata: {{name: s{stack}}}\n"
    spec = "spec: {region: us-central-ord-1, kubernetesVersion: 1.31.1}\n"
    pools = "".join(
        f"---\napiVersion: ngpc.rxt.io/v1\nkind: SpotNodePool\nmetadata: {{name: pool-{number}}}\n"
        f"spec: {{cloudSpace: s{stack}, serverClass: ch.vs1.large-ord, desired: 1, bidPrice: 0.02}}\n"
        for number in range(POOLS)
    )
    return head + space + spec + pools


async def measure() -> Measured:
    """What lists and plans cost here, in an organization of 10,000 pools. The simulator's own CPU counts as well."""
    with tempfile.TemporaryDirectory() as name:
        spot = SimulatedSpot(Path(name))
        client, ledger = spot.client(), open_ledger(Path(name) / "state.db")
        for stack in range(2):
            (Path(name) / f"{stack}.yaml").write_text(manifests(stack))
        plan = await make_plan(client, ledger, load([Path(name) / "0.yaml"], environ={}))
        async for _ in apply_plan(client, ledger, plan, ApplyOptions(wait="none")):
            pass
        _fill(spot)
        client.shared_reads = SharedReads()
        spent = []
        for _ in range(4):
            began = time.process_time()
            await make_plan(client, ledger, load([Path(name) / "1.yaml"], environ={}))
            spent.append(time.process_time() - began)
        await client.aclose()
        ledger.close()
        spot.close()
    planning = min(spent[1:])
    return Measured(spent[0] - planning, planning)


def _fill(spot: SimulatedSpot) -> None:
    """Copies of a pool of the first stack, until the organization has its ten thousand."""
    store = spot.world.store
    [pool, *others] = store.objects("spotnodepools", NAMESPACE)
    with store.transaction():
        for number in range(STACKS * POOLS - len(others) - 1):
            metadata = {**pool["metadata"], "name": name_of(number), "uid": name_of(number)}
            store.put("spotnodepools", {**pool, "metadata": metadata})


class Limit:
    """The rate limit of one organization: a request is sent when its turn has come."""

    def __init__(self, rate: float) -> None:
        self._gap = 1 / rate
        self._free = 0.0

    def turn(self, now: float) -> float:
        """The moment at which a request that is ready now may be sent."""
        moment = max(now, self._free)
        self._free = moment + self._gap
        return moment


def tasks(*, together: bool) -> Iterator[tuple[int, int]]:
    """Each task: its organization, and how many stacks it plans."""
    for organization in range(ORGANIZATIONS):
        if together:
            yield organization, STACKS
        else:
            yield from ((organization, 1) for _ in range(STACKS))


def simulated(workers: int, rate: float, cost: Measured, *, together: bool, seed: int) -> Round:
    """One drift round. A worker takes the next task once it has finished one; requests are sent in order of time."""
    chance = random.Random(seed)
    limits = [Limit(rate) for _ in range(ORGANIZATIONS)]
    waiting = list(tasks(together=together))
    chance.shuffle(waiting)
    pages = math.ceil(STACKS * POOLS / PAGE)
    busy = held = 0.0
    requests = 0
    # The moment, a tie-breaker, the organization, how many stacks the task plans, and the pages that it has to read.
    events: list[tuple[float, int, int, int, int]] = []
    count = 0

    def begin(now: float) -> None:
        nonlocal count
        if waiting:
            organization, stacks = waiting.pop()
            count += 1
            heapq.heappush(events, (now, count, organization, stacks, pages))

    for _ in range(workers):
        begin(0.0)
    ended = 0.0
    while events:
        now, _, organization, stacks, left = heapq.heappop(events)
        if left == 0:
            compute = cost.listing + stacks * cost.planning
            busy += compute
            ended = max(ended, now + compute)
            begin(now + compute)
            continue
        sent = 1 + (OTHER_LISTS if left == pages else 0)
        turns = [limits[organization].turn(now) for _ in range(sent)]
        requests += sent
        held += turns[0] - now
        answered = max(turn + chance.uniform(*LATENCIES) for turn in turns)
        count += 1
        heapq.heappush(events, (answered, count, organization, stacks, left - 1))
    return Round(ended, busy / (ended * workers), held / (ended * workers), requests)


def main(seed: int) -> None:
    """Print the table."""
    cost = asyncio.run(measure())
    objects = ORGANIZATIONS * STACKS * POOLS
    print(f"{ORGANIZATIONS} organizations, {STACKS} stacks each, {POOLS} pools each: {objects:,} pools; seed {seed}")
    print(f"measured, CPU: {cost.listing:.2f} s to list an organization, {cost.planning * 1e3:.0f} ms to plan a stack")
    print(f"assumed: {LATENCIES[0]} to {LATENCIES[1]} s a request, {PAGE} objects a page\n")
    heads = ("requests/s", "round", "computing", "held back", "requests")
    print(f"{'tasks':<10}{'workers':>8}" + "".join(f"{head:>12}" for head in heads))
    for together in (False, True):
        for workers in WORKERS:
            for rate in RATES:
                each = simulated(workers, rate, cost, together=together, seed=seed)
                limit = "none" if math.isinf(rate) else f"{rate:g}"
                cells = (limit, f"{each.seconds:,.0f} s", f"{each.busy:.0%}", f"{each.held:.0%}", f"{each.requests:,}")
                name = "together" if together else "alone"
                print(f"{name:<10}{workers:>8}" + "".join(f"{cell:>12}" for cell in cells))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
