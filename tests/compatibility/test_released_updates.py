"""`update(spec)` of rsspot 0.3: it changes the pool of the spec's cloudspace, and only the fields that were given."""

from __future__ import annotations

from typing import Any

import pytest

from rsspot import AsyncSpotClient, NotFound
from rsspot.compatibility.specs import SpecObject
from rsspot.models.cloudspaces import CloudspaceCreateSpec
from rsspot.models.nodepools import Autoscaling, OnDemandNodePoolUpsert, SpotNodePoolUpsert
from rsspot.testing import SimulatedSpot

CLASS, REGION = "gp.vs1.large-dfw", "us-central-dfw-1"
CLOUDSPACE = CloudspaceCreateSpec(name="edge", region=REGION)


def spot_pool(cloudspace: str, **fields: Any) -> SpotNodePoolUpsert:
    """A spot pool with the name that all pools here have."""
    return SpotNodePoolUpsert(name="workers", cloudspace=cloudspace, server_class=CLASS, bid_price="0.06", **fields)


def ondemand_pool(cloudspace: str, **fields: Any) -> OnDemandNodePoolUpsert:
    """The same, on demand."""
    return OnDemandNodePoolUpsert(name="workers", cloudspace=cloudspace, server_class=CLASS, **fields)


GROUPS = {"spot_nodepools": spot_pool, "ondemand_nodepools": ondemand_pool}


async def client_of(spot_api: SimulatedSpot, *cloudspaces: str) -> AsyncSpotClient:
    """A client in a world with some cloudspaces."""
    client = spot_api.client()
    for name in cloudspaces:
        await client.cloudspaces.create(CLOUDSPACE.model_copy(update={"name": name}))
    spot_api.advance(3600)
    return client


@pytest.mark.parametrize("group", GROUPS)
async def test_the_pool_of_the_cloudspace_is_changed(spot_api: SimulatedSpot, group: str) -> None:
    """And not the one that has the same name elsewhere."""
    client, make = await client_of(spot_api, "core", "edge"), GROUPS[group]
    pools: Any = getattr(client, group)
    for cloudspace in ("core", "edge"):
        await pools.create(make(cloudspace, desired=2))
    assert (await pools.update(make("edge", desired=5))).spec.cloud_space == "edge"
    assert [(await pools.get(f"{name}/workers")).spec.desired for name in ("core", "edge")] == [2, 5]


@pytest.mark.parametrize("group", GROUPS)
async def test_a_pool_of_another_cloudspace_is_left_alone(spot_api: SimulatedSpot, group: str) -> None:
    """Also where its name or its UUID would find it."""
    client, make = await client_of(spot_api, "core", "edge"), GROUPS[group]
    pools: Any = getattr(client, group)
    made = await pools.create(make("core", desired=2))
    for name in ("workers", made.metadata.name):
        with pytest.raises(NotFound, match=name):
            await pools.update(make("edge", desired=5).model_copy(update={"name": name}))
    assert (await pools.get("core/workers")).spec.desired == 2


@pytest.mark.parametrize("group", GROUPS)
async def test_what_is_left_out_of_a_pool_stays(spot_api: SimulatedSpot, group: str) -> None:
    """The default of a field is for new objects only."""
    client, make = await client_of(spot_api, "edge"), GROUPS[group]
    pools: Any = getattr(client, group)
    await pools.create(make("edge", desired=4, custom_taints=[{"key": "k", "value": "v", "effect": "NoSchedule"}]))
    changed = (await pools.update(make("edge", custom_labels={"a": "b"}))).spec
    assert (changed.desired, len(changed.custom_taints), changed.custom_labels) == (4, 1, {"a": "b"})


async def test_autoscaling_stays_until_it_is_turned_off(spot_api: SimulatedSpot) -> None:
    """By an object that says so."""
    client = await client_of(spot_api, "edge")
    scaled = Autoscaling(enabled=True, minNodes=1, maxNodes=4)
    await client.spot_nodepools.create(spot_pool("edge", autoscaling=scaled))
    kept = await client.spot_nodepools.update(spot_pool("edge", custom_labels={"a": "b"}))
    assert kept["spec"]["autoscaling"] == {"enabled": True, "minNodes": 1, "maxNodes": 4}
    ended = await client.spot_nodepools.update(spot_pool("edge", autoscaling=Autoscaling()))
    assert ended["spec"]["autoscaling"]["enabled"] is False


async def test_what_is_left_out_of_a_cloudspace_stays(spot_api: SimulatedSpot) -> None:
    """Its version above all."""
    client = spot_api.client()
    await client.cloudspaces.create(CLOUDSPACE.model_copy(update={"kubernetes_version": "1.32.8"}))
    hooked = CloudspaceCreateSpec(name="edge", region=REGION, preemption_webhook_url="https://example.com/hook")
    for spec in (hooked, CloudspaceCreateSpec(name="edge", region=REGION, preemption_webhook_url=None)):
        changed = (await client.cloudspaces.update(spec)).spec
        assert changed.kubernetes_version == "1.32.8"
        assert changed.webhook is not None


def test_a_spec_that_does_not_say_what_it_sends_cannot_be_made() -> None:
    """It would fail only once it is sent."""

    class Unfinished(SpecObject):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Unfinished(name="edge")  # type: ignore[abstract]
