"""A clock that is set during an apply, say by an hour, neither ends nor prolongs a wait."""

from __future__ import annotations

import pytest

from rsspot.resources.waiting import POLL, looks
from rsspot.simulator.clock import ManualClock
from rsspot.utils.clock import SystemClock

HOUR = 3600.0


@pytest.mark.parametrize("step", [-HOUR, HOUR])
async def test_a_wait_counts_seconds_that_passed(step: float) -> None:
    """A wait of a minute looks thirteen times, the first and the last included."""
    clock = ManualClock()
    left = []
    async for seconds in looks(clock, 60):
        left.append(seconds)
        clock.step(step)
    assert left == [60 - POLL * number for number in range(13)]


def test_the_systems_monotonic_clock_never_goes_back() -> None:
    """It counts seconds from some moment on."""
    clock = SystemClock()
    moments = [clock.monotonic() for _ in range(1000)]
    assert moments == sorted(moments)
