"""The SDK as released in 0.3.0 and as it is, by a script that both run. Asserts nothing.

The released version reads one page of a list only, so that the list here has no more pools than that.
released.py TOOL measures the SDK of the Python that runs it; without arguments, both do so, and commands are measured.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from measuring import RSSPOT, SUBJECT, alternating, at, cost, listening, tell

RELEASED = Path(__file__).parents[1] / ".venv" / "release-0.3" / "bin" / "python"
NAME = "00000000-0000-5000-8000-000000000000"
POOLS, CALLS, ROUNDS = 500, 100, 5
SERVER = str(Path(__file__).with_name("server.py"))
VERSIONS = {"0.3.0": (str(RELEASED), [str(RELEASED.with_name("rsspot"))]), "rsspot": (SUBJECT, RSSPOT)}
"""The Python and the command of each."""
LISTED = f"rsspot nodepools spot list, {POOLS} pools"
LIST = ["-o", "json", "nodepools", "spot", "list"]


def each(work: Callable[[], object], calls: int) -> dict[str, float]:
    """Seconds of one call: medians of rounds but the first."""
    walls, cpus = [], []
    for _ in range(ROUNDS + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(calls):
            work()
        walls.append((time.perf_counter() - wall) / calls)
        cpus.append((time.process_time() - cpu) / calls)
    return {"wall": statistics.median(walls[1:]), "cpu": statistics.median(cpus[1:])}


def sdk(tool: str) -> None:
    """Calls of the SDK that both versions have, without a cache. In the Python of one of them."""
    from rsspot import CacheConfig, SpotClient

    with SpotClient(cache=CacheConfig(enabled=False)) as client:
        pools = client.spot_nodepools
        tell("GET of a pool by the SDK", tool=tool, **each(lambda: pools.get(NAME), CALLS))
        tell(f"list of {POOLS} pools by the SDK", tool=tool, **each(pools.list, 3))


def compared(folder: Path, url: str) -> None:
    """Print the results of all versions, each with a home of its own."""
    run = {}
    for tool, (python, command) in VERSIONS.items():
        environ = at(url, folder / tool, "org-bench") | {"RSSPOT_ORG_ID": "org-bench"}
        subprocess.run([python, __file__, tool], env=environ, check=True)
        run[LISTED, tool] = partial(cost, [*command, *LIST], environ)
        run["rsspot --help", tool] = partial(cost, [*command, "--help"], environ)
    for (what, tool), spent in alternating(run, ROUNDS).items():
        tell(what, spent, tool=tool)


def main() -> None:
    """Print the results, or that the released version is not installed."""
    if not RELEASED.exists():
        tell("skipped", tool="rsspot 0.3.0")
        return
    with tempfile.TemporaryDirectory() as folder, listening([SERVER, str(POOLS)]) as (url, _):
        compared(Path(folder), url)


if __name__ == "__main__":
    sdk(sys.argv[1]) if sys.argv[1:] else main()
