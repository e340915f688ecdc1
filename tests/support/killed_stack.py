"""Applies the stack of a folder in a world that lives in a file, with faults, and dies of SIGKILL where it is told."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from rsspot.applier.events import Recap
from rsspot.applier.options import ApplyOptions
from support.crash_points import Fuse
from support.killed_apply import Stage, warm_up

__all__ = ["main", "warm_up"]

FAULTS = (
    "POST: reset-after",
    "POST: reset-before",
    "POST: 503",
    "POST: 429 retry-after 2",
    "PATCH: reset-after",
    "PATCH: 409",
    "DELETE: reset-after",
    "DELETE: 503",
    "GET: 503",
    "GET: truncate 100",
    "GET: stale 2",
)


async def run(folder: Path, start: float, seed: int | None, fuse: Fuse | None = None) -> Recap:
    """Plan and apply once. seed: of the faults; None for none."""
    stage = Stage(folder, start, fuse)
    if seed is not None:
        chance = random.Random(seed)
        for fault in chance.sample(FAULTS, 4):
            stage.world.faults.say(f"{fault} x{chance.randrange(1, 3)} after {chance.randrange(6)}")
    try:
        return await stage.scene.apply((folder / "wanted.yaml").read_text(), ApplyOptions(parallel=chance_of(seed)))
    finally:
        await stage.close()


def chance_of(seed: int | None) -> int:
    """How many steps run side by side."""
    return 8 if seed is None else 1 + seed % 8


def main(arguments: list[str]) -> int:
    """The program: FOLDER START SEED (write|mutation|never) NUMBER."""
    place, begin, of, what, number = arguments
    return asyncio.run(run(Path(place), float(begin), int(of), Fuse(what, int(number)))).exit_code
