"""The simulator takes what other clients of the service send, and returns what they can decode."""

import json

import pytest

from rsspot.simulator.apiserver.crds import shipped
from rsspot.simulator.apiserver.schema import unknown_fields, violations

POOL = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01"
PILOT = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9b01"
DENIED = 'admission webhook "vspotnodepool.ngpc.rxt.io" denied the request: '
OFF = {"enabled": False, "minNodes": 0, "maxNodes": 0}
"""What the official SDK for Go sends for a pool that does not scale. So do the programs that are built on it."""


@pytest.fixture
def prod(tenant):
    """A tenant with the cloudspace `prod`."""
    tenant.cloudspace()
    return tenant


def test_a_pool_that_does_not_scale_may_have_a_minimum_of_zero(prod):
    made = prod.pool(POOL, autoscaling=OFF)
    assert made.status == 201, made.said
    assert made.said["spec"]["autoscaling"] == OFF
    assert prod.patch("spotnodepools", POOL, {"spec": {"desired": 2, "autoscaling": OFF}}).status == 200


def test_a_pool_that_scales_has_one_server_or_more(prod):
    answer = prod.pool(POOL, autoscaling={"enabled": True, "minNodes": 0, "maxNodes": 2})
    assert (answer.status, answer.message) == (403, DENIED + "autoscaling.minNodes must be greater than or equal to 1")
    assert prod.pool(POOL, autoscaling=OFF).status == 201
    assert prod.patch("spotnodepools", POOL, {"spec": {"autoscaling": {"enabled": True}}}).status == 403


def test_an_on_demand_pool_ignores_autoscaling(prod):
    """The SDK for Go sends it here too."""
    spec = {"serverClass": "ch.vs1.large-ord", "cloudSpace": "prod", "desired": 1}
    scaling = {"enabled": False, "minNodes": None, "maxNodes": None}
    made = prod.create("ondemandnodepools", POOL, {**spec, "autoscaling": scaling}, labels=None)
    assert made.status == 201, made.said
    assert "autoscaling" not in made.said["spec"]


def test_an_autopilot_reports_memory_as_text(prod):
    """The SDK for Go decodes both fields as strings; a number ends in an error."""
    spec = {"region": "us-central-ord-1", "cloudSpace": "prod", "vcpu": {"total": 8}, "budgetPerHour": "0.5"}
    assert prod.create("autopilotnodepools", PILOT, {**spec, "vcpuPerNode": {}}).status == 201
    prod.spot.advance(600)
    status = prod.get("autopilotnodepools", PILOT).said["status"]
    assert [each["memoryGBPerNode"] for each in status["allocations"]] == ["7.5"]
    assert status["managedMemoryGB"] == "15"


def test_a_cloudspace_keeps_the_fields_of_the_first_generation(tenant):
    """They are in the published schema, so an update by PUT must not lose them."""
    spec = {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1"}
    old = {"networks": [{"name": "n", "subnet": "10.0.0.0/24"}], "servers": [{"class": "c", "count": 2}]}
    made = tenant.create("cloudspaces", "prod", {**spec, **old})
    assert made.status == 201, made.said
    assert {key: made.said["spec"][key] for key in old} == old


def test_what_the_service_reports_conforms_to_its_definitions(prod):
    """Status fields are not validated when the service writes them."""
    assert prod.pool(POOL).status == 201
    prod.spot.advance(1200)
    store = prod.store
    checked = 0
    for definition in shipped():
        for body in store.objects(definition.plural, None):
            rest = {key: value for key, value in body.items() if key != "metadata"}
            assert not violations(definition.schema, rest), json.dumps(body)
            assert not [*unknown_fields(definition.schema, rest)], json.dumps(body)
            checked += 1
    assert checked > 50
