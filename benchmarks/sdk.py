"""Compares the SDK with plain httpx: same requests, same token, same loopback server. Asserts nothing.

Rounds of the two alternate, so that a brief slowdown of the machine affects both; medians are printed. CPU time is of
this process only: the server runs in its own. The rsspot that is measured is that of the Python which runs this.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path

from lists import POOL_LIST
from measuring import listening, tell, token

from rsspot import AsyncSpotClient, SpotClient
from rsspot.wire import httpx

ROUNDS = 9
CALLS = 150
POOLS, PAGE = 10_000, 500
AT_ONCE, BURST = 100, 1_000
SERVER = str(Path(__file__).with_name("server.py"))
REGION = "/apis/ngpc.rxt.io/v1/regions/us-east-iad-1"


def options(url: str, bearer: str) -> dict[str, object]:
    """Options of a client of the server, without a cache."""
    return {"base_url": url, "oauth_url": url, "access_token": bearer, "organization": "org_bench", "cache": False}


def measured(*works: Callable[[], object]) -> list[tuple[float, float]]:
    """Wall and CPU seconds of each function: medians of alternating rounds."""
    rounds: list[list[tuple[float, float]]] = [[] for _ in works]
    for number in range(ROUNDS + 1):
        for index, work in enumerate(works):
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            spent = (time.perf_counter() - wall, time.process_time() - cpu)
            # Discard the first round: it opens connections and builds models.
            if number:
                rounds[index].append(spent)
    return [(statistics.median(w for w, _ in each), statistics.median(c for _, c in each)) for each in rounds]


def line(what: str, ours: tuple[float, float], theirs: tuple[float, float], calls: int) -> None:
    """Print one comparison, in seconds of one call."""
    for tool, (wall, cpu) in (("rsspot", ours), ("httpx", theirs)):
        tell(what, tool=tool, wall=wall / calls, cpu=cpu / calls)


def per_call(url: str, bearer: str) -> None:
    """Sequential small GETs."""
    headers = {"Authorization": f"Bearer {bearer}"}
    loop = asyncio.new_event_loop()

    async def open_both() -> tuple[AsyncSpotClient, httpx.AsyncClient]:
        return AsyncSpotClient(**options(url, bearer)), httpx.AsyncClient(base_url=url, headers=headers)

    ours, theirs = loop.run_until_complete(open_both())

    async def with_ours() -> None:
        for _ in range(CALLS):
            await ours.regions.get("us-east-iad-1")

    async def with_theirs() -> None:
        for _ in range(CALLS):
            (await theirs.get(REGION)).json()

    a, b = measured(lambda: loop.run_until_complete(with_ours()), lambda: loop.run_until_complete(with_theirs()))
    line("one GET, async, to a model", a, b, CALLS)
    with SpotClient(**options(url, bearer)) as sync, httpx.Client(base_url=url, headers=headers) as plain:
        c, d = measured(
            lambda: [sync.regions.get("us-east-iad-1") for _ in range(CALLS)],
            lambda: [plain.get(REGION).json() for _ in range(CALLS)],
        )
    line("one GET, sync, to a model", c, d, CALLS)
    line("one GET, sync beside httpx's async", c, b, CALLS)
    loop.run_until_complete(ours.aclose())
    loop.run_until_complete(theirs.aclose())
    loop.close()


def lists(url: str, bearer: str) -> None:
    """A list of ten thousand pools in twenty pages."""
    headers = {"Authorization": f"Bearer {bearer}"}

    def plain_list() -> list[dict[str, object]]:
        items: list[dict[str, object]] = []
        params = {"limit": str(PAGE)}
        while True:
            page = json.loads(plain.get(POOL_LIST, params=params).content)
            items += page["items"]
            if not page["metadata"].get("continue"):
                return items
            params = {"limit": str(PAGE), "continue": page["metadata"]["continue"]}

    with SpotClient(**options(url, bearer)) as sync, httpx.Client(base_url=url, headers=headers) as plain:
        assert len(sync.spot_nodepools.list()) == len(plain_list()) == POOLS
        ours, theirs = measured(sync.spot_nodepools.list, plain_list)
        line(f"list {POOLS:,} pools to models, beside json.loads", ours, theirs, 1)
        for what, work in (("models", sync.spot_nodepools.list), ("plain dicts", plain_list)):
            gc.collect()
            tracemalloc.start()
            kept = work()
            current, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            tell("memory", kind=what, objects=len(kept), kept=current / 1e6, peak=peak / 1e6)


def construction(url: str, bearer: str) -> None:
    """The cost of making a client, before any request."""
    ours, theirs = measured(
        lambda: [SpotClient(**options(url, bearer)) for _ in range(20)], lambda: [httpx.Client() for _ in range(20)]
    )
    line("make a client for http", ours, theirs, 20)


async def burst(send: Callable[[], Awaitable[object]]) -> tuple[float, float, float]:
    """A thousand GETs, a hundred at a time: requests per second, 99th percentile latency in seconds, CPU seconds."""
    waits: list[float] = []
    left = iter(range(BURST))

    async def worker() -> None:
        for _ in left:
            began = time.perf_counter()
            await send()
            waits.append(time.perf_counter() - began)

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    wall, spent = time.perf_counter() - began, time.process_time() - cpu
    return BURST / wall, statistics.quantiles(waits, n=100)[98], spent


async def at_once(url: str, bearer: str) -> None:
    """Throughput and latency of both with concurrent requests."""
    ours = AsyncSpotClient(**options(url, bearer))
    theirs = httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {bearer}"})
    results: dict[str, list[tuple[float, float, float]]] = {"rsspot": [], "httpx": []}

    async def ask_ours() -> object:
        return await ours.regions.get("us-east-iad-1")

    async def ask_theirs() -> object:
        return (await theirs.get(REGION)).json()

    for number in range(6):
        for name, send in (("rsspot", ask_ours), ("httpx", ask_theirs)):
            result = await burst(send)
            if number:
                results[name].append(result)
    await ours.aclose()
    await theirs.aclose()
    for name, rounds in results.items():
        rate, slowest, cpu = (statistics.median(each) for each in zip(*rounds, strict=True))
        tell(f"{AT_ONCE} GETs at once", tool=name, wall=1 / rate, cpu=cpu / BURST, slowest=slowest)


def main() -> None:
    """Print every comparison."""
    bearer = token()
    with listening([SERVER, str(POOLS)]) as (url, _):
        per_call(url, bearer)
        construction(url, bearer)
        lists(url, bearer)
        asyncio.run(at_once(url, bearer))


if __name__ == "__main__":
    main()
