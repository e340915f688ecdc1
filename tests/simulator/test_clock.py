"""The sandbox's clock advances only while a task sleeps by it."""

import asyncio

from rsspot.simulator.clock import SteppedClock


async def test_concurrent_sleeps_overlap():
    """Concurrent sleeps take as long as the longest of them; consecutive sleeps add up."""
    clock = SteppedClock(1000.0, 0.0)
    await asyncio.gather(clock.sleep(10), clock.sleep(10), clock.sleep(5))
    assert clock.time() == 10
    await clock.sleep(10)
    assert clock.time() == 20


async def test_the_clock_stands_still_between_sleeps():
    """However long the work between them takes."""
    clock = SteppedClock(1000.0, 0.0)
    await asyncio.sleep(0.02)
    assert clock.time() == 0
