"""Waiting ends when it is over, one way or the other, and says how far it got."""

from __future__ import annotations

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.sync_client import SpotClient
from rsspot.errors import NotFound, NotReady, RsspotError
from rsspot.resources.collection import POLL, Collection
from rsspot.resources.kind import Kind, Phase, Readiness
from rsspot.services.cloudspaces.schemas import CLOUD_SPACE, CloudSpace
from rsspot.testing import SimulatedSpot
from support.recording import AUTOPILOT, GROUP, POOL, PUBLIC_KEY, cloudspace, overhearing, pool, put, uuid_of

UUID = uuid_of(1)
FAILING = Kind(
    CloudSpace, plural="cloudspaces", summary="-", ready=lambda each: Readiness(Phase.FAILED, "the disk is on fire")
)


async def test_a_cloudspace_is_waited_for_until_its_api_can_be_spoken_to(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient
) -> None:
    """A moment of Error on its way is none."""
    await spot_client.cloudspaces.create("edge", {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"})
    began = spot_api.clock.time()
    found = await spot_client.cloudspaces.wait("edge")
    assert found.status is not None and found.status.api_server_endpoint
    assert 45 <= spot_api.clock.time() - began < 100


async def test_what_is_ready_is_not_waited_for(spot_api: SimulatedSpot) -> None:
    """One look and no pause."""
    put(spot_api, "cloudspaces", cloudspace("edge", status={"APIServerEndpoint": "hcp.example.com"}))
    client, wire = overhearing(spot_api)
    began = spot_api.clock.time()
    assert (await client.cloudspaces.wait("edge", timeout=0)).name == "edge"
    assert spot_api.clock.time() == began
    assert len(wire.of("GET", path="cloudspaces")) == 1


@pytest.mark.parametrize("timeout", [0, 1, 60])
async def test_time_that_runs_out_is_told_with_how_far_it_got(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient, timeout: float
) -> None:
    """As a TimeoutError that the command line ends with 9 for."""
    lost = pool(1, bidPrice="0.001", desired=3, serverClass="none")
    put(spot_api, "spotnodepools", {**lost, "status": {"wonCount": 1, "bidStatus": "Pending"}})
    began = spot_api.clock.time()
    with pytest.raises(NotReady, match=f"SpotNodePool {UUID} is partial: won 1 of 3") as caught:
        await spot_client.spot_nodepools.wait(UUID, timeout=timeout)
    assert isinstance(caught.value, TimeoutError) and isinstance(caught.value, RsspotError)
    assert caught.value.exit_code == 9
    assert timeout <= spot_api.clock.time() - began <= timeout + POLL


async def test_an_outbid_pool_is_named_as_such(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """It may still win the next auction, so only the time ends the wait."""
    put(spot_api, "spotnodepools", {**pool(1, serverClass="none"), "status": {"wonCount": 0, "bidStatus": "Lost"}})
    with pytest.raises(NotReady, match="outbid: won 0 of 2: the market price is above the bid"):
        await spot_client.spot_nodepools.wait(UUID, timeout=10)


async def test_what_has_failed_is_not_waited_for(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """It cannot come any more."""
    put(spot_api, "cloudspaces", cloudspace("edge"))
    failing: Collection[CloudSpace] = Collection(spot_client.documents(CLOUD_SPACE), FAILING)
    began = spot_api.clock.time()
    with pytest.raises(NotReady, match="CloudSpace edge is failed: the disk is on fire"):
        await failing.wait("edge")
    assert spot_api.clock.time() == began


async def test_who_waits_for_nothing_is_told(spot_client: AsyncSpotClient) -> None:
    """Also when it vanishes meanwhile: nobody makes it again."""
    with pytest.raises(NotFound):
        await spot_client.cloudspaces.wait("edge")


async def test_what_is_deleted_is_waited_for_until_it_is_gone(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient
) -> None:
    """With what lives in it."""
    await spot_client.cloudspaces.create("edge", {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"})
    await spot_client.spot_nodepools.create("workers", POOL)
    await spot_client.cloudspaces.delete("edge")
    assert (await spot_client.cloudspaces.get("edge")).metadata.deletion_timestamp
    await spot_client.cloudspaces.wait_gone("edge")
    assert await spot_client.spot_nodepools.list() == []
    with pytest.raises(NotFound):
        await spot_client.cloudspaces.get("edge")


@pytest.mark.parametrize("timeout", [0, 1, 60])
async def test_what_stays_is_told_after_the_time(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient, timeout: float
) -> None:
    """With the time that it was given."""
    put(spot_api, "cloudspaces", cloudspace("edge"))
    began = spot_api.clock.time()
    with pytest.raises(NotReady, match=f"CloudSpace edge is still there after {timeout} s") as caught:
        await spot_client.cloudspaces.wait_gone("edge", timeout=timeout)
    assert caught.value.exit_code == 9
    assert timeout <= spot_api.clock.time() - began <= timeout + POLL


async def test_what_is_gone_is_gone_without_any_time(spot_client: AsyncSpotClient) -> None:
    """There is one look at least."""
    await spot_client.cloudspaces.wait_gone("nobody", timeout=0)
    await spot_client.spot_nodepools.wait_gone("nobody", timeout=0)


async def test_going_in_the_last_moment_is_seen(spot_api: SimulatedSpot) -> None:
    """The last look is after the last pause, not before it."""
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


async def test_vm_groups_and_keys_are_waited_for_as_well(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """A key is there as soon as it is made."""
    await spot_client.vm_ssh_keys.create("key", {"publicKey": PUBLIC_KEY})
    assert (await spot_client.vm_ssh_keys.wait("key")).spec.public_key == PUBLIC_KEY
    await spot_client.vm_cloudspaces.create("vms", GROUP)
    found = await spot_client.vm_cloudspaces.wait("vms")
    assert found.status is not None and found.status.phase == "Ready"


async def test_an_autopilot_is_ready_when_enough_is_won(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """And the pools that it made are pools like others, found where they live, which leave with it."""
    put(spot_api, "cloudspaces", cloudspace("edge"))
    made = await spot_client.autopilot_nodepools.create("pilot", AUTOPILOT)
    with pytest.raises(NotReady, match=r"progressing: won 0 of 8 vCPUs"):
        await spot_client.autopilot_nodepools.wait("pilot", timeout=0)
    found = await spot_client.autopilot_nodepools.wait("pilot")
    assert found.name == made.name
    assert found.status is not None and (found.status.managed_vcpus or 0) >= 8
    children = {each.name for each in await spot_client.spot_nodepools.list(within="edge")}
    assert children == {each.spot_node_pool for each in found.status.allocations or []}
    assert children
    await spot_client.autopilot_nodepools.delete("pilot")
    await spot_client.autopilot_nodepools.wait_gone("pilot")
    assert await spot_client.spot_nodepools.list() == []


def test_threads_wait_by_the_same_clock(spot_api: SimulatedSpot) -> None:
    """The synchronous side has no other time."""
    config = spot_api.client().config
    with SpotClient(resolved=config, transport=spot_api.transport, clock=spot_api.clock) as client:
        client.cloudspaces.create("edge", {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"})
        assert client.cloudspaces.wait("edge").name == "edge"
        client.cloudspaces.delete("edge")
        client.cloudspaces.wait_gone("edge")
        with pytest.raises(NotFound):
            client.cloudspaces.wait("edge")
