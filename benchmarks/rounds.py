"""Durations of works that alternate in rounds, and tables of them."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable

ROUNDS = 7
Work = Callable[[], object]


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


def median_of(works: dict[str, tuple[int, Work]], rounds: int = ROUNDS) -> dict[str, float]:
    """Seconds per call: medians of alternating rounds but the first. works: name -> (calls, function)."""
    durations: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, (calls, work) in works.items():
            spent = timed(work) / calls
            if number:
                durations[name].append(spent)
    return {name: statistics.median(seconds) for name, seconds in durations.items()}


def cpu_of(work: Work) -> float:
    """The CPU seconds of this process."""
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began
