"""Clocks of several machines whose time passes only when a test says so."""

from __future__ import annotations

import asyncio

from rsspot.simulator.clock import ManualClock


class Paced(ManualClock):
    """A clock whose sleepers wake only when a test lets the time pass. beside: a clock that the same time passes for"""

    def __init__(self, beside: Paced | None = None) -> None:
        super().__init__()
        self._sleepers: list[tuple[float, asyncio.Event]] = beside._sleepers if beside else []
        self._all: list[Paced] = beside._all if beside else []
        self._all.append(self)

    async def sleep(self, seconds: float) -> None:
        awake = asyncio.Event()
        self._sleepers.append((self.monotonic() + seconds, awake))
        await awake.wait()

    async def let_pass(self, seconds: float) -> None:
        """Wake every sleeper in its turn."""
        until = self.monotonic() + seconds
        await settle_down()
        while due := [each for each in self._sleepers if each[0] <= until]:
            first = min(due, key=lambda sleeper: sleeper[0])
            self._sleepers.remove(first)
            self._advance_all(first[0])
            first[1].set()
            await settle_down()
        self._advance_all(until)

    def _advance_all(self, until: float) -> None:
        seconds = until - self.monotonic()
        for clock in self._all:
            clock.advance(seconds)


async def settle_down() -> None:
    """Let other tasks run until they wait again."""
    for _ in range(10):
        await asyncio.sleep(0)
