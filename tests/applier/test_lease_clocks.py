"""The lease between machines whose clocks are ten minutes apart, and are set forward or back meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rsspot.applier.lease import TTL, WATCH, hold
from rsspot.errors import Locked
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Holder, Ledger
from support.paced import Paced

OFF = (-600.0, 0.0, 600.0)
TRIES = 6
EVERY = 10.0
"""Seconds between two tries of somebody who was refused."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger that two machines share."""
    with closing(open_ledger(tmp_path / "state.db")) as opened:
        yield opened


async def is_taken(ledger: Ledger, clock: Paced) -> bool:
    """Whether an apply gets the lease by this clock, and gives it back."""
    try:
        async with hold(ledger, "scope", clock):
            return True
    except Locked:
        return False


@pytest.mark.parametrize("step", OFF)
@pytest.mark.parametrize("theirs", OFF)
@pytest.mark.parametrize("ours", OFF)
async def test_a_holder_that_renews_keeps_the_lease(ledger: Ledger, ours: float, theirs: float, step: float) -> None:
    """Whichever clock is wrong, and whichever is set while the other process watches."""
    clock = Paced()
    other = Paced(clock)
    clock.step(ours)
    other.step(theirs)
    async with hold(ledger, "scope", clock) as held:
        for number in range(TRIES):
            trying = asyncio.create_task(is_taken(ledger, other))
            await clock.let_pass(WATCH / 2)
            (clock, other)[number % 2].step(step)
            await clock.let_pass(WATCH)
            held.check()
            assert not await trying
        assert (held.lease.fence, held.lost) == (1, False)


@pytest.mark.parametrize("step", OFF)
@pytest.mark.parametrize("theirs", OFF)
@pytest.mark.parametrize("ours", OFF)
async def test_a_holder_that_is_gone_loses_it_soon(ledger: Ledger, ours: float, theirs: float, step: float) -> None:
    """It is on another machine, so that only watching tells: not at once, and in two minutes at the latest."""
    clock = Paced()
    other = Paced(clock)
    clock.step(ours)
    other.step(theirs)
    ledger.acquire("scope", Holder("gone", "elsewhere", 1), clock.now(), TTL)
    began, trying = other.monotonic(), asyncio.create_task(is_taken(ledger, other))
    while not trying.done() or not await trying:
        await other.let_pass(EVERY)
        if trying.done() and not await trying:
            other.step(step)
            trying = asyncio.create_task(is_taken(ledger, other))
    assert WATCH <= other.monotonic() - began <= TTL + WATCH + 2 * EVERY
