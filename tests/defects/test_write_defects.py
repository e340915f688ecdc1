"""Writes change only the given fields, are never repeated, and are validated before they are sent."""

from __future__ import annotations

import json

import pytest

from rsspot import Conflict, OutcomeUnknown, SpotClient, UsageError
from rsspot.errors import RsspotError
from rsspot.testing import SimulatedSpot
from support.loopback_server import SPEC

POOL = "11111111-1111-4111-8111-111111111111"
POOL_SPEC = {
    "cloudSpace": "web",
    "serverClass": "gp.vs1.medium-dfw",
    "desired": 3,
    "bidPrice": "0.06",
    "autoscaling": {"enabled": False, "minNodes": 2, "maxNodes": 9},
    "customTaints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}],
    "customLabels": {"team": "blue", "tier": "web"},
    "customAnnotations": {},
}


@pytest.fixture
def pool(account):
    """A pool in a cloudspace."""
    account.make("cloudspaces", "web", SPEC)
    account.make("spotnodepools", POOL, POOL_SPEC)
    return account


def spec_of(service) -> dict:
    """The current spec of the pool."""
    (body,) = service.world.store.objects("spotnodepools")
    return body["spec"]


@pytest.mark.defect(4)
def test_a_patch_changes_only_the_given_field(pool, rsspot):
    """Otherwise raising a bid resets the server count, the autoscaling and every taint."""
    assert rsspot("spotnodepools", "patch", POOL, '{"bidPrice": "0.08"}').code == 0
    (sent,) = [request for request in pool.requests if request.method == "PATCH"]
    assert json.loads(sent.body) == {"spec": {"bidPrice": "0.08"}}
    assert spec_of(pool) == {**POOL_SPEC, "bidPrice": "0.08"}


@pytest.mark.defect(4)
def test_a_label_can_be_removed(pool, rsspot):
    """null removes it from the object."""
    assert rsspot("spotnodepools", "patch", POOL, '{"customLabels": {"tier": null}}').code == 0
    assert spec_of(pool) == {**POOL_SPEC, "customLabels": {"team": "blue"}}


@pytest.mark.defect(4)
@pytest.mark.parametrize("field", ["cloudSpace", "serverClass"])
def test_a_patch_of_an_immutable_field_is_refused(pool, rsspot, field):
    """Otherwise the command reports a success although nothing changed."""
    ended = rsspot("spotnodepools", "patch", POOL, json.dumps({field: "other"}))
    assert ended.code == 3
    assert field in ended.err
    assert pool.writes() == []


@pytest.mark.defect(4)
def test_a_patch_can_require_a_resource_version(pool):
    """Otherwise concurrent changes overwrite each other."""
    with SpotClient() as client:
        before = client.spot_nodepools.get(POOL)
        client.spot_nodepools.patch(POOL, {"desired": 4})
        with pytest.raises(Conflict):
            client.spot_nodepools.patch(POOL, {"desired": 5}, resource_version=before.metadata.resource_version)
    assert spec_of(pool)["desired"] == 4


@pytest.mark.defect(11)
@pytest.mark.parametrize("what", ["reset-before", "reset-after", "status"])
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
async def test_a_write_with_unknown_outcome_is_not_repeated(spot_api: SimulatedSpot, what: str, method: str):
    """Otherwise a successful create is reported as a conflict, or happens twice."""
    client = spot_api.client()
    if method != "POST":
        await client.cloudspaces.create("web", SPEC)
    before = len(spot_api.requests(method))
    spot_api.faults.add(what, method, "/cloudspaces", times=9, **({"status": 500} if what == "status" else {}))
    calls = {
        "POST": lambda: client.cloudspaces.create("web", SPEC),
        "PATCH": lambda: client.cloudspaces.patch("web", {"kubernetesVersion": "1.32.0"}),
        "DELETE": lambda: client.cloudspaces.delete("web"),
    }
    with pytest.raises(OutcomeUnknown) as raised:
        await calls[method]()
    assert raised.value.exit_code == 11
    assert len(spot_api.requests(method)) == before + 1


WRONG = {
    "a bid that is not a number": {"bidPrice": "abc"},
    "a negative bid": {"bidPrice": "-1"},
    "a bid with too many digits": {"bidPrice": "0.0123456"},
    "an infinite bid": {"bidPrice": "Infinity"},
    "a negative number of servers": {"desired": -5},
    "no servers": {"desired": 0},
    "half a server": {"desired": 1.5},
    "a misspelled field": {"desird": 5},
    "a field of another kind": {"kubernetesVersion": "1.31.1"},
    "a taint with an unknown effect": {"customTaints": [{"key": "a", "value": "b", "effect": "Sometimes"}]},
    "labels that are a list": {"customLabels": ["a"]},
}
UNCHECKED = {
    "minNodes above maxNodes": {"autoscaling": {"enabled": True, "minNodes": 9, "maxNodes": 2}},
}


@pytest.mark.defect(37, 38)
@pytest.mark.parametrize("verb", ["create", "patch"])
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_an_invalid_spec_is_not_sent(pool, verb, wrong):
    """Otherwise a typo is silently accepted, or a wrong sign changes the order."""
    with SpotClient() as client, pytest.raises(UsageError):
        if verb == "create":
            client.spot_nodepools.create("more", {**POOL_SPEC, **wrong})
        else:
            client.spot_nodepools.patch(POOL, wrong)
    assert pool.writes() == []


@pytest.mark.defect(38)
@pytest.mark.parametrize("wrong", UNCHECKED.values(), ids=UNCHECKED)
def test_a_contradictory_spec_creates_nothing(pool, wrong):
    """The service may reject it late, or not at all."""
    with SpotClient() as client, pytest.raises(RsspotError):
        client.spot_nodepools.create("more", {**POOL_SPEC, **wrong})
    assert "more" not in str(pool.world.store.objects("spotnodepools"))


@pytest.mark.defect(38)
@pytest.mark.parametrize("label", ["=v", "novalue", ""])
def test_a_label_without_a_name_is_not_sent(account, rsspot, label):
    """The name was probably an unset shell variable."""
    assert rsspot("cloudspaces", "create", "web", json.dumps(SPEC), "--label", label).code == 3
    assert account.writes() == []


@pytest.mark.defect(38)
def test_a_node_label_without_a_name_is_not_sent(pool):
    """No node can ever have it."""
    with SpotClient() as client, pytest.raises(UsageError):
        client.spot_nodepools.create("more", {**POOL_SPEC, "customLabels": {"": "v"}})


@pytest.mark.defect(37)
@pytest.mark.parametrize("price", [0.08, "0.08", "0.080"])
def test_a_price_can_be_a_number_or_text(pool, price):
    """Otherwise the most natural notation is an error."""
    with SpotClient() as client:
        assert str(client.spot_nodepools.patch(POOL, {"bid_price": price}).spec.bid_price) in ("0.08", "0.080")
    assert float(spec_of(pool)["bidPrice"]) == 0.08


@pytest.mark.defect(37)
@pytest.mark.parametrize(
    "wrong",
    [
        {"refresh_tokn": "x"},
        {"refrshToken": "x"},
        {"retry": {"maxRetries": -1}},
        {"retry": {"baseDelay": -0.5}},
        {"retry": {"maxRetrys": 3}},
        {"timeout": -1},
        {"timeout": "soon"},
    ],
    ids=str,
)
def test_an_invalid_setting_is_an_error(account, config, rsspot, wrong):
    """Otherwise a misspelled key is silently ignored."""
    config(default={**account.profile(), **wrong})
    ended = rsspot("regions", "list")
    assert ended.code == 3
    assert "config.yml" in ended.err
    assert account.requests == []
