"""The fault campaign: a stack changes in every way while every fifth request goes wrong, and some runs are killed.

Each seed is a world of its own, in which forty objects, in `make test` sixteen, are to become others: some new, some
changed, replaced or gone, and the machines of a VM cloudspace registered by a registrar that may fail as well. Beside
them live objects of others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from support.amount import SMALL, amount
from support.campaign import Beginning, Campaign
from support.changing_stack import MACHINES
from support.runner import KILLED

SEEDS = range(8 if SMALL else amount(40, 1000))
OBJECTS = amount(16, 40)
VARIANTS = amount(10, 100)
"""So many different changes; seeds that share one meet other faults."""


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Beginning:
    """What all seeds begin with."""
    made = Beginning(tmp_path_factory.mktemp("beginning"), OBJECTS, VARIANTS)
    asyncio.run(made.make())
    return made


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_stack_becomes_as_wanted_though_every_fifth_request_fails(
    beginning: Beginning, tmp_path: Path, seed: int, record_property: Callable[[str, object], None]
) -> None:
    """Within three runs, each of them with faults. Nothing happens twice, nor without an intent, nor to others."""
    fought = await Campaign(beginning, tmp_path, seed).fight()
    assert fought.ends[-1] == "ok", fought
    assert not fought.left
    assert not fought.open_steps
    assert fought.lives == beginning.wanted(seed)
    assert not fought.twice
    assert not fought.broken
    assert len(fought.registered) == MACHINES
    # A killed run may have asked without hearing the answer.
    assert max(fought.registered.values()) <= 1 + fought.ends.count(KILLED)
    assert fought.faults.total() > fought.requests / 10
    record_property("questions that a registrar failed", fought.failed)
