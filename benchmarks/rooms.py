"""Where the time of a plan and of an apply goes: shares by the folders of the package, from one profile of each.

What functions in C take counts for the room that calls them; a profiler makes calls dearer than they are, so that the
shares say where to look, not how long it takes. Work in other threads is not seen.
"""

from __future__ import annotations

import pstats
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from measuring import SUBJECT, at, cost, listening, simulator, tell
from stack import manifests, placed

PLANNED, APPLIED = 10_000, 1_000
OTHERS = {"httpcore": "httpx", "httpx": "httpx", "h11": "httpx", "anyio": "httpx", "asyncio": "asyncio", "json": "json"}
START_UP = "imports"
PROFILE = """
import cProfile, sys, time
profile = cProfile.Profile(getattr(time, sys.argv[1]))
file, sys.argv = sys.argv[2], ["rsspot", *sys.argv[3:]]
profile.enable()
try:
    from rsspot.__main__ import main
    main()
finally:
    profile.disable()
    profile.dump_stats(file)
"""
CPU, CLOCK = "thread_time", "perf_counter"
"""Waiting counts only by the clock."""


def room(file: str) -> str:
    """What a file belongs to: a folder of rsspot, or a library."""
    if "importlib" in file:
        return START_UP
    parts = Path(file).parts
    if "rsspot" in parts:
        return f"rsspot.{Path(parts[len(parts) - parts[::-1].index('rsspot')]).stem}"
    found = next((OTHERS[part] for part in parts if part in OTHERS), None)
    if found or "site-packages" not in parts:
        return found or "standard library"
    return parts[parts.index("site-packages") + 1].removesuffix(".py").removesuffix(".dist-info")


def shares(file: Path) -> dict[str, float]:
    """Seconds by room."""
    spent: Counter[str] = Counter()
    stats: dict[Any, Any] = pstats.Stats(str(file)).stats  # type: ignore[attr-defined]
    for (name, _, _), (_, _, own, _, callers) in stats.items():
        if name != "~":
            spent[room(name)] += own
        for (caller, _, _), each in callers.items() if name == "~" else ():
            spent["standard library" if caller == "~" else room(caller)] += each[2]
    return dict(spent)


def profiled(what: str, folder: Path, environ: dict[str, str], *arguments: str, timer: str = CPU) -> None:
    """Print the shares of a command."""
    file = folder / f"{what}.prof"
    cost([SUBJECT, "-c", PROFILE, timer, str(file), *arguments], environ)
    found = shares(file)
    total = sum(found.values())
    for name, seconds in sorted(found.items(), key=lambda each: -each[1]):
        tell(what, room=name, share=round(seconds / total, 4))


def plans(folder: Path) -> None:
    """Print the shares of plans of which nothing differs, and everything."""
    stack = folder / "stack.yaml"
    with listening([str(Path(__file__).with_name("recorded.py")), str(PLANNED)]) as (url, _):
        environ = at(url, folder, "org-sandbox000000001")
        for what, bid in (("plan", "0.06"), ("plan, all changed", "0.08")):
            stack.write_text(manifests(PLANNED, bid=bid))
            profiled(what, folder, environ, "plan", "-o", "json", str(stack))


def applies(folder: Path) -> None:
    """Print the shares of an apply, by CPU and by the clock, each with a simulator and a ledger of its own."""
    for what, timer in (("apply", CPU), ("apply, by the clock", CLOCK)):
        home = folder / timer
        home.mkdir()
        with simulator(home) as service:
            stack = home / "stack.yaml"
            stack.write_text("".join(placed(service.listed("serverclasses"), APPLIED)))
            apply = ("apply", "--yes", "--wait=none", "-o", "json", "--parallelism", "32", str(stack))
            profiled(what, home, service.environ, *apply, timer=timer)


def main() -> None:
    """Print the shares of all."""
    with tempfile.TemporaryDirectory() as name:
        plans(Path(name))
        applies(Path(name))


if __name__ == "__main__":
    main()
