"""The auction, prices, and the effects of won and lost bids on pools and cloudspaces over time."""

import json
from dataclasses import astuple
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsspot.simulator.spot.auction import PERIOD, Bid, going_rate, run_auction
from rsspot.simulator.spot.bid_rules import on_ladder

FIRST = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01"
SECOND = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a02"
SCARCE = "gpu.vs2.xlargeplusplus-sjc"
LADDER = [1, 2, 3, 4, 6, 8, 10, 13, 16, 19, 22, 27, 32, 37, 42, 47]
"""In cents."""
RATE = Decimal("0.02")
LONG_ENOUGH = 1000.0
"""Seconds after which a won server of any class has been delivered."""


def bid(pool, price, desired):
    """A bid with a price given as text."""
    return Bid(pool, Decimal(price), desired)


@pytest.fixture
def west(tenant):
    """A tenant with cloudspaces `prod` and `second` in a region where GPUs are scarce."""
    tenant.cloudspace(region="us-west-sjc-1")
    tenant.cloudspace("second", region="us-west-sjc-1")
    return tenant


def status_of(tenant, plural, name):
    """The status of an object."""
    return tenant.get(plural, name).said.get("status", {})


def servers(tenant, cloudspace="prod"):
    """The servers delivered to a cloudspace."""
    return status_of(tenant, "cloudspaces", cloudspace).get("assignedServers", {})


def outcome(tenant, pool):
    """The result of the last auction for a pool."""
    status = status_of(tenant, "spotnodepools", pool)
    return status["bidStatus"], status["wonCount"]


# The auction itself


def test_all_bids_win_while_there_is_enough_capacity():
    """The price is then the going rate, however high the bids are."""
    result = run_auction(RATE, 10, [bid("a", "0.10", 4), bid("b", "0.02", 6)])
    assert (result.price, result.won) == (RATE, {"a": 4, "b": 6})


def test_a_bid_below_the_going_rate_wins_nothing():
    """Even if there is capacity left."""
    assert run_auction(RATE, 10, [bid("a", "0.01", 1)]).won == {"a": 0}


def test_scarce_servers_go_to_the_highest_bids():
    """The last winner may get only some; the highest bid that is not fully served sets the price."""
    result = run_auction(RATE, 5, [bid("low", "0.03", 4), bid("high", "0.08", 3), bid("mid", "0.04", 4)])
    assert result.won == {"high": 3, "mid": 2, "low": 0}
    assert result.price == Decimal("0.04")


def test_without_bids_the_price_is_the_going_rate():
    """It needs no bids."""
    assert run_auction(RATE, 5, []).price == RATE


@given(
    st.integers(0, 20),
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 9)), max_size=8),
)
def test_an_auction_is_fair(capacity, offers):
    """It never sells more than the capacity, never below the price, and always serves higher bids first."""
    bids = [bid(str(index), Decimal(cents) / 100, desired) for index, (cents, desired) in enumerate(offers)]
    result = run_auction(RATE, capacity, bids)
    assert sum(result.won.values()) <= capacity
    for each in bids:
        assert 0 <= result.won[each.pool] <= each.desired
        assert each.price >= result.price or not result.won[each.pool]
        if result.won[each.pool] < each.desired and each.price >= RATE:
            assert not any(result.won[other.pool] for other in bids if other.price < each.price)


def test_the_ladder_has_the_documented_rungs():
    """Checked for every tenth of a cent up to 0.50."""
    rungs = [price for price in (Decimal(mill) / 1000 for mill in range(501)) if on_ladder(price)]
    assert rungs == [Decimal(rung) / 100 for rung in LADDER]


# Prices


def rates(seed, hours=2000):
    """The going rate of a class, hour by hour."""
    return [going_rate(seed, "gp.vs1.large-ord", Decimal("0.009"), hour * PERIOD) for hour in range(hours)]


def test_a_price_is_mostly_stable_and_changes_sometimes():
    """It is mostly the recorded price, and never zero."""
    history = rates(1)
    assert history.count(Decimal("0.009")) > len(history) * 0.8
    assert len(set(history)) > 2
    assert min(history) >= Decimal("0.001")


def test_a_price_is_constant_within_a_period():
    """The rate is the same in the first and the last second."""
    first, last = (going_rate(1, "a", Decimal("0.01"), PERIOD * 7 + second) for second in (0, PERIOD - 1))
    assert first == last


def test_prices_are_determined_by_the_seed():
    """The same seed gives the same prices, and another seed others."""
    assert rates(1) == rates(1)
    assert rates(1) != rates(2)


def history_of(tenant):
    """Every object and every event after a scripted day, as text."""
    tenant.cloudspace()
    tenant.pool(FIRST, desired=3)
    tenant.spot.advance(900)
    tenant.pool(SECOND, serverClass="gp.vs1.large-ord", bidPrice="0.10", desired=2)
    tenant.patch("spotnodepools", FIRST, {"spec": {"desired": 5}})
    for _ in range(24):
        tenant.spot.advance(3600)
    tenant.delete("spotnodepools", FIRST)
    tenant.spot.advance(900)
    plurals = tenant.spot.world.definitions
    changes = {each: list(map(astuple, tenant.store.changes(each, None, 0))) for each in plurals}
    return json.dumps([{each: tenant.store.objects(each) for each in plurals}, changes])


def test_the_same_seed_gives_the_same_history(new_tenant):
    """Byte for byte, including uids and times."""
    assert history_of(new_tenant(seed=7)) == history_of(new_tenant(seed=7))


def test_another_seed_gives_another_history(new_tenant):
    """The same script leads to other deliveries and uids."""
    assert history_of(new_tenant(seed=7)) != history_of(new_tenant(seed=8))


# Winning and losing


def test_a_sufficient_bid_wins_at_the_next_auction(tenant):
    """wonCount and bidStatus show it, and the cloudspace lists the bid."""
    tenant.cloudspace()
    tenant.pool(FIRST, desired=3)
    tenant.spot.advance(60)
    assert outcome(tenant, FIRST) == ("Fulfilled", 3)
    bids = status_of(tenant, "cloudspaces", "prod")["bids"]
    assert bids == {FIRST: {"bidName": FIRST, "type": "spot", "wonCount": 3}}


def test_won_servers_are_delivered_later(tenant):
    """They arrive some minutes after the auction, with one entry each."""
    tenant.cloudspace()
    tenant.pool(FIRST, desired=3)
    tenant.spot.advance(60)
    assert servers(tenant) == {}
    tenant.spot.advance(LONG_ENOUGH)
    delivered = servers(tenant)
    assert len(delivered) == 3
    for name, entry in delivered.items():
        assert set(entry) == {"IP", "clusterRole", "serverClassName", "serverName", "serverType", "state", "error"}
        assert (entry["serverName"], entry["serverClassName"], entry["serverType"]) == (
            name,
            "ch.vs1.large-ord",
            "spot",
        )


def test_virtual_machines_are_delivered_to_their_vm_cloudspace(tenant):
    """A VM cloudspace has its own field names for addresses and pools."""
    tenant.create("vmcloudspaces", "vms", {"region": "us-central-ord-1", "vmSshKeyRef": {"name": "key"}})
    spec = {"serverClass": "ch.vs1.large-ord", "vmCloudSpace": "vms", "desired": 2, "bidPrice": "0.02"}
    assert tenant.create("vmpools", FIRST, spec).status == 201
    tenant.spot.advance(60 + LONG_ENOUGH)
    assert status_of(tenant, "vmpools", FIRST) == {"bidStatus": "Fulfilled", "wonCount": 2}
    status = status_of(tenant, "vmcloudspaces", "vms")
    assert status["phase"] == "Ready"
    assert [entry["nodePoolName"] for entry in status["assignedServers"].values()] == [FIRST, FIRST]
    assert all(entry["ipAddress"] for entry in status["assignedServers"].values())


def test_on_demand_servers_are_delivered_without_an_auction(tenant):
    """An on-demand pool is reserved and gets its servers."""
    tenant.cloudspace()
    spec = {"serverClass": "ch.vs1.large-ord", "cloudSpace": "prod", "desired": 2}
    tenant.create("ondemandnodepools", FIRST, spec)
    tenant.spot.advance(60 + LONG_ENOUGH)
    assert status_of(tenant, "ondemandnodepools", FIRST)["reservedCount"] == 2
    assert len(servers(tenant)) == 2


def test_a_higher_bid_wins_the_servers_of_a_scarce_class(west):
    """The outbid pool is Lost and loses its servers after the notice period."""
    west.pool(FIRST, serverClass=SCARCE, bidPrice="0.22", desired=8)
    west.spot.advance(60 + LONG_ENOUGH)
    assert outcome(west, FIRST) == ("Fulfilled", 8)
    west.pool(SECOND, serverClass=SCARCE, bidPrice="0.47", desired=8, cloudSpace="second")
    west.spot.advance(60)
    assert outcome(west, FIRST) == ("Lost", 0)
    assert outcome(west, SECOND) == ("Fulfilled", 8)
    assert len(servers(west)) == 8
    west.spot.advance(400)
    assert servers(west) == {}
    assert status_of(west, "cloudspaces", "prod")["phase"] == "NoWinningBids"


def test_the_servers_of_a_scarce_class_are_shared_by_bid(west):
    """The highest bid is served in full, the next one gets the rest, and the class shows what is reserved."""
    west.pool(FIRST, serverClass=SCARCE, bidPrice="0.22", desired=8)
    west.pool(SECOND, serverClass=SCARCE, bidPrice="0.47", desired=6, cloudSpace="second")
    west.spot.advance(60)
    assert (outcome(west, FIRST)[1], outcome(west, SECOND)[1]) == (2, 6)
    status = west.ask("GET", f"/apis/ngpc.rxt.io/v1/serverclasses/{SCARCE}").said["status"]
    assert (status["available"], status["reserved"], status["capacity"]) == (0, 8, 8)
    assert status["spotPricing"]["marketPricePerHour"] == "0.220000"


def test_a_server_lost_before_its_delivery_never_arrives(west):
    """Its pending delivery is dropped."""
    west.pool(FIRST, serverClass=SCARCE, bidPrice="0.22", desired=8)
    west.spot.advance(60)
    west.delete("spotnodepools", FIRST)
    west.spot.advance(2 * LONG_ENOUGH)
    assert west.get("spotnodepools", FIRST).status == 404
    assert servers(west) == {}


def test_a_scaled_down_pool_releases_servers(tenant):
    """Only the surplus is removed."""
    tenant.cloudspace()
    tenant.pool(FIRST, desired=3)
    tenant.spot.advance(60 + LONG_ENOUGH)
    before = set(servers(tenant))
    tenant.patch("spotnodepools", FIRST, {"spec": {"desired": 1}})
    tenant.spot.advance(500)
    assert len(servers(tenant)) == 1
    assert set(servers(tenant)) < before


def test_a_deleted_pool_frees_its_servers(tenant):
    """They are soon available in their class again."""
    path = "/apis/ngpc.rxt.io/v1/serverclasses/ch.vs1.large-ord"
    tenant.cloudspace()
    tenant.pool(FIRST, desired=3)
    tenant.spot.advance(60)
    assert tenant.ask("GET", path).said["status"]["reserved"] == 3
    tenant.delete("spotnodepools", FIRST)
    tenant.spot.advance(120)
    assert tenant.ask("GET", path).said["status"]["reserved"] == 0


# Cloudspaces


def phases(tenant, name="prod"):
    """The phases that a watch would report, without repetitions."""
    seen = []
    for change in tenant.store.changes("cloudspaces", tenant.namespace, 0):
        phase = json.loads(change.body).get("status", {}).get("phase", "")
        if change.place[1] == name and seen[-1:] != [phase]:
            seen.append(phase)
    return seen


def test_a_cloudspace_with_servers_becomes_ready(tenant):
    """Through Provisioning and a brief Error, as on the service."""
    tenant.cloudspace()
    tenant.pool(FIRST)
    tenant.spot.advance(120)
    assert phases(tenant) == ["", "Provisioning", "Error", "Provisioning", "Ready"]


def test_a_cloudspace_without_servers_has_no_winning_bids(tenant):
    """Its API server runs nevertheless; the endpoint is a host without a scheme."""
    tenant.cloudspace()
    tenant.spot.advance(120)
    status = status_of(tenant, "cloudspaces", "prod")
    assert (status["phase"], status["health"]) == ("NoWinningBids", "Healthy")
    assert "." in status["APIServerEndpoint"]
    assert "://" not in status["APIServerEndpoint"]
    assert status["firstReadyTimestamp"].endswith("Z")


def test_a_cloudspace_can_be_upgraded(tenant):
    """It is in the phase Upgrading for a while and then runs the new version."""
    tenant.cloudspace()
    tenant.pool(FIRST)
    tenant.spot.advance(120)
    tenant.patch("cloudspaces", "prod", {"spec": {"kubernetesVersion": "1.32.9"}})
    tenant.spot.advance(3600)
    assert status_of(tenant, "cloudspaces", "prod")["currentKubernetesVersion"] == "1.32.9"
    assert phases(tenant)[-3:] == ["Ready", "Upgrading", "Ready"]
