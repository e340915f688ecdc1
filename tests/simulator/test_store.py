"""Tests of the object store and of a world in a file: versions, the log behind watches, and reopening."""

import json

import pytest

from rsspot.simulator.apiserver.store import LONGEST_LOG, Store
from rsspot.simulator.clock import ManualClock, ScaledClock
from rsspot.simulator.world import World

POOL = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01"


def thing(name, **more):
    """A minimal object."""
    return {"metadata": {"name": name, "namespace": "n"}, **more}


@pytest.fixture
def store():
    """A store in memory."""
    memory_store = Store()
    yield memory_store
    memory_store.close()


@pytest.fixture
def busy(tenant):
    """A tenant whose world has a history of every kind of change."""
    tenant.cloudspace()
    tenant.pool(POOL, desired=3)
    tenant.spot.advance(1200)
    tenant.patch("spotnodepools", POOL, {"spec": {"desired": 1}})
    tenant.cloudspace("second")
    tenant.spot.advance(4000)
    tenant.delete("cloudspaces", "prod")
    tenant.spot.advance(600)
    return tenant


def all_objects(world):
    """All stored objects by plural."""
    return {plural: world.store.objects(plural) for plural in world.definitions}


def test_every_write_gets_a_higher_version(store):
    """All plurals share one counter, which deletions also increase."""
    versions = [int(store.put(plural, thing("x"))["metadata"]["resourceVersion"]) for plural in "aba"]
    removed = thing("x")
    store.remove("a", removed)
    versions.append(int(removed["metadata"]["resourceVersion"]))
    assert versions == sorted(set(versions))
    assert store.version() == versions[-1]


def test_versions_increase_strictly_through_a_long_history(busy):
    """No two changes of a world share a version, and the changes of a plural are in order."""
    versions = []
    for plural in busy.spot.world.definitions:
        own = [change.version for change in busy.store.changes(plural, None, 0)]
        assert own == sorted(own)
        versions += own
    assert len(set(versions)) == len(versions) > 100
    assert max(versions) == busy.store.version()


def test_replaying_the_log_gives_the_current_state(busy):
    """Applying every change in order gives the same objects as a list."""
    rebuilt = {plural: {} for plural in busy.spot.world.definitions}
    for plural, current in rebuilt.items():
        for change in busy.store.changes(plural, None, 0):
            assert (change.place in current) == (change.type != "ADDED")
            current[change.place] = json.loads(change.body)
            if change.type == "DELETED":
                del current[change.place]
    for plural, bodies in all_objects(busy.spot.world).items():
        assert [rebuilt[plural][place] for place in sorted(rebuilt[plural])] == bodies


def test_the_log_is_compacted_to_the_promised_length(store):
    """At least LONGEST_LOG versions are kept for watches."""
    with store.transaction():
        for _ in range(LONGEST_LOG + 2500):
            store.put("a", thing("x"))
    assert 1001 < store.oldest_change() <= store.version() - LONGEST_LOG
    assert len(store.changes("a", None, store.oldest_change())) == store.version() - store.oldest_change()


def test_a_failed_transaction_is_rolled_back(store):
    """It leaves no object, log entry, version or timer."""
    before = store.version()
    with pytest.raises(RuntimeError), store.transaction():
        store.put("a", thing("x"))
        store.set_timer(1.0, "act", {})
        raise RuntimeError
    assert store.version() == before
    assert store.changes("a", None, 0) == []
    assert store.next_timer(10.0) is None


def test_objects_can_be_read_in_pages(store):
    """Pages are sorted by namespace and name and start after a place."""
    for name in "cabd":
        store.put("a", thing(name))
    page = store.texts("a", "n", ("n", "a"), 2)
    assert [name for (_, name), _ in page] == ["b", "c"]
    assert store.count("a", "n", ("n", "c")) == 1


def test_due_timers_are_taken_once_and_in_order(store):
    """Timers are sorted by time, then by the order in which they were set. Timers that are not due stay."""
    for due, action in ((5.0, "late"), (1.0, "early"), (5.0, "later"), (99.0, "never")):
        store.set_timer(due, action, {"about": action})
    taken = []
    while timer := store.next_timer(10.0):
        taken.append(timer)
    assert taken == [
        (due, action, {"about": action}) for due, action in ((1.0, "early"), (5.0, "late"), (5.0, "later"))
    ]
    (remaining,) = iter(lambda: store.next_timer(1e12), None)
    assert remaining[1] == "never"


def test_a_world_in_a_file_survives_reopening(tmp_path):
    """Objects, versions, the seed and the identity are kept."""
    path = tmp_path / "world.db"
    first = World(path, clock=ManualClock(1_790_000_000.0), seed=42)
    with first.store.transaction():
        first.advance()
    before, version, token = all_objects(first), first.store.version(), first.identity.id_token(first.organizations[0])
    first.close()
    second = World(path, clock=ManualClock(1_790_000_000.0), seed=1)
    assert all_objects(second) == before
    assert (second.store.version(), second.seed) == (version, 42)
    assert second.identity.id_token(second.organizations[0]) == token
    second.close()


def test_no_time_passes_between_openings_if_the_clock_resumes(tmp_path):
    """A world that is reopened at its stored time is unchanged and continues from there."""
    path, clock = tmp_path / "world.db", ManualClock()
    first = World(path, clock=clock)
    clock.advance(45)
    with first.store.transaction():
        first.advance()
    version, now = first.store.version(), float(first.store.fact("now", "0"))
    first.close()
    assert now == clock.time()
    resumed = ManualClock(now)
    second = World(path, clock=resumed)
    with second.store.transaction():
        second.advance()
    assert second.store.version() == version
    resumed.advance(3600)
    with second.store.transaction():
        second.advance()
    assert second.store.version() > version
    second.close()


def test_a_world_never_goes_back_in_time(tmp_path):
    """A clock that is behind the stored time does not set the world back."""
    path = tmp_path / "world.db"
    for start in (2_000.0, 1_000.0):
        world = World(path, clock=ManualClock(start))
        with world.store.transaction():
            world.advance()
        assert world.now == 2_000.0
        world.close()


def test_worlds_that_begin_alike_share_nothing(tmp_path):
    """A beginning is made once and copied: the copy is what a world in a file makes anew, and a world of its own."""

    def stored(path=None, clock=None):
        worlds.append(World(path, clock=clock or ManualClock(5_000.0), seed=3))
        return list(worlds[-1].store._db.iterdump())

    worlds = []
    made = stored(tmp_path / "world.db")
    assert stored(clock=ScaledClock(0, start=5_000.0)) == made
    assert stored() == stored() == made
    worlds[-1].store.put("cloudspaces", thing("mine"))
    worlds[-1].definitions.clear()
    assert stored() == made
    assert worlds[-1].definitions
    for world in worlds:
        world.close()
