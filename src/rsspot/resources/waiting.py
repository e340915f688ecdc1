"""Waiting: how often to look, for how long, and the loop that every wait runs. Looks at nothing itself."""

from __future__ import annotations

from collections.abc import AsyncIterator

from rsspot.utils.clock import Clock

WAIT_SECONDS = 1800.0
"""How long something is waited for, unless the caller says otherwise. A large pool may take a quarter of an hour."""
POLL = 5.0
"""Seconds between two looks."""


async def looks(clock: Clock, seconds: float) -> AsyncIterator[float]:
    """Yield once for each look, with the seconds that are left; the last look is at the very end of the time."""
    end = clock.now().timestamp() + seconds
    while True:
        yield end - clock.now().timestamp()
        left = end - clock.now().timestamp()
        if left <= 0:
            return
        await clock.sleep(min(POLL, left))
