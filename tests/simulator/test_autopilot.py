"""Autopilots: choice of classes, child pools, reactions to changes, deletion."""

import json
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsspot.simulator.spot.autopilot import COOLDOWN, LONGEST_HISTORY
from rsspot.simulator.spot.autopilot_classes import Offer, allot, suits
from rsspot.simulator.spot.bid_rules import next_rung, on_ladder

PILOT = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9b01"
RIVAL = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9b02"
CHEAPEST = "ch.vs1.large-ord"
"""The cheapest class in us-central-ord-1 by market price per vCPU; it has 4 vCPUs."""
DENIED = 'admission webhook "vautopilotnodepool.ngpc.rxt.io" denied the request: '
ASKED = {"region": "us-central-ord-1", "cloudSpace": "prod", "vcpu": {"total": 8}, "budgetPerHour": "0.5"}


@pytest.fixture
def prod(tenant):
    """A tenant with the cloudspace `prod`."""
    tenant.cloudspace()
    return tenant


def launch(tenant, name=PILOT, **spec):
    """Create an autopilot."""
    return tenant.create("autopilotnodepools", name, ASKED | spec)


def status(tenant):
    """The autopilot's status."""
    return tenant.get("autopilotnodepools", PILOT).said.get("status", {})


def children(tenant):
    """The spot pools, as a tenant lists them."""
    return tenant.list("spotnodepools").said["items"]


def sizes(tenant):
    """Desired nodes by class."""
    return {child["spec"]["serverClass"]: child["spec"]["desired"] for child in children(tenant)}


def events(tenant):
    """The autopilot's history as pairs of event and class."""
    return [(each["event"], each["serverClass"]) for each in status(tenant)["allocationsHistory"]]


# Choosing


def offer(name, cpu, market, bid="0.01", available=100):
    """A server class that an autopilot can choose."""
    return Offer(name, cpu, Decimal(cpu * 4), Decimal(market), Decimal(bid), available)


SMALL, LARGE = offer("small", 2, "0.002"), offer("large", 8, "0.004")


@pytest.mark.parametrize(
    ("held", "target", "budget", "wanted"),
    [
        ({}, 16, "1", {"large": 2, "small": 0}),
        ({}, 17, "1", {"large": 3, "small": 0}),
        ({}, 16, "0.01", {"large": 1, "small": 0}),
        ({}, 16, "0.005", {"large": 0, "small": 0}),
        ({"small": 2}, 12, "1", {"large": 1, "small": 2}),
        ({"large": 1, "small": 2}, 8, "1", {"large": 1, "small": 0}),
        ({"large": 2, "small": 2}, 20, "0.02", {"large": 2, "small": 0}),
        ({"gone": 5}, 8, "1", {"large": 1, "small": 0}),
    ],
)
def test_the_cheapest_is_added_and_the_most_expensive_dropped(held, target, budget, wanted):
    """Held nodes are kept as long as they are needed and within the budget."""
    assert allot([SMALL, LARGE], held, target, Decimal(budget)) == wanted


def test_missing_capacity_comes_from_the_next_class():
    """No more nodes of a class are requested than are available."""
    scarce = offer("large", 8, "0.004", available=1)
    assert allot([SMALL, scarce], {}, 12, Decimal(1)) == {"large": 1, "small": 2}


@given(
    st.lists(st.tuples(st.integers(1, 16), st.integers(1, 90), st.integers(0, 9), st.integers(0, 9)), max_size=5),
    st.integers(1, 200),
    st.integers(0, 100),
)
def test_an_allocation_is_bounded_and_converges(rows, target, cents):
    """It never exceeds the budget, has no surplus node, and repeating it ends in a fixed point."""
    offers = [offer(str(i), cpu, f"0.{mills:03d}", "0.03", free) for i, (cpu, mills, free, _) in enumerate(rows)]
    held = {str(i): row[3] for i, row in enumerate(rows)}
    budget = Decimal(cents) / 100
    wanted = allot(offers, held, target, budget)
    assert sum(nodes * Decimal("0.03") for nodes in wanted.values()) <= budget
    looks = [wanted]
    while len(looks) < 250 and looks[-2:-1] != looks[-1:]:
        looks.append(allot(offers, looks[-1], target, budget))
    wanted = looks[-1]
    assert looks[-2] == wanted
    total = sum(wanted[each.name] * each.cpu for each in offers)
    assert all(total - each.cpu < target for each in offers if wanted[each.name])


@pytest.mark.parametrize(
    ("spec", "cpu", "memory", "expected"),
    [
        ({}, 2, "3.75", True),
        ({"memoryPerVCPU": "any"}, 24, "64", True),
        ({"memoryPerVCPU": "2"}, 2, "3.75", True),
        ({"memoryPerVCPU": "4"}, 4, "15", True),
        ({"memoryPerVCPU": "8"}, 4, "15", False),
        ({"memoryPerVCPU": "2"}, 24, "64", False),
        ({"vcpuPerNode": {"min": 4}}, 2, "4", False),
        ({"vcpuPerNode": {"max": 4}}, 8, "16", False),
        ({"vcpuPerNode": {"min": 4, "max": 4}}, 4, "16", True),
    ],
)
def test_a_class_is_suitable_by_size_and_memory_ratio(spec, cpu, memory, expected):
    """3.75 GB for 2 vCPUs count as 2 GB for each."""
    assert suits(spec, cpu, Decimal(memory)) is expected


@given(st.integers(0, 5000))
def test_the_next_rung_is_the_lowest_valid_bid(mills):
    """It is on the ladder and not below the price, and every lower rung is below the price."""
    price = Decimal(mills) / 1000
    bid = next_rung(price)
    assert on_ladder(bid)
    assert bid >= price
    lower = [Decimal(cents) / 100 for cents in range(1, int(bid * 100)) if on_ladder(Decimal(cents) / 100)]
    assert not lower or lower[-1] < price


# Admission


def test_defaults_are_filled_in(prod):
    """Any memory, the lowest price, no custom metadata."""
    result = launch(prod).said
    assert result["spec"] == ASKED | {
        "memoryPerVCPU": "any",
        "allocationStrategy": "LowestPrice",
        "customLabels": {},
        "customAnnotations": {},
        "customTaints": [],
    }
    assert result["metadata"]["labels"] == {"ngpc.rxt.io/cloudspace": "prod"}
    (owner,) = result["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["blockOwnerDeletion"]) == ("CloudSpace", "prod", True)
    assert result["metadata"]["finalizers"] == ["autopilotnodepool.ngpc.rxt.io/finalizer"]


@pytest.mark.parametrize(
    ("name", "spec", "text"),
    [
        ("workers", {}, "metadata.name must be a valid lowercase UUID"),
        (PILOT, {"cloudSpace": "elsewhere"}, "cloudSpace elsewhere does not exist"),
        (PILOT, {"region": "mars"}, "region mars does not exist"),
        (PILOT, {"vcpu": {"total": 0}}, "vcpu.total must be greater than 0"),
        (
            PILOT,
            {"vcpuPerNode": {"min": 8, "max": 4}},
            "vcpuPerNode.min must not be greater than vcpuPerNode.max",
        ),
    ],
)
def test_the_webhook_refuses_an_autopilot(prod, name, spec, text):
    """403 with the webhook's message."""
    answer = launch(prod, name, **spec)
    assert (answer.status, answer.message) == (403, DENIED + text)


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"budgetPerHour": "0.0001"}, "spec.budgetPerHour"),
        ({"budgetPerHour": 1}, "spec.budgetPerHour"),
        ({"memoryPerVCPU": "16"}, "spec.memoryPerVCPU"),
        ({"allocationStrategy": "Fastest"}, "spec.allocationStrategy"),
        ({"vcpu": {}}, "spec.vcpu.total"),
        ({"vcpuPerNode": {"min": 0}}, "spec.vcpuPerNode.min"),
    ],
)
def test_the_schema_refuses_an_autopilot(prod, spec, field):
    """422 that names the field."""
    answer = launch(prod, **spec)
    assert answer.status == 422
    assert [cause["field"] for cause in answer.said["details"]["causes"] if cause["field"] != "<nil>"] == [field]


@pytest.mark.parametrize(("field", "value"), [("region", "uk-lon-1"), ("cloudSpace", "second")])
def test_the_region_and_cloudspace_of_an_autopilot_are_immutable(prod, field, value):
    """An update that changes one is refused."""
    prod.cloudspace("second")
    launch(prod)
    answer = prod.patch("autopilotnodepools", PILOT, {"spec": {field: value}})
    assert (answer.status, answer.message) == (403, f"{DENIED}spec.{field} is immutable")


# Steering


def test_children_are_ordinary_spot_pools(prod):
    """They are listed and labeled, the autopilot is their only controller, and they have a usual bid."""
    taint = {"key": "batch", "value": "yes", "effect": "NoSchedule"}
    owner = launch(prod, customLabels={"team": "a"}, customAnnotations={"b": "c"}, customTaints=[taint]).said
    (child,) = prod.list("spotnodepools", labelSelector="ngpc.rxt.io/cloudspace=prod").said["items"]
    assert UUID(child["metadata"]["name"]).version == 5
    assert child["metadata"]["finalizers"] == ["spotnodepool.ngpc.rxt.io/finalizer"]
    assert child["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "ngpc.rxt.io/v1",
            "kind": "AutopilotNodePool",
            "name": PILOT,
            "uid": owner["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert child["spec"] == {
        "serverClass": CHEAPEST,
        "cloudSpace": "prod",
        "desired": 2,
        "bidPrice": "0.01",
        "autoscaling": {"enabled": False},
        "customLabels": {"team": "a"},
        "customAnnotations": {"b": "c"},
        "customTaints": [taint],
    }


def test_the_status_of_an_autopilot_shows_what_it_manages(prod):
    """The phase is Provisioning until enough nodes are won, then Ready with all figures."""
    launch(prod)
    before = status(prod)
    assert (before["phase"], before["targetVCPUs"], before["managedVCPUs"]) == ("Provisioning", 8, 0)
    prod.spot.advance(120)
    (child,) = children(prod)
    after = status(prod)
    assert (after["phase"], after["targetVCPUs"], after["managedVCPUs"]) == ("Ready", 8, 8)
    assert after["managedMemoryGB"] == "15"
    assert after["allocations"] == [
        {
            "serverClass": CHEAPEST,
            "spotNodePool": child["metadata"]["name"],
            "marketPricePerHour": "0.001000",
            "bidPricePerHour": "0.01",
            "vcpuPerNode": 4,
            "memoryGBPerNode": "7.5",
            "desiredNodes": 2,
            "wonNodes": 2,
        }
    ]
    (state,) = after["classStates"]
    assert (state["serverClass"], state["lastOutcome"]) == (CHEAPEST, "Won")
    assert events(prod) == [("Created", CHEAPEST), ("Won", CHEAPEST)]
    entry = after["allocationsHistory"][-1]
    assert set(entry) == {
        *("time", "serverClass", "spotNodePool", "event", "reason", "desiredNodes", "wonNodes", "bidPricePerHour")
    }


def test_children_take_part_in_the_auction(prod):
    """Their servers are delivered to the cloudspace, which lists their bids."""
    launch(prod)
    prod.spot.advance(1200)
    (child,) = children(prod)
    assert child["status"] == {"bidStatus": "Fulfilled", "wonCount": 2}
    cloudspace = prod.get("cloudspaces", "prod").said
    assert len(cloudspace["status"]["assignedServers"]) == 2
    assert cloudspace["spec"]["bidRequests"] == [child["metadata"]["name"]]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"vcpuPerNode": {"min": 8}}, {"ch.vs1.xlarge-ord": 1}),
        ({"vcpuPerNode": {"max": 2}, "memoryPerVCPU": "8"}, {"mh.vs1.medium-ord": 4}),
        ({"memoryPerVCPU": "4", "vcpuPerNode": {"max": 4}}, {"gp.vs1.large-ord": 2}),
        ({"budgetPerHour": "0.01"}, {CHEAPEST: 1}),
        ({"budgetPerHour": "0.009"}, {}),
        ({"vcpu": {"total": 9}}, {CHEAPEST: 3}),
        ({"vcpu": {"total": 484}, "budgetPerHour": "5"}, {CHEAPEST: 120, "gp.vs1.medium-ord": 2}),
    ],
)
def test_an_autopilot_chooses_the_cheapest_suitable_class(prod, spec, expected):
    """Within limits of size, memory ratio, budget and capacity."""
    launch(prod, **spec)
    assert sizes(prod) == expected


def test_an_autopilot_follows_its_target(prod):
    """It scales up and down, and passes labels on to its children."""
    launch(prod)
    prod.spot.advance(120)
    prod.patch("autopilotnodepools", PILOT, {"spec": {"vcpu": {"total": 20}, "customLabels": {"team": "b"}}})
    prod.spot.advance(120)
    (child,) = children(prod)
    assert (child["spec"]["desired"], child["spec"]["customLabels"]) == (5, {"team": "b"})
    assert child["metadata"]["generation"] == 2
    assert status(prod)["managedVCPUs"] == 20
    prod.patch("autopilotnodepools", PILOT, {"spec": {"vcpu": {"total": 4}}})
    prod.spot.advance(120)
    assert sizes(prod) == {CHEAPEST: 1}
    assert [event for event, _ in events(prod)] == ["Created", "Won", "Scaled", "Won", "Scaled"]


def test_an_autopilot_changes_class_when_the_spec_does(prod):
    """Classes that are no longer suitable are replaced by suitable ones."""
    launch(prod)
    prod.spot.advance(120)
    prod.patch("autopilotnodepools", PILOT, {"spec": {"vcpuPerNode": {"min": 8}}})
    prod.spot.advance(120)
    assert sizes(prod) == {"ch.vs1.xlarge-ord": 1}
    assert ("Deleted", CHEAPEST) in events(prod)


def test_a_deleted_child_is_replaced(prod):
    """The replacement has another name."""
    launch(prod)
    (first,) = prod.names("spotnodepools")
    prod.delete("spotnodepools", first)
    prod.spot.advance(120)
    (second,) = prod.names("spotnodepools")
    assert second != first


def test_a_lost_class_has_a_cooldown(tenant):
    """An autopilot that was outbid requests nodes of the next class meanwhile."""
    tenant.cloudspace(region="us-west-sjc-1")
    spec = {"region": "us-west-sjc-1", "vcpuPerNode": {"min": 16}, "vcpu": {"total": 24}}
    launch(tenant, **spec, memoryPerVCPU="any")
    tenant.spot.advance(120)
    assert sizes(tenant) == {"gpu.vs2.xlargeplusplus-sjc": 1}
    scarce = {"serverClass": "gpu.vs2.xlargeplusplus-sjc", "bidPrice": "0.47", "desired": 8}
    assert tenant.pool(RIVAL, **scarce).status == 201
    tenant.spot.advance(200)
    assert sizes(tenant) == {"gpu.vs2.xlargeplusplus-sjc": 8, "gp.vs2.2xlarge-sjc": 2}
    states = {each["serverClass"]: each for each in status(tenant)["classStates"]}
    resting = states["gpu.vs2.xlargeplusplus-sjc"]
    assert resting["lastOutcome"] == "Lost"
    now = tenant.spot.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    assert now < resting["cooldownUntil"]
    assert ("Lost", "gpu.vs2.xlargeplusplus-sjc") in events(tenant)
    assert COOLDOWN > 200


def test_the_history_is_bounded(prod):
    """It keeps the latest entries, however often the target changes."""
    launch(prod)
    for total in [8, 4] * LONGEST_HISTORY:
        prod.patch("autopilotnodepools", PILOT, {"spec": {"vcpu": {"total": total}}})
        prod.spot.advance(5)
        prod.list("regions")
    assert len(status(prod)["allocationsHistory"]) == LONGEST_HISTORY


def test_an_autopilot_without_changes_writes_nothing(prod):
    """So reconciliation triggers no watch events."""
    launch(prod)
    prod.spot.advance(300)
    before = prod.get("autopilotnodepools", PILOT).said["metadata"]["resourceVersion"]
    prod.spot.advance(300)
    assert prod.get("autopilotnodepools", PILOT).said["metadata"]["resourceVersion"] == before


def test_the_status_matches_the_schema(prod):
    """Every field that the service writes is in the definition."""
    launch(prod)
    prod.spot.advance(120)
    schema = prod.spot.world.definitions["autopilotnodepools"].schema["properties"]["status"]["properties"]
    result = status(prod)
    assert set(result) == set(schema)
    for field in ("allocations", "classStates", "allocationsHistory"):
        assert set(result[field][0]) <= set(schema[field]["items"]["properties"])


# Deletion


def test_deleting_an_autopilot_deletes_its_children(prod):
    """It exists until the last of them is gone; other pools stay."""
    prod.pool(RIVAL)
    launch(prod)
    prod.spot.advance(120)
    (child,) = set(prod.names("spotnodepools")) - {RIVAL}
    held = {"metadata": {"finalizers": ["spotnodepool.ngpc.rxt.io/finalizer", "example.com/mine"]}}
    prod.patch("spotnodepools", child, held)
    prod.delete("autopilotnodepools", PILOT)
    prod.spot.advance(120)
    assert prod.get("spotnodepools", child).said["metadata"]["deletionTimestamp"]
    assert prod.get("autopilotnodepools", PILOT).status == 200
    prod.patch("spotnodepools", child, {"metadata": {"finalizers": []}})
    prod.spot.advance(20)
    assert prod.get("autopilotnodepools", PILOT).status == 404
    assert prod.names("spotnodepools") == [RIVAL]


def test_deleting_a_cloudspace_deletes_its_autopilots(prod):
    """And their children."""
    launch(prod)
    prod.spot.advance(120)
    prod.delete("cloudspaces", "prod")
    prod.spot.advance(300)
    assert [prod.names(each) for each in ("cloudspaces", "autopilotnodepools", "spotnodepools")] == [[], [], []]


def test_the_same_seed_gives_the_same_children(new_tenant):
    """Including their names; another seed gives others."""
    outcomes = []
    for seed in (7, 7, 8):
        tenant = new_tenant(seed=seed)
        tenant.cloudspace()
        launch(tenant)
        tenant.spot.advance(300)
        outcomes.append(json.dumps([children(tenant), status(tenant)]))
    assert outcomes[0] == outcomes[1] != outcomes[2]


def test_a_list_of_autopilots_can_be_a_table(prod):
    """It has the printer columns of the definition."""
    launch(prod)
    prod.spot.advance(120)
    table = prod.ask("GET", prod.path("autopilotnodepools"), Accept="application/json;as=Table;v=v1;g=meta.k8s.io").said
    names = [column["name"] for column in table["columnDefinitions"]]
    assert names == ["Name", "CloudSpace", "Region", "VCPUs", "Managed", "Budget", "Phase", "Age"]
    assert table["rows"][0]["cells"] == [PILOT, "prod", "us-central-ord-1", 8, 8, "0.5", "Ready", "2m"]
