"""The simulator's time: seconds since 1970, running at some multiple of real time, or only when told to."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol, runtime_checkable

from rsspot.concurrency import pause


class SimulatorClock(Protocol):
    """What tells the time and lets it pass."""

    def time(self) -> float:
        """Seconds since 1970, in this clock's time."""
        ...

    def now(self) -> datetime:
        """The same as an aware datetime in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let that many seconds of this clock pass."""
        ...


@runtime_checkable
class MovableClock(Protocol):
    """A clock that can be moved on."""

    def advance(self, seconds: float) -> None:
        """Jump ahead."""
        ...


class ScaledClock:
    """Runs `scale` times as fast as the machine's; with 0 it stands still. `start`: the time it begins at."""

    def __init__(self, scale: float = 1.0, start: float | None = None) -> None:
        self.scale = scale
        self._start = time.time() if start is None else start
        self._began = time.monotonic()

    def time(self) -> float:
        return self._start + (time.monotonic() - self._began) * self.scale

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC)

    async def sleep(self, seconds: float) -> None:
        """Let that much pass; where the clock stands still, that much of the machine's time."""
        await pause(seconds / (self.scale or 1.0))

    def advance(self, seconds: float) -> None:
        self._start += seconds


class SteppedClock:
    """Moves on only while somebody sleeps by it, `scale` times as fast as the machine's.

    So however long the work of a moment takes, time does not run away from it.
    """

    def __init__(self, scale: float = 1.0, start: float | None = None) -> None:
        self.scale = scale
        self._now = time.time() if start is None else start

    def time(self) -> float:
        return self._now

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._now, UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait, then be that much later; those who sleep together wake together."""
        awake = self._now + seconds
        await pause(seconds / self.scale)
        self._now = max(self._now, awake)

    def advance(self, seconds: float) -> None:
        self._now += seconds


class ManualClock:
    """Stands still until somebody sleeps by it or moves it on."""

    def __init__(self, start: float = 1_790_000_000.0) -> None:
        self._now = start

    def time(self) -> float:
        return self._now

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._now, UTC)

    async def sleep(self, seconds: float) -> None:
        """Jump ahead, giving other tasks a turn."""
        self._now += seconds
        await pause(0)

    def advance(self, seconds: float) -> None:
        self._now += seconds


def rfc3339(seconds: float) -> str:
    """A time as Kubernetes writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
