"""The polling loop that every wait uses, its interval and the default timeouts. Reads no object itself."""

from __future__ import annotations

from collections.abc import AsyncIterator

from rsspot.utils.clock import Clock

WAIT_SECONDS = 1800.0
"""The default timeout in seconds. A large pool may take 15 minutes."""
STEP_SECONDS = 600.0
"""The default of how many seconds a write that does not go through is tried again."""
POLL = 5.0
"""Seconds between two reads."""


async def looks(clock: Clock, seconds: float) -> AsyncIterator[float]:
    """Yield the remaining seconds once for each read. The last read is at the end of the time."""
    end = clock.monotonic() + seconds
    while True:
        yield end - clock.monotonic()
        left = end - clock.monotonic()
        if left <= 0:
            return
        await clock.sleep(min(POLL, left))
