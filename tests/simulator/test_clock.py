"""The sandbox's clock moves while somebody sleeps by it, and only then."""

import asyncio

from rsspot.simulator.clock import SteppedClock


async def test_those_who_sleep_together_wake_together():
    """Two sleeps at once take the time of one, and sleeps one after the other that of both."""
    clock = SteppedClock(1000.0, 0.0)
    await asyncio.gather(clock.sleep(10), clock.sleep(10), clock.sleep(5))
    assert clock.time() == 10
    await clock.sleep(10)
    assert clock.time() == 20


async def test_time_stands_still_while_nobody_sleeps():
    """However long the work of a moment takes."""
    clock = SteppedClock(1000.0, 0.0)
    await asyncio.sleep(0.02)
    assert clock.time() == 0
