"""A clock of a machine beside the service: it runs as fast, and somebody may set it."""

from __future__ import annotations

from datetime import datetime, timedelta

from rsspot.simulator.clock import SimulatorClock


class SkewedClock:
    """The clock of the simulator, seen from a machine whose time of day may differ from it."""

    def __init__(self, clock: SimulatorClock) -> None:
        self._clock = clock
        self._ahead = timedelta()

    def now(self) -> datetime:
        return self._clock.now() + self._ahead

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    def set_by(self, seconds: float) -> None:
        """Set the time of day forward or back, as when a wrong clock is set right. No time passes."""
        self._ahead += timedelta(seconds=seconds)
