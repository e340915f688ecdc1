"""Specs are validated and converted to camelCase before they are sent, and only the given fields are sent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.constants import NAME_ANNOTATION
from rsspot.errors import AlreadyExists, Conflict, NotFound, UsageError
from rsspot.models.refs import is_uuid
from rsspot.services.nodepools.schemas import SPOT_NODE_POOL
from rsspot.testing import SimulatedSpot
from support.recording import (
    AUTOPILOT,
    CLOUDSPACE,
    GROUP,
    MACHINES,
    NAMESPACE,
    POOL,
    PUBLIC_KEY,
    REGION,
    RENTED,
    cloudspace,
    offline,
    overhearing,
    put,
)

UUID = "00000000-0000-4000-8000-000000000001"
POOLS = {
    "spot_nodepools": POOL,
    "ondemand_nodepools": RENTED,
    "autopilot_nodepools": AUTOPILOT,
    "vm_pools": MACHINES,
}
LABELLED = {"cloudspaces": CLOUDSPACE, "vm_cloudspaces": GROUP, "vm_ssh_keys": {"publicKey": PUBLIC_KEY}}
MAX_BYTES_OF_A_NAME = 253


@pytest.fixture
def inhabited(spot_api: SimulatedSpot) -> SimulatedSpot:
    """A service with a cloudspace and a VM cloudspace for pools to live in."""
    put(spot_api, "cloudspaces", cloudspace("edge"))
    group = {"apiVersion": "ngpc.rxt.io/v1", "kind": "VMCloudSpace", "metadata": {"name": "vms"}, "spec": GROUP}
    put(spot_api, "vmcloudspaces", group)
    return spot_api


def changed(spec: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """A spec with some fields changed."""
    return {**spec, **fields}


# Field names


@pytest.mark.parametrize(
    "spec",
    [
        {**POOL, "autoscaling": {"enabled": True, "minNodes": 1, "maxNodes": 3}},
        {
            "cloud_space": "edge",
            "server_class": "gp.vs1.medium-dfw",
            "desired": 2,
            "bid_price": 0.06,
            "autoscaling": {"enabled": True, "min_nodes": 1, "max_nodes": 3},
        },
    ],
)
async def test_fields_may_be_camel_case_or_snake_case(inhabited: SimulatedSpot, spec: dict[str, Any]) -> None:
    """Nested ones too; camelCase is sent."""
    client, wire = overhearing(inhabited)
    made = await client.spot_nodepools.create("workers", spec)
    (body,) = wire.bodies("POST")
    scaling = {"enabled": True, "minNodes": 1, "maxNodes": 3}
    assert body["spec"] == {**POOL, "autoscaling": scaling}
    assert (made.spec.bid_price, made.spec.autoscaling and made.spec.autoscaling.max_nodes) == (Decimal("0.06"), 3)


async def test_irregular_field_names_are_sent_as_the_service_spells_them(inhabited: SimulatedSpot) -> None:
    """HAControlPlane, vmSshKeyRef and memoryPerVCPU."""
    client, wire = overhearing(inhabited)
    hosted = {"region": REGION, "kubernetes_version": "1.31.1", "ha_control_plane": True, "type": "hosted"}
    await client.cloudspaces.create("high", hosted)
    await client.vm_cloudspaces.create("more", {"region": REGION, "vm_ssh_key_ref": {"name": "key"}})
    await client.autopilot_nodepools.create("pilot", {**AUTOPILOT, "memory_per_vcpu": 4, "vcpu_per_node": {"min": 2}})
    high, more, pilot = (each["spec"] for each in wire.bodies("POST"))
    assert high["HAControlPlane"] is True
    assert more["vmSshKeyRef"] == {"name": "key"}
    assert (pilot["memoryPerVCPU"], pilot["vcpuPerNode"]) == ("4", {"min": 2})


async def test_taints_and_maps_are_sent_unchanged(inhabited: SimulatedSpot) -> None:
    """Keys of maps are data, not field names."""
    client, wire = overhearing(inhabited)
    spec = {**POOL, "custom_labels": {"snake_case": "x"}, "custom_taints": [{"key": "a", "effect": "NoSchedule"}]}
    await client.spot_nodepools.create("workers", spec, labels={"snake_case": "y"}, annotations={"note": "z"})
    (body,) = wire.bodies("POST")
    assert body["spec"]["customLabels"] == {"snake_case": "x"}
    assert body["spec"]["customTaints"] == [{"key": "a", "effect": "NoSchedule"}]
    assert body["metadata"]["labels"] == {"snake_case": "y"}
    assert body["metadata"]["annotations"] == {"note": "z", NAME_ANNOTATION: "workers"}


async def test_the_callers_mapping_is_not_modified(inhabited: SimulatedSpot) -> None:
    """It may be used for the next object."""
    client, _ = overhearing(inhabited)
    spec, labels, annotations = dict(POOL), {"a": "b"}, {"c": "d"}
    await client.spot_nodepools.create("workers", spec, labels=labels, annotations=annotations)
    assert (spec, labels, annotations) == (POOL, {"a": "b"}, {"c": "d"})


# Validation before anything is sent


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        (changed(POOL, bidprice="0.06"), "bidPrice"),
        (changed(POOL, bid_prise="0.06"), "bidPrice"),
        (changed(POOL, serverclass="x"), "serverClass"),
        (changed(POOL, autoscaling={"enabled": True, "minNode": 1}), "minNodes"),
        (changed(POOL, autoscaling={"enabled": True, "min_node": 1}), "minNodes"),
    ],
)
async def test_a_misspelled_field_is_refused_with_a_suggestion(spec: dict[str, Any], hint: str) -> None:
    """Nothing is sent."""
    client, wire = offline()
    with pytest.raises(UsageError) as caught:
        await client.spot_nodepools.create("workers", spec)
    assert caught.value.hint == f"did you mean {hint!r}?"
    with pytest.raises(UsageError) as caught:
        await client.spot_nodepools.patch(UUID, {name: value for name, value in spec.items() if name not in POOL})
    assert caught.value.hint == f"did you mean {hint!r}?"
    assert wire.requests == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"bidPrice": "abc"}, "must be a number"),
        ({"bidPrice": -1}, "must not be negative"),
        ({"bidPrice": "-0.01"}, "must not be negative"),
        ({"bidPrice": "0.0123456"}, "at most three decimal places"),
        ({"bidPrice": 1e9}, "less than 1000 dollars"),
        ({"bidPrice": "nan"}, "must be a number"),
        ({"bidPrice": "inf"}, "must be a number"),
        ({"bidPrice": True}, "must be a number"),
        ({"desired": 0}, "greater than or equal to 1"),
        ({"desired": -5}, "greater than or equal to 1"),
        ({"desired": 10_001}, "less than or equal to 10000"),
        ({"desired": 2.5}, "a whole number"),
        ({"autoscaling": {"enabled": True, "minNodes": 0, "maxNodes": 2}}, "minNodes"),
        ({"autoscaling": {"enabled": True, "minNodes": -1}}, "minNodes"),
        ({"autoscaling": {"enabled": "perhaps"}}, "enabled"),
        ({"autoscaling": 5}, "autoscaling"),
        ({"customTaints": [{"key": "a", "effect": "Never"}]}, "effect"),
        ({"customTaints": {"key": "a", "effect": "NoSchedule"}}, "customTaints"),
        ({"customLabels": "a=b"}, "customLabels"),
        ({"customLabels": {"a": 5}}, "customLabels"),
    ],
)
async def test_an_invalid_value_is_refused(fields: dict[str, Any], message: str) -> None:
    """By create and by patch, without a request."""
    client, wire = offline()
    with pytest.raises(UsageError, match=message):
        await client.spot_nodepools.create("workers", {**POOL, **fields})
    with pytest.raises(UsageError, match=message):
        await client.spot_nodepools.patch(UUID, fields)
    assert wire.requests == []


async def test_all_invalid_fields_are_reported_at_once() -> None:
    """So that they can be fixed together."""
    client, _ = offline()
    with pytest.raises(UsageError) as caught:
        await client.spot_nodepools.create("workers", {"desired": 0, "bidPrice": "abc"})
    assert all(name in caught.value.message for name in ("desired", "bidPrice", "cloudSpace", "serverClass"))


@pytest.mark.parametrize(
    ("group", "spec", "field"),
    [
        ("cloudspaces", CLOUDSPACE, {"bidRequests": ["a"]}),
        ("cloudspaces", CLOUDSPACE, {"on_demand_requests": []}),
        ("vm_cloudspaces", GROUP, {"bid_requests": []}),
    ],
)
async def test_fields_set_by_the_service_cannot_be_written(
    group: str, spec: dict[str, Any], field: dict[str, Any]
) -> None:
    """They would be overwritten silently."""
    client, wire = offline()
    with pytest.raises(UsageError, match="is set by the service and cannot be written"):
        await getattr(client, group).create("another", {**spec, **field})
    with pytest.raises(UsageError, match="is set by the service and cannot be written"):
        await getattr(client, group).patch("edge", field)
    assert wire.requests == []


@pytest.mark.parametrize(
    ("group", "field"),
    [
        ("cloudspaces", {"region": "uk-lon-1"}),
        ("cloudspaces", {"cni": None}),
        ("cloudspaces", {"deployment_type": "gen2"}),
        ("spot_nodepools", {"serverClass": "x"}),
        ("spot_nodepools", {"cloud_space": "x"}),
        ("ondemand_nodepools", {"server_class": "x"}),
        ("autopilot_nodepools", {"region": "uk-lon-1"}),
        ("vm_cloudspaces", {"vm_ssh_key_ref": {"name": "other"}}),
        ("vm_pools", {"vmImage": "x"}),
        ("vm_pools", {"vm_user_data": "x"}),
        ("vm_ssh_keys", {"publicKey": PUBLIC_KEY}),
        ("vm_ssh_keys", {"description": "x"}),
    ],
)
async def test_immutable_fields_cannot_be_patched(group: str, field: dict[str, Any]) -> None:
    """Not even removed."""
    client, wire = offline()
    name = UUID if group in POOLS else "edge"
    with pytest.raises(UsageError, match="is immutable: it can only be set when the object is created"):
        await getattr(client, group).patch(name, field)
    assert wire.requests == []


@pytest.mark.parametrize("version", ["1.33", "v1.33.0", "latest", "", "1.33.0 ", "1.33.0-rc.1"])
async def test_a_version_must_be_a_full_one(version: str) -> None:
    """The service accepts no other."""
    client, wire = offline()
    with pytest.raises(UsageError, match="full version"):
        await client.cloudspaces.create("another", {"region": REGION, "kubernetesVersion": version})
    assert wire.requests == []


# The default region


async def test_the_clients_region_is_the_default(inhabited: SimulatedSpot) -> None:
    """For every kind that has a region."""
    client, wire = overhearing(inhabited, region="us-central-ord-1")
    await client.cloudspaces.create("another", {"kubernetesVersion": "1.31.1"})
    await client.vm_cloudspaces.create("more", {"vmSshKeyRef": {"name": "key"}})
    await client.autopilot_nodepools.create("pilot", {k: v for k, v in AUTOPILOT.items() if k != "region"})
    await client.spot_nodepools.create("workers", POOL)
    regions = [each["spec"].get("region") for each in wire.bodies("POST")]
    assert regions == ["us-central-ord-1"] * 3 + [None]


async def test_a_region_in_the_spec_wins(inhabited: SimulatedSpot) -> None:
    """The client's region is only a default."""
    client, wire = overhearing(inhabited, region="us-central-ord-1")
    await client.cloudspaces.create("another", CLOUDSPACE)
    assert wire.bodies("POST")[0]["spec"]["region"] == REGION


async def test_without_any_region_the_field_is_required() -> None:
    """It is refused before anything is sent."""
    client, wire = offline()
    with pytest.raises(UsageError, match="region"):
        await client.cloudspaces.create("another", {"kubernetesVersion": "1.31.1"})
    assert wire.requests == []


# Names


@pytest.mark.parametrize("group", POOLS)
async def test_a_pool_is_found_by_its_given_name(inhabited: SimulatedSpot, group: str) -> None:
    """By every verb; its wire name is a UUID derived from the name."""
    client, wire = overhearing(inhabited)
    collection = getattr(client, group)
    made = await collection.create("workers", POOLS[group])
    assert is_uuid(made.name)
    assert made.metadata.annotations[NAME_ANNOTATION] == "workers"
    assert (await collection.get("workers")).metadata.uid == made.metadata.uid
    assert (await collection.get(made.name)).metadata.uid == made.metadata.uid
    change = {"budgetPerHour": "2"} if group == "autopilot_nodepools" else {"desired": 1}
    assert (await collection.patch("workers", change)).name == made.name
    with pytest.raises(AlreadyExists):
        await collection.create("workers", POOLS[group])
    assert (await collection.wait("workers")).name == made.name
    await collection.delete("workers")
    await collection.wait_gone("workers")
    again, _ = overhearing(inhabited)
    assert (await getattr(again, group).create("workers", POOLS[group])).name == made.name
    assert not any("workers" in each.url.path for each in wire.requests)


async def test_a_manifest_of_the_same_name_means_the_same_pool(inhabited: SimulatedSpot) -> None:
    """So that a script and an apply never create two."""
    client, _ = overhearing(inhabited)
    made = await client.spot_nodepools.create("workers", {**POOL, "bid_price": "0.08"})
    assert made.name == SPOT_NODE_POOL.wire_name(NAMESPACE, "workers", {"cloudSpace": "edge"})


async def test_the_uuid_depends_on_kind_and_cloudspace(inhabited: SimulatedSpot) -> None:
    """Every cloudspace may have its own `workers`."""
    put(inhabited, "cloudspaces", cloudspace("other"))
    client, _ = overhearing(inhabited)
    made = [
        await client.spot_nodepools.create("workers", POOL),
        await client.spot_nodepools.create("workers", {**POOL, "cloudSpace": "other"}),
        await client.ondemand_nodepools.create("workers", RENTED),
    ]
    assert len({each.name for each in made}) == 3


@pytest.mark.parametrize("verb", ["get", "patch", "delete", "wait", "wait_gone"])
async def test_an_ambiguous_name_is_refused_with_the_names_that_are_not(inhabited: SimulatedSpot, verb: str) -> None:
    """Neither pool is changed."""
    put(inhabited, "cloudspaces", cloudspace("other"))
    client, wire = overhearing(inhabited)
    await client.spot_nodepools.create("workers", POOL)
    await client.spot_nodepools.create("workers", {**POOL, "cloudSpace": "other"})
    wire.requests.clear()
    with pytest.raises(UsageError, match="2 of the spotnodepools have the name 'workers'") as caught:
        await getattr(client.spot_nodepools, verb)("workers", *([{"desired": 1}] if verb == "patch" else []))
    assert caught.value.hint == "use one of: edge/workers, other/workers"
    assert wire.of("PATCH", "DELETE") == []


@pytest.mark.parametrize("verb", ["get", "patch", "delete", "wait"])
async def test_an_unknown_name_raises_not_found(inhabited: SimulatedSpot, verb: str) -> None:
    """The message names the kind."""
    client, _ = overhearing(inhabited)
    with pytest.raises(NotFound, match="none of the spotnodepools has the name 'nobody'"):
        await getattr(client.spot_nodepools, verb)("nobody", *([{"desired": 1}] if verb == "patch" else []))


ODD_NAMES = [
    "",
    " ",
    "../x",
    "A B",
    "a/b/c/d",
    "a//b",
    "a\nb",
    ".",
    "x" * (MAX_BYTES_OF_A_NAME + 1),
    "é",
    "%2e%2e",
    "a?b",
]


@pytest.mark.parametrize("verb", ["get", "patch", "delete", "wait", "wait_gone"])
@pytest.mark.parametrize("group", ["cloudspaces", "vm_ssh_keys", "spot_nodepools"])
async def test_an_invalid_name_is_refused_by_every_verb(group: str, verb: str) -> None:
    """It could address something else."""
    client, wire = offline()
    for name in ODD_NAMES:
        with pytest.raises(UsageError, match="is not the name of an object"):
            await getattr(getattr(client, group), verb)(name, *([{}] if verb == "patch" else []))
    assert wire.requests == []


@pytest.mark.parametrize("group", [*LABELLED, *POOLS])
async def test_nothing_is_created_under_an_invalid_name(group: str) -> None:
    """Not even a pool, whose UUID would hide it: it could never be found by name."""
    client, wire = offline()
    for name in [*ODD_NAMES, "a/b"]:
        with pytest.raises(UsageError, match="is not the name of an object"):
            await getattr(client, group).create(name, (LABELLED | POOLS)[group])
    assert wire.requests == []


# Changes


async def test_a_patch_sends_only_the_given_fields(inhabited: SimulatedSpot) -> None:
    """No defaults, no other fields, no name."""
    client, wire = overhearing(inhabited)
    await client.spot_nodepools.create(UUID, {**POOL, "autoscaling": {"enabled": False, "minNodes": 1, "maxNodes": 3}})
    patched = await client.spot_nodepools.patch(UUID, {"autoscaling": {"maxNodes": 5}})
    await client.spot_nodepools.patch(UUID, {"desired": 3, "bid_price": 0.08})
    await client.spot_nodepools.patch(UUID, {})
    assert wire.bodies("PATCH") == [
        {"spec": {"autoscaling": {"maxNodes": 5}}},
        {"spec": {"desired": 3, "bidPrice": "0.08"}},
        {"spec": {}},
    ]
    assert {each.headers["Content-Type"] for each in wire.of("PATCH")} == {"application/merge-patch+json"}
    assert patched.spec.autoscaling is not None
    assert (patched.spec.autoscaling.enabled, patched.spec.autoscaling.min_nodes) == (False, 1)


async def test_none_removes_a_field_or_a_map_entry(inhabited: SimulatedSpot) -> None:
    """As in a JSON merge patch."""
    client, wire = overhearing(inhabited)
    await client.spot_nodepools.create(
        UUID, {**POOL, "customLabels": {"a": "1", "b": "2"}, "customAnnotations": {"c": "3"}}
    )
    changed = await client.spot_nodepools.patch(UUID, {"custom_labels": {"a": None}, "custom_annotations": None})
    assert wire.bodies("PATCH") == [{"spec": {"customLabels": {"a": None}, "customAnnotations": None}}]
    assert changed.spec.custom_labels == {"b": "2"}
    assert not changed.spec.custom_annotations
    await client.cloudspaces.create("another", {**CLOUDSPACE, "webhook": "https://example.com"})
    assert (await client.cloudspaces.patch("another", {"webhook": None})).spec.webhook is None


async def test_a_resource_version_makes_a_patch_conditional(inhabited: SimulatedSpot) -> None:
    """A changed object raises Conflict; an unchanged one is patched."""
    client, wire = overhearing(inhabited)
    made = await client.spot_nodepools.create(UUID, POOL)
    read = made.metadata.resource_version
    first = await client.spot_nodepools.patch(UUID, {"desired": 3}, resource_version=read)
    assert wire.bodies("PATCH")[0]["metadata"] == {"resourceVersion": read}
    with pytest.raises(Conflict):
        await client.spot_nodepools.patch(UUID, {"desired": 4}, resource_version=read)
    assert (await client.spot_nodepools.get(UUID)).spec.desired == 3
    again = await client.spot_nodepools.patch(UUID, {"desired": 4}, resource_version=first.metadata.resource_version)
    assert again.spec.desired == 4


# Deletions


@pytest.mark.parametrize(("group", "name"), [("cloudspaces", "nobody"), ("spot_nodepools", UUID), ("vm_pools", "no")])
async def test_missing_ok_accepts_a_missing_object(spot_client: AsyncSpotClient, group: str, name: str) -> None:
    """Only if the caller asks for it."""
    collection = getattr(spot_client, group)
    await collection.delete(name, missing_ok=True)
    with pytest.raises(NotFound):
        await collection.delete(name)


async def test_missing_ok_does_not_accept_a_missing_organization(inhabited: SimulatedSpot) -> None:
    """A typo in its name must not look like success."""
    client, _ = overhearing(inhabited, organization="sandbux")
    with pytest.raises(NotFound, match="no organization 'sandbux'"):
        await client.cloudspaces.delete("edge", missing_ok=True)
    with pytest.raises(NotFound, match="no organization 'sandbux'"):
        await client.cloudspaces.wait_gone("edge")
