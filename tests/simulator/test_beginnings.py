"""What a new world has, whether it is made from the catalog or copied from an earlier world of the process."""

import pytest

from rsspot.simulator.clock import ManualClock, ScaledClock, rfc3339
from rsspot.simulator.world import World

SEED = 4_711
"""No other test has it, so the first world of each test process is made from the catalog."""
MONDAY, TUESDAY = 1_790_000_000.0, 1_790_086_400.0


def stored(world):
    """Every row of a world, which is closed."""
    rows = world.store.rows()
    world.close()
    return rows


def moved(rows):
    """The rows of a world that began on Monday, as they are in one that began on Tuesday."""
    times = {str(MONDAY): str(TUESDAY), MONDAY + 30: TUESDAY + 30}

    def value_of(value):
        return value.replace(rfc3339(MONDAY), rfc3339(TUESDAY)) if isinstance(value, str) else value

    return {name: sorted(tuple(value_of(times.get(each, each)) for each in row) for row in rows[name]) for name in rows}


@pytest.mark.parametrize("kept", [False, True], ids=["in memory", "in a file"])
def test_a_later_world_differs_from_the_first_only_in_its_time(tmp_path, kept):
    """Identities and versions are the same, and the first auction is as long after the beginning."""
    first = stored(World(clock=ManualClock(MONDAY), seed=SEED))
    path = tmp_path / "world.db" if kept else None
    later = stored(World(path, clock=ScaledClock(0, TUESDAY), seed=SEED))
    assert repr(first).count(rfc3339(MONDAY)) > 300
    assert moved(first) == {name: sorted(rows) for name, rows in later.items()}


def test_worlds_with_other_seeds_have_other_identities():
    """A copy is made only of a world with the same seed."""
    first, other = (stored(World(clock=ManualClock(MONDAY), seed=seed)) for seed in (SEED, SEED + 1))
    uids = [{row[3] for row in rows["objects"] if row[0] != "namespaces"} for rows in (first, other)]
    assert len(uids[0]) == len(uids[1]) > 100
    assert uids[0].isdisjoint(uids[1])
