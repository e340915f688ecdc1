"""Due work in slices: an auction can stop after each award, and the history is the same; also after a kill."""

import json

import pytest

from rsspot.simulator.api import Api
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.spot.auctioneer import REST
from rsspot.simulator.world import World
from support.tenancy import Spot, Tenant

POOLS = 12
CLASSES = ("ch.vs1.large-ord", "gp.vs1.large-ord")


def name_of(number):
    """The name of a pool."""
    return f"0a6e2c1e-7a53-5c5e-9d7c-{number:012x}"


def crowded(path=None):
    """A tenant with pools of two classes in two cloudspaces, before their first auction."""
    tenant = Tenant(Spot(path=path))
    tenant.cloudspace()
    tenant.cloudspace("second")
    for number in range(POOLS):
        tenant.pool(
            name_of(number), desired=2, cloudSpace=("prod", "second")[number % 2], serverClass=CLASSES[number % 3 > 0]
        )
    return tenant


def rows_of(world):
    """Every row that a history consists of."""
    return {name: sorted(map(str, rows)) for name, rows in world.store.rows().items()}


def one_at_a_time():
    """A `stop` that ends each slice after its first award or action."""
    return True


def advance_in_slices(world, seconds):
    """Advance a world by slices. Returns how many there were."""
    world.clock.advance(seconds)
    count, finished = 0, False
    while not finished:
        with world.store.transaction():
            count, finished = count + 1, world.advance(one_at_a_time)
    return count


def test_an_auction_in_slices_makes_the_same_history():
    """Every row is the same as after one long slice."""
    whole, sliced = crowded(), crowded()
    slices = 0
    for _ in range(6):
        whole.spot.advance(307)
        slices += advance_in_slices(sliced.spot.world, 307)
    assert slices > 2 * POOLS
    assert rows_of(whole.spot.world) == rows_of(sliced.spot.world)
    for each in (whole, sliced):
        each.spot.world.close()


def first_slices(world, count):
    """Run some slices of the first auction of a world."""
    world.clock.advance(31)
    for _ in range(count):
        with world.store.transaction():
            assert not world.advance(one_at_a_time)


def awarded(world):
    """The pools that have been given what they won."""
    return [body["metadata"]["name"] for body in world.store.objects("spotnodepools") if body.get("status")]


def slices_before_the_auction(tenant):
    """How many slices there are before the one with the first award."""
    world, count = tenant.spot.world, 0
    world.clock.advance(31)
    while not awarded(world):
        with world.store.transaction():
            world.advance(one_at_a_time)
        count += 1
    return count - 1


@pytest.fixture
def before():
    """The number of slices before the first award."""
    tenant = crowded()
    yield slices_before_the_auction(tenant)
    tenant.spot.world.close()


def test_a_world_that_was_killed_in_an_auction_goes_on_with_it(tmp_path, before):
    """The slices that were committed count; no pool is awarded twice, none is left out."""
    whole, killed = crowded(), crowded(tmp_path / "world.db")
    whole.spot.advance(40)
    first_slices(killed.spot.world, before + 5)
    assert len(awarded(killed.spot.world)) == 5
    killed.spot.world.close()
    opened = World(tmp_path / "world.db", clock=ManualClock())
    opened.clock.advance(40)
    Api(opened).tick()
    assert rows_of(opened) == rows_of(whole.spot.world)
    opened.close()
    whole.spot.world.close()


def test_a_signal_stops_an_auction_after_the_award_in_progress(before):
    """The lock is free again, everything so far is kept, and nothing is due twice."""
    tenant = crowded()
    world = tenant.spot.world
    first_slices(world, before)
    api = Api(world)
    api.stopping.set()
    assert api.tick() is False
    assert len(awarded(world)) == 1
    assert not world.lock._is_owned()
    api.catch_up()
    assert len(awarded(world)) == 2
    world.close()


def test_a_bid_that_changes_in_the_middle_of_an_auction_counts(before):
    """The rest of the auction, and the one after it, see the pools as they are then."""
    tenant = crowded()
    world = tenant.spot.world
    first_slices(world, before + 3)
    done = awarded(world)[0]
    left = next(name_of(number) for number in reversed(range(POOLS)) if name_of(number) not in awarded(world))
    for name in (done, left):
        assert tenant.store.get("spotnodepools", tenant.namespace, name)["spec"]["desired"] == 2
    with world.store.transaction():
        for name in (done, left):
            body = world.store.get("spotnodepools", tenant.namespace, name)
            world.write("spotnodepools", body, {"spec": {**body["spec"], "desired": 1}})
    tenant.spot.advance(60)
    for name in (done, left):
        status = tenant.get("spotnodepools", name).said["status"]
        assert (status["wonCount"], status["bidStatus"]) == (1, "Fulfilled")
    world.close()


def test_the_rest_of_an_auction_goes_before_all_else_that_is_due(before):
    """And its timer is gone with it."""
    tenant = crowded()
    world = tenant.spot.world
    first_slices(world, before + 1)
    due, action, payload = world.store.next_timer(world.now)
    assert (due, action) == (world.now, REST)
    assert payload["after"] == ["spotnodepools", tenant.namespace, awarded(world)[0]]
    world.close()


def test_processes_that_share_a_file_see_each_others_pools(tmp_path):
    """Each has a book of its own, which follows the file."""
    tenant = crowded(tmp_path / "world.db")
    other = World(tmp_path / "world.db", clock=tenant.spot.clock)
    for seconds, desired in ((31, 2), (60, 1), (60, 3)):
        for world in (tenant.spot.world, other):
            body = world.store.get("spotnodepools", tenant.namespace, name_of(0))
            with world.store.transaction():
                world.write("spotnodepools", body, {"spec": {**body["spec"], "desired": desired}})
        tenant.spot.clock.advance(seconds)
        # They take turns: the first one holds the auctions that are due, and the other finds nothing to do.
        for api in (tenant.spot.api, Api(other)):
            api.tick()
            status = json.loads(other.store.text("spotnodepools", tenant.namespace, name_of(0)))["status"]
            assert status["wonCount"] == desired
    tenant.spot.world.close()
    other.close()
