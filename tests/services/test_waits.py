"""Waits end when an object is ready, gone or failed, or at the timeout, with its last known state."""

from __future__ import annotations

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.sync_client import SpotClient
from rsspot.errors import NotFound, NotReady, RsspotError
from rsspot.resources.collection import Collection
from rsspot.resources.kind import Kind, Phase, Readiness
from rsspot.resources.waiting import POLL
from rsspot.services.cloudspaces.schemas import CLOUD_SPACE, CloudSpace
from rsspot.testing import SimulatedSpot
from support.recording import AUTOPILOT, GROUP, POOL, PUBLIC_KEY, cloudspace, overhearing, pool, put, uuid_of

UUID = uuid_of(1)
FAILING = Kind(
    CloudSpace, plural="cloudspaces", summary="-", ready=lambda _: Readiness(Phase.FAILED, "the disk is on fire")
)


async def test_wait_returns_once_the_api_server_has_an_endpoint(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient
) -> None:
    """A brief Error phase in between is not a failure."""
    await spot_client.cloudspaces.create("edge", {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"})
    began = spot_api.clock.time()
    cloudspace = await spot_client.cloudspaces.wait("edge")
    assert cloudspace.status is not None and cloudspace.status.api_server_endpoint
    assert 45 <= spot_api.clock.time() - began < 100


async def test_a_ready_object_is_returned_at_once(spot_api: SimulatedSpot) -> None:
    """After one read, without a pause."""
    put(spot_api, "cloudspaces", cloudspace("edge", status={"APIServerEndpoint": "hcp.example.com"}))
    client, wire = overhearing(spot_api)
    began = spot_api.clock.time()
    assert (await client.cloudspaces.wait("edge", timeout=0)).name == "edge"
    assert spot_api.clock.time() == began
    assert len(wire.of("GET", path="cloudspaces")) == 1


@pytest.mark.parametrize("timeout", [0, 1, 60])
async def test_a_timeout_raises_not_ready_with_the_last_state(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient, timeout: float
) -> None:
    """It is a TimeoutError, and the CLI exits with 9."""
    lost = pool(1, bidPrice="0.001", desired=3, serverClass="none")
    put(spot_api, "spotnodepools", {**lost, "status": {"wonCount": 1, "bidStatus": "Pending"}})
    began = spot_api.clock.time()
    with pytest.raises(NotReady, match=f"SpotNodePool {UUID} is partial: won 1 of 3") as caught:
        await spot_client.spot_nodepools.wait(UUID, timeout=timeout)
    assert isinstance(caught.value, TimeoutError) and isinstance(caught.value, RsspotError)
    assert caught.value.exit_code == 9
    assert timeout <= spot_api.clock.time() - began <= timeout + POLL


async def test_an_outbid_pool_is_reported_as_outbid(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """It may win the next auction, so only the timeout ends the wait."""
    put(spot_api, "spotnodepools", {**pool(1, serverClass="none"), "status": {"wonCount": 0, "bidStatus": "Lost"}})
    with pytest.raises(NotReady, match="outbid: won 0 of 2: the market price is above the bid"):
        await spot_client.spot_nodepools.wait(UUID, timeout=10)


async def test_a_failed_object_ends_the_wait(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """It can never become ready."""
    put(spot_api, "cloudspaces", cloudspace("edge"))
    failing: Collection[CloudSpace] = Collection(spot_client.documents(CLOUD_SPACE), FAILING)
    began = spot_api.clock.time()
    with pytest.raises(NotReady, match="CloudSpace edge is failed: the disk is on fire"):
        await failing.wait("edge")
    assert spot_api.clock.time() == began


async def test_waiting_for_a_missing_object_raises_not_found(spot_client: AsyncSpotClient) -> None:
    """Also if it disappears during the wait."""
    with pytest.raises(NotFound):
        await spot_client.cloudspaces.wait("edge")


async def test_wait_gone_returns_once_the_object_is_deleted(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient
) -> None:
    """With the objects that live in it."""
    await spot_client.cloudspaces.create("edge", {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"})
    await spot_client.spot_nodepools.create("workers", POOL)
    await spot_client.cloudspaces.delete("edge")
    assert (await spot_client.cloudspaces.get("edge")).metadata.deletion_timestamp
    await spot_client.cloudspaces.wait_gone("edge")
    assert await spot_client.spot_nodepools.list() == []
    with pytest.raises(NotFound):
        await spot_client.cloudspaces.get("edge")


@pytest.mark.parametrize("timeout", [0, 1, 60])
async def test_wait_gone_raises_not_ready_at_the_timeout(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient, timeout: float
) -> None:
    """The message has the timeout."""
    put(spot_api, "cloudspaces", cloudspace("edge"))
    began = spot_api.clock.time()
    with pytest.raises(NotReady, match=f"CloudSpace edge still exists after {timeout} s") as caught:
        await spot_client.cloudspaces.wait_gone("edge", timeout=timeout)
    assert caught.value.exit_code == 9
    assert timeout <= spot_api.clock.time() - began <= timeout + POLL


async def test_wait_gone_reads_at_least_once(spot_client: AsyncSpotClient) -> None:
    """Even with a timeout of zero."""
    await spot_client.cloudspaces.wait_gone("nobody", timeout=0)
    await spot_client.spot_nodepools.wait_gone("nobody", timeout=0)


async def test_the_last_read_is_after_the_last_pause(spot_api: SimulatedSpot) -> None:
    """A deletion at the last moment is noticed."""
    put(spot_api, "cloudspaces", cloudspace("edge"))
    client, wire = overhearing(spot_api)
    ends = spot_api.clock.time() + 10

    def vanish() -> None:
        body = spot_api.world.store.get("cloudspaces", "org-sandbox000000001", "edge")
        if body and spot_api.clock.time() >= ends:
            with spot_api.world.store.transaction():
                spot_api.world.store.remove("cloudspaces", body)

    client.hooks.before.append(lambda method, path: vanish())
    await client.cloudspaces.wait_gone("edge", timeout=10)
    assert len(wire.of("GET", path="cloudspaces")) == 3


async def test_vm_cloudspaces_and_keys_can_be_waited_for(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """A key is ready as soon as it is created."""
    await spot_client.vm_ssh_keys.create("key", {"publicKey": PUBLIC_KEY})
    assert (await spot_client.vm_ssh_keys.wait("key")).spec.public_key == PUBLIC_KEY
    await spot_client.vm_cloudspaces.create("vms", GROUP)
    group = await spot_client.vm_cloudspaces.wait("vms")
    assert group.status is not None and group.status.phase == "Ready"


async def test_an_autopilot_is_ready_once_enough_vcpus_are_won(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient
) -> None:
    """The pools that it created are listed in its cloudspace, and are deleted with it."""
    put(spot_api, "cloudspaces", cloudspace("edge"))
    made = await spot_client.autopilot_nodepools.create("pilot", AUTOPILOT)
    with pytest.raises(NotReady, match=r"progressing: won 0 of 8 vCPUs"):
        await spot_client.autopilot_nodepools.wait("pilot", timeout=0)
    autopilot = await spot_client.autopilot_nodepools.wait("pilot")
    assert autopilot.name == made.name
    assert autopilot.status is not None and (autopilot.status.managed_vcpus or 0) >= 8
    children = {each.name for each in await spot_client.spot_nodepools.list(within="edge")}
    assert children == {each.spot_node_pool for each in autopilot.status.allocations or []}
    assert children
    await spot_client.autopilot_nodepools.delete("pilot")
    await spot_client.autopilot_nodepools.wait_gone("pilot")
    assert await spot_client.spot_nodepools.list() == []


def test_blocking_waits_use_the_clients_clock(spot_api: SimulatedSpot) -> None:
    """As async ones do."""
    config = spot_api.client().config
    with SpotClient(resolved=config, transport=spot_api.transport, clock=spot_api.clock) as client:
        client.cloudspaces.create("edge", {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"})
        assert client.cloudspaces.wait("edge").name == "edge"
        client.cloudspaces.delete("edge")
        client.cloudspaces.wait_gone("edge")
        with pytest.raises(NotFound):
            client.cloudspaces.wait("edge")
