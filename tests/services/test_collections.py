"""The typed verbs of every kind, against the simulated service and malformed responses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import AlreadyExists, Forbidden, Invalid, NotFound, RsspotError, UsageError
from rsspot.resources.registry import kinds
from rsspot.services.cloudspaces.schemas import CLOUD_SPACE
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx

CLOUDSPACE = {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"}
POOL = {"cloudSpace": "edge", "serverClass": "gp.vs1.medium-dfw", "desired": 2, "bidPrice": "0.06"}
RENTED = {"cloudSpace": "edge", "serverClass": "gp.vs1.medium-dfw", "desired": 1}
GROUP = {"region": "us-central-dfw-1", "vmSshKeyRef": {"name": "key"}}
MACHINES = {"vmCloudSpace": "vms", "serverClass": "gp.vs1.medium-dfw", "desired": 1, "bidPrice": "0.06"}
UUID = "00000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("group", "parent", "name", "spec", "change"),
    [
        ("cloudspaces", None, "edge", CLOUDSPACE, {"kubernetesVersion": "1.32.0"}),
        ("spot_nodepools", ("cloudspaces", "edge", CLOUDSPACE), UUID, POOL, {"desired": 3}),
        ("ondemand_nodepools", ("cloudspaces", "edge", CLOUDSPACE), UUID, RENTED, {"desired": 3}),
        ("vm_cloudspaces", None, "vms", GROUP, {"webhook": "https://example.com"}),
        ("vm_pools", ("vm_cloudspaces", "vms", GROUP), UUID, MACHINES, {"desired": 3}),
    ],
)
async def test_objects_of_every_kind_can_be_created_read_changed_and_deleted(
    spot_api: SimulatedSpot,
    spot_client: AsyncSpotClient,
    group: str,
    parent: tuple[str, str, dict[str, Any]] | None,
    name: str,
    spec: dict[str, Any],
    change: dict[str, Any],
) -> None:
    """The whole life of an object."""
    collection = getattr(spot_client, group)
    if parent:
        await getattr(spot_client, parent[0]).create(parent[1], parent[2])
    made = await collection.create(name, spec, labels={"team": "blue"})
    assert (made.name, made.metadata.labels["team"]) == (name, "blue")
    assert [each.name for each in await collection.list(labels="team=blue")] == [name]
    assert await collection.list(labels="team=red") == []
    changed = await collection.patch(name, change)
    wire = changed.model_dump(by_alias=True)["spec"]
    assert {key: wire[key] for key in change} == change
    assert (await collection.get(name)).metadata.uid == made.metadata.uid
    await collection.delete(name)
    spot_api.advance(100)
    with pytest.raises(NotFound):
        await collection.get(name)


@pytest.mark.parametrize("group", ["regions", "server_classes"])
async def test_the_services_catalog_is_read_only(spot_client: AsyncSpotClient, group: str) -> None:
    """Regions and server classes."""
    collection = getattr(spot_client, group)
    offered = await collection.list()
    assert (await collection.get(offered[0].name)).name == offered[0].name
    with pytest.raises(Forbidden):
        await collection.delete(offered[0].name)


async def test_refusals_raise_the_matching_error(spot_client: AsyncSpotClient) -> None:
    """A taken name, a missing field, a rule of the service."""
    await spot_client.cloudspaces.create("edge", CLOUDSPACE)
    with pytest.raises(AlreadyExists):
        await spot_client.cloudspaces.create("edge", CLOUDSPACE)
    with pytest.raises(Invalid) as caught:
        await spot_client.documents(CLOUD_SPACE).create(
            {
                "apiVersion": "ngpc.rxt.io/v1",
                "kind": "CloudSpace",
                "metadata": {"name": "other"},
                "spec": {"region": "us-central-dfw-1"},
            }
        )
    assert any("kubernetesVersion" in f"{field}{message}" for field, message in caught.value.causes.items())
    with pytest.raises(Forbidden, match="does not exist"):
        await spot_client.cloudspaces.create("other", {**CLOUDSPACE, "region": "nowhere"})


@pytest.mark.parametrize("name", ["", "/", "a/b", "..", ".", "a/../b", "?x", "a b", "A", "é", "%2F", "a#b"])
@pytest.mark.parametrize("verb", ["get", "patch", "delete"])
async def test_an_invalid_name_never_reaches_a_request(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient, verb: str, name: str
) -> None:
    """An empty one would address the whole collection."""
    arguments = (name, {}) if verb == "patch" else (name,)
    with pytest.raises(UsageError, match="not the name of an object"):
        await getattr(spot_client.cloudspaces, verb)(*arguments)
    assert not any("cloudspaces" in path for _, path in spot_api.transport.carried)


async def test_an_invalid_name_is_refused_before_anything_is_sent(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient
) -> None:
    """Not even the organization is looked up."""
    with pytest.raises(UsageError):
        await spot_client.cloudspaces.delete("")
    assert spot_api.transport.carried == []


def answering(spot: SimulatedSpot, document: Any) -> AsyncSpotClient:
    """A client of a service that answers every API request with one document."""

    async def answer(request: httpx.Request) -> httpx.Response:
        if "/cloudspaces" in request.url.path:
            return httpx.Response(200, json=document)
        return await spot.transport.handle_async_request(request)

    return AsyncSpotClient(resolved=spot.client().config, transport=httpx.MockTransport(answer), clock=spot.clock)


@pytest.mark.parametrize("document", [{"items": None, "metadata": {"resourceVersion": "7"}}, {"items": []}])
async def test_an_empty_list_has_several_spellings(spot_api: SimulatedSpot, document: dict[str, Any]) -> None:
    """Go servers send null, in a list that tells its version."""
    async with answering(spot_api, document) as client:
        assert await client.cloudspaces.list() == []


@pytest.mark.parametrize("status", [None, {}, {"phase": None, "conditions": None, "assignedServers": None}, ...])
@pytest.mark.parametrize("labels", [None, {}, ...])
async def test_null_and_missing_fields_are_accepted(spot_api: SimulatedSpot, labels: Any, status: Any) -> None:
    """In metadata and in status."""
    metadata = {"name": "edge"} | ({} if labels is ... else {"labels": labels, "annotations": labels})
    item = {"metadata": metadata, "spec": CLOUDSPACE} | ({} if status is ... else {"status": status})
    async with answering(spot_api, {"items": [item]}) as client:
        (cloudspace,) = await client.cloudspaces.list()
        assert cloudspace.metadata.labels == {}
        assert (cloudspace.status.phase if cloudspace.status else None) is None
        assert await client.inventory.list() == []
    kind = kinds()["CloudSpace"]
    assert kind.ready(cloudspace).note == "accepted"


async def test_unknown_fields_are_kept(spot_api: SimulatedSpot) -> None:
    """A newer service may send more."""
    item = {"metadata": {"name": "edge"}, "spec": {**CLOUDSPACE, "novel": {"a": 1}}, "status": {"phase": "Novel"}}
    async with answering(spot_api, {"items": [item]}) as client:
        (cloudspace,) = await client.cloudspaces.list()
    assert cloudspace.model_dump(by_alias=True)["spec"]["novel"] == {"a": 1}
    assert cloudspace.status is not None and cloudspace.status.phase == "Novel"


async def test_a_malformed_object_is_reported_by_name_and_field(spot_api: SimulatedSpot) -> None:
    """As an rsspot error."""
    item = {"metadata": {"name": "edge"}, "spec": {"region": 7}}
    async with answering(spot_api, {"items": [item]}) as client:
        with pytest.raises(RsspotError, match=r"CloudSpace edge does not have the expected shape: .*spec\.region"):
            await client.cloudspaces.list()


async def test_the_ledger_is_only_opened_when_needed(spot_api: SimulatedSpot, tmp_path: Path) -> None:
    """Reading live objects creates no file."""
    async with spot_api.client(state_path=tmp_path / "own.db") as client:
        await client.regions.list()
        assert not (tmp_path / "own.db").exists()
        assert await client.documents(kinds()["VMRegistration"]).list() == []
        assert (tmp_path / "own.db").exists()
