"""What requests and auctions cost: statements and objects read. Neither grows with what they do not concern."""

import json
from contextlib import contextmanager

import pytest

from rsspot.simulator.apiserver.messages import Request
from rsspot.simulator.front.control import Control
from rsspot.simulator.front.request_log import RequestLog
from support.tenancy import Spot, Tenant

AMONG = (1, 40, 200)
CLASS, OTHER = "ch.vs1.large-ord", "gp.vs1.large-ord"
SCALED = {"enabled": True, "minNodes": 1, "maxNodes": 3}


def name_of(number):
    """The name of a pool."""
    return f"00000000-0000-4000-8000-{number:012x}"


class Cost:
    """Statements, of them those that write objects, and parsed objects of a stretch of work."""

    def __init__(self):
        self.statements, self.parsed = [], 0

    @property
    def writes(self):
        """The rows of objects written."""
        return [each for each in self.statements if each.startswith("INSERT INTO objects")]


@contextmanager
def cost_of(store):
    """Count while a block runs."""
    cost, before = Cost(), store.parsed
    store._db.set_trace_callback(cost.statements.append)
    yield cost
    store._db.set_trace_callback(None)
    cost.parsed = store.parsed - before


def filled(count):
    """A tenant with that many pools in cloudspaces of ten each, that all have what they won."""
    tenant = Tenant(Spot())
    for number in range(count):
        if number % 10 == 0:
            tenant.cloudspace(f"g{number // 10}")
        tenant.pool(name_of(number), cloudSpace=f"g{number // 10}", serverClass=(CLASS, OTHER)[number % 2])
    tenant.cloudspace("mine")
    tenant.spot.advance(3600)
    return tenant


@pytest.fixture(scope="module")
def worlds():
    """Tenants by the number of their pools."""
    made = {count: filled(count) for count in AMONG}
    yield made
    for tenant in made.values():
        tenant.spot.world.close()


def same_in_all(worlds, work):
    """The cost of a piece of work, which is the same in all worlds."""
    costs = []
    for tenant in worlds.values():
        with cost_of(tenant.store) as cost:
            work(tenant)
        costs.append(cost)
    assert len({(len(each.statements), each.parsed) for each in costs}) == 1, [
        (len(each.statements), each.parsed) for each in costs
    ]
    return costs[0]


def test_a_create_costs_the_same_among_any_number(worlds):
    """It reads the class and the cloudspace, which lists its pools, and writes two objects."""

    def work(tenant):
        assert tenant.pool(name_of(9001), cloudSpace="mine").status == 201

    cost = same_in_all(worlds, work)
    assert cost.parsed == 2
    assert len(cost.writes) == 2
    assert len(cost.statements) <= 30


def test_a_second_autoscaled_pool_is_refused_without_reading_the_others(worlds):
    """Only one pool of a cloudspace may be scaled by itself."""

    def work(tenant):
        assert tenant.pool(name_of(9002), cloudSpace="mine", autoscaling=SCALED).status == 201
        refused = tenant.pool(name_of(9003), cloudSpace="mine", autoscaling=SCALED)
        assert "autoscaling is already enabled on another pool of cloudSpace mine" in refused.message

    assert same_in_all(worlds, work).parsed == 3


def test_an_object_is_found_by_its_name_in_a_list(worlds):
    """As `kubectl get --watch` asks for it."""

    def work(tenant):
        assert tenant.names("spotnodepools", fieldSelector=f"metadata.name={name_of(0)}") == [name_of(0)]

    assert same_in_all(worlds, work).parsed == 1


def test_a_page_counts_and_parses_nothing(worlds):
    """What remains is known from the page before."""
    tenant = worlds[200]
    query, seen, lefts = {"limit": "90"}, 0, []
    while True:
        with cost_of(tenant.store) as cost:
            page = tenant.respond("GET", tenant.path("spotnodepools"), query=query)
        assert cost.parsed == 0
        assert not [each for each in cost.statements if "COUNT" in each]
        said = json.loads(page.body)
        seen += len(said["items"])
        lefts.append(said["metadata"].get("remainingItemCount", 0))
        if not said["metadata"]["continue"]:
            break
        query["continue"] = said["metadata"]["continue"]
    assert lefts == [max(seen - 90 * page, 0) for page in range(1, len(lefts) + 1)]


def test_pages_that_follow_a_change_count_what_was_there(worlds):
    """Also if objects come and go meanwhile; and a token is no good for the count of another list."""
    tenant = worlds[40]
    total = len(tenant.names("spotnodepools"))
    first = tenant.list("spotnodepools", limit="7").said["metadata"]
    tenant.pool(name_of(9009), cloudSpace="mine")
    second = tenant.list("spotnodepools", limit="7", **{"continue": first["continue"]}).said["metadata"]
    assert (first["remainingItemCount"], second["remainingItemCount"]) == (total - 7, total - 14)
    other = tenant.list("ondemandnodepools", limit="7", **{"continue": first["continue"]}).said["metadata"]
    assert "remainingItemCount" not in other


def test_an_auction_without_a_change_reads_and_writes_nothing(worlds):
    """But its own timer, and what the price period depends on."""

    def work(tenant):
        tenant.spot.advance(30)

    for tenant in worlds.values():
        # No new price period begins meanwhile.
        tenant.spot.advance(3600 - tenant.spot.world.now % 3600 + 600)
        # Autoscaling looks at its pool every minute.
        tenant.patch("spotnodepools", name_of(9002), {"spec": {"autoscaling": {"enabled": False}}})
        tenant.spot.advance(600)
    cost = same_in_all(worlds, work)
    assert (cost.parsed, cost.writes) == (0, [])


def test_an_auction_reads_the_pools_that_changed_and_their_class(worlds):
    """Not the others of the class, nor any other class."""

    def work(tenant):
        assert tenant.patch("spotnodepools", name_of(0), {"spec": {"desired": 2}}).status == 200
        tenant.spot.advance(60)

    cost = same_in_all(worlds, work)
    # The pool: for the patch, three version bumps, the book and the award; its class twice, its cloudspace once.
    assert cost.parsed <= 10


def test_a_version_bump_holds_no_auction(worlds):
    """Controllers bump versions; that changes nothing that is bid."""

    for tenant in worlds.values():
        assert tenant.patch("spotnodepools", name_of(0), {"metadata": {"labels": {"a": "b"}}}).status == 200

    def work(tenant):
        tenant.spot.advance(60)

    cost = same_in_all(worlds, work)
    assert len(cost.writes) == 3
    assert not [each for each in cost.statements if "'serverclasses'" in each]


def test_a_new_price_period_reads_the_classes_whose_price_moves(worlds):
    """Prices mostly stay."""
    tenant = worlds[200]
    tenant.spot.advance(3600 - tenant.spot.world.now % 3600 - 31)
    with cost_of(tenant.store) as cost:
        tenant.spot.advance(90)
    assert len(tenant.spot.world.prices) > 80
    assert cost.parsed < 40


def test_a_cloudspace_takes_only_its_own_pools_down(worlds):
    """They are found by their cloudspace."""

    def work(tenant):
        tenant.cloudspace("short")
        tenant.pool(name_of(9100), cloudSpace="short")
        tenant.delete("cloudspaces", "short")
        tenant.spot.advance(100)
        assert tenant.get("spotnodepools", name_of(9100)).status == 404
        assert tenant.get("cloudspaces", "short").status == 404

    same_in_all(worlds, work)


def test_a_writer_without_a_change_writes_nothing(worlds):
    """An apply or a patch of what is there already."""

    def work(tenant):
        assert tenant.patch("spotnodepools", name_of(0), {"spec": {"bidPrice": "0.02"}}).status == 200

    assert same_in_all(worlds, work).writes == []


def test_prices_for_the_page_are_read_from_the_terms(worlds):
    """The page asks for them again after each change."""

    def work(tenant):
        response = Control(tenant.api, RequestLog()).answer(Request("GET", "/simulator/prices"))
        assert {each["class"] for each in json.loads(response.body)["series"] if each["bids"]} >= {CLASS}

    for tenant in worlds.values():
        with cost_of(tenant.store) as cost:
            work(tenant)
        assert not [each for each in cost.statements if "'spotnodepools'" in each]
