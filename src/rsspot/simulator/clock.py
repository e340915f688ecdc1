"""Clocks of the simulator, in seconds since 1970: scaled, advancing only during sleeps, or moved by hand."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol, runtime_checkable

from rsspot.concurrency import pause


class SimulatorClock(Protocol):
    """A clock that can be read and slept by."""

    def time(self) -> float:
        """The clock's time, in seconds since 1970."""
        ...

    def now(self) -> datetime:
        """The clock's time as an aware datetime in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds of this clock since some moment, for clients that measure by it."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for that many seconds of this clock's time."""
        ...


@runtime_checkable
class MovableClock(Protocol):
    """A clock that can be advanced."""

    def advance(self, seconds: float) -> None:
        """Move the clock forward at once."""
        ...


@runtime_checkable
class PausableClock(Protocol):
    """A clock that can be made to wait."""

    def pause(self) -> None:
        """Stand still until `resume`. May be called twice."""
        ...

    def resume(self) -> None:
        """Go on. May be called twice."""
        ...


class ScaledClock:
    """Runs `scale` times as fast as real time; 0 stops it. `start`: the time it begins at."""

    def __init__(self, scale: float = 1.0, start: float | None = None) -> None:
        self.scale = scale
        self._start = time.time() if start is None else start
        # One value, because threads read the clock while another one pauses it: when it began, and when it paused.
        self._running: tuple[float, float | None] = (time.monotonic(), None)

    def time(self) -> float:
        began, paused = self._running
        return self._start + ((time.monotonic() if paused is None else paused) - began) * self.scale

    def pause(self) -> None:
        began, paused = self._running
        if paused is None:
            self._running = (began, time.monotonic())

    def resume(self) -> None:
        began, paused = self._running
        if paused is not None:
            self._running = (began + time.monotonic() - paused, None)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC)

    def monotonic(self) -> float:
        return self.time()

    async def sleep(self, seconds: float) -> None:
        """Wait for that many seconds of this clock, or of real time if the clock is stopped."""
        await pause(seconds / (self.scale or 1.0))

    def advance(self, seconds: float) -> None:
        self._start += seconds


class SteppedClock:
    """Advances only while a task sleeps by it, at `scale` times real time.

    So work between sleeps takes no time on this clock, however slow the machine is.
    """

    def __init__(self, scale: float = 1.0, start: float | None = None) -> None:
        self.scale = scale
        self._now = time.time() if start is None else start

    def time(self) -> float:
        return self._now

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._now, UTC)

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait, then advance the clock. Concurrent sleeps overlap instead of adding up."""
        wake_at = self._now + seconds
        await pause(seconds / self.scale)
        self._now = max(self._now, wake_at)

    def advance(self, seconds: float) -> None:
        self._now += seconds


class ManualClock:
    """Stands still until a task sleeps by it or advances it."""

    def __init__(self, start: float = 1_790_000_000.0) -> None:
        self._now = start
        self._passed = 0.0

    def time(self) -> float:
        return self._now

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._now, UTC)

    def monotonic(self) -> float:
        return self._passed

    async def sleep(self, seconds: float) -> None:
        """Advance at once, and let other tasks run."""
        self.advance(seconds)
        await pause(0)

    def advance(self, seconds: float) -> None:
        self._now += seconds
        self._passed += seconds

    def step(self, seconds: float) -> None:
        """Set the time of day forward or back, as when a wrong clock is set right. No time passes."""
        self._now += seconds


@lru_cache(maxsize=256)
def rfc3339(seconds: float) -> str:
    """Format a time as Kubernetes does."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
