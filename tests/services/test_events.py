"""Events, SSH keys, the inventory and organizations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.sync_client import SpotClient
from rsspot.errors import AlreadyExists, Forbidden, NotFound, UsageError
from rsspot.services.events.api import OrganizationEvent
from rsspot.services.vms.schemas import VM_SSH_KEY
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from support.recording import CLOUDSPACE, GROUP, MACHINES, PUBLIC_KEY, cloudspace, overhearing, put

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECONDS = int(NOON.timestamp())


def telling(*events: Any, **about: Any) -> Any:
    """Answers requests for events with these."""
    answer = {"org_id": "org_Sandbox000000001", **about, "events": list(events)}
    return lambda request: httpx.Response(200, json=answer) if "metrics" in request.url.path else None


async def test_events_are_listed_newest_first(spot_api: SimulatedSpot) -> None:
    """With their time in UTC."""
    client, _ = overhearing(spot_api)
    await client.cloudspaces.create("edge", CLOUDSPACE)
    await client.cloudspaces.wait("edge")
    await client.cloudspaces.upgrade("edge", "1.32.0")
    spot_api.advance(300)
    events = await client.events.list()
    assert [each.message for each in events] == ["cloudspace edge runs Kubernetes 1.32.0", "cloudspace edge is ready"]
    assert events[0].at and events[1].at and events[0].at > events[1].at
    assert events[0].at.tzinfo is UTC
    assert events[0].organization == "org_Sandbox000000001"


@pytest.mark.parametrize("limit", [0, -1, 1001, 10**9])
async def test_the_limit_is_validated(spot_api: SimulatedSpot, limit: int) -> None:
    """Nothing is sent for an invalid one."""
    client, wire = overhearing(spot_api)
    with pytest.raises(UsageError, match="limit must be 1 to 1000"):
        await client.events.list(limit=limit)
    assert wire.requests == []


@pytest.mark.parametrize("limit", [1, 2, 1000])
async def test_no_more_events_than_the_limit_are_returned(spot_api: SimulatedSpot, limit: int) -> None:
    """Even if the service ignores the parameter, which is named `limits`."""
    client, wire = overhearing(spot_api, telling(*([str(SECONDS), f"event {n}"] for n in range(3))))
    assert len(await client.events.list(limit=limit)) == min(limit, 3)
    assert dict(wire.of("GET", path="metrics")[0].url.params) == {"limits": str(limit)}


async def test_events_can_be_filtered_by_cloudspace(spot_api: SimulatedSpot) -> None:
    """And name it."""
    client, wire = overhearing(spot_api)
    for name in ("edge", "other"):
        await client.cloudspaces.create(name, CLOUDSPACE)
        await client.cloudspaces.wait(name)
    (event,) = await client.events.list(cloudspace="edge")
    assert (event.message, event.cloudspace) == ("cloudspace edge is ready", "edge")
    assert wire.of("GET", path="metrics")[0].url.params["cloudspace"] == "edge"


NOONS = [
    SECONDS,
    float(SECONDS),
    str(SECONDS),
    SECONDS * 1000,
    str(SECONDS * 1000),
    SECONDS * 10**6,
    SECONDS * 10**9,
    "2026-06-01T12:00:00Z",
    "2026-06-01T12:00:00+00:00",
    "2026-06-01T14:00:00+02:00",
    "2026-06-01T12:00:00",
    "2026-06-01 12:00:00",
]


async def test_a_time_is_read_in_any_format(spot_api: SimulatedSpot) -> None:
    """The result is timezone-aware and in UTC."""
    client, _ = overhearing(spot_api, telling(*([written, repr(written)] for written in NOONS)))
    times = {each.message: (each.at, each.at and each.at.utcoffset()) for each in await client.events.list()}
    assert times == {repr(written): (NOON, NOON.utcoffset()) for written in NOONS}


NO_TIMES = [
    None,
    "",
    "garbage",
    "nan",
    "inf",
    "-inf",
    "Infinity",
    "1e999",
    "-1e18",
    -1e18,
    10**400,
    [],
    {},
    "2026-99-99",
]


@pytest.mark.timeout(10)
async def test_an_unreadable_time_is_none(spot_api: SimulatedSpot) -> None:
    """The message is still returned, and parsing ends."""
    client, _ = overhearing(spot_api, telling(*([written, repr(written)] for written in NO_TIMES)))
    times = {each.message: each.at for each in await client.events.list()}
    assert times == dict.fromkeys(map(repr, NO_TIMES))


async def test_an_event_with_more_or_fewer_elements_is_read(spot_api: SimulatedSpot) -> None:
    """Newer services may send more; items that are not events are left out."""
    pairs = [[], [SECONDS], [SECONDS, None], "text", None, {}, [SECONDS, "a", "b"], [1, 2]]
    client, _ = overhearing(spot_api, telling(*pairs))
    assert [each.message for each in await client.events.list()] == ["", "", "", "a", "2"]


@pytest.mark.parametrize("answer", [{}, {"events": None}, {"events": []}])
async def test_no_events_have_several_spellings(spot_api: SimulatedSpot, answer: Any) -> None:
    """Null, missing or empty."""
    client, _ = overhearing(
        spot_api, lambda asked: httpx.Response(200, json=answer) if "metrics" in asked.url.path else None
    )
    assert await client.events.list() == []


def test_events_are_values() -> None:
    """They can be compared and kept in sets."""
    event = OrganizationEvent(NOON, "a", None, None, None)
    assert event == OrganizationEvent(NOON, "a", None, None, None)
    assert len({event, event}) == 1


# Keys


async def test_a_key_is_created_read_and_deleted(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """The service sets its fingerprint after a moment."""
    made = await spot_client.vm_ssh_keys.create("key", {"public_key": PUBLIC_KEY, "description": "mine"})
    assert made.status is None or made.status.fingerprint is None
    spot_api.advance(5)
    (key,) = await spot_client.vm_ssh_keys.list()
    assert key.status is not None and (key.status.fingerprint or "").startswith("SHA256:")
    with pytest.raises(AlreadyExists):
        await spot_client.vm_ssh_keys.create("key", {"publicKey": PUBLIC_KEY})
    await spot_client.vm_ssh_keys.delete("key")
    await spot_client.vm_ssh_keys.wait_gone("key")


async def test_a_key_cannot_be_patched(spot_api: SimulatedSpot) -> None:
    """It can only be replaced."""
    client, wire = overhearing(spot_api)
    await client.vm_ssh_keys.create("key", {"publicKey": PUBLIC_KEY})
    for change in ({"public_key": PUBLIC_KEY}, {"publicKey": None}, {"description": "yours"}, {"descripton": "x"}):
        with pytest.raises(UsageError):
            await client.vm_ssh_keys.patch("key", change)
    assert wire.of("PATCH") == []


async def test_an_invalid_public_key_is_refused_by_the_service(spot_client: AsyncSpotClient) -> None:
    """With the service's message, for what is sent as it is."""
    body = {"apiVersion": "ngpc.rxt.io/v1", "kind": "VMSSHKey", "metadata": {"name": "key"}}
    with pytest.raises(Forbidden, match="not a valid OpenSSH public key"):
        await spot_client.documents(VM_SSH_KEY).create({**body, "spec": {"publicKey": "ssh-ed25519 nonsense"}})


@pytest.mark.parametrize("key", ["", "ssh-ed25519", "ssh-ed25519 nonsense", "ssh-rsa AAAAC3NzaC1lZDI1", "a\nb", "x"])
async def test_an_invalid_public_key_is_not_sent(spot_api: SimulatedSpot, key: str) -> None:
    """Nor is a private one, and none of them is quoted."""
    client = spot_api.client()
    with pytest.raises(UsageError, match="OpenSSH") as caught:
        await client.vm_ssh_keys.create("key", {"publicKey": key})
    assert not key or key not in str(caught.value)
    assert spot_api.requests() == []


# Machines


async def test_the_inventory_lists_the_machines_of_every_group(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient
) -> None:
    """Sorted by group and name, whether the group uses `IP` or `ipAddress`."""
    server = {"serverClassName": "gp.vs1.medium-dfw", "state": "Running"}
    put(
        spot_api,
        "cloudspaces",
        cloudspace("edge", status={"assignedServers": {"u2": {**server, "IP": "10.0.0.2", "serverName": "n2"}}}),
        cloudspace("bare", status={"assignedServers": None}),
        cloudspace("new"),
    )
    await spot_client.vm_cloudspaces.create("vms", GROUP)
    await spot_client.vm_pools.create("runners", {**MACHINES, "desired": 2})
    await spot_client.vm_pools.wait("runners")
    spot_api.advance(1000)
    machines = await spot_client.inventory.list()
    assert [(each.group, each.group_kind) for each in machines] == [("edge", "CloudSpace")] + [
        ("vms", "VMCloudSpace")
    ] * 2
    assert [each.name for each in machines] == sorted(each.name for each in machines if each.group == "edge") + sorted(
        each.name for each in machines if each.group == "vms"
    )
    assert (machines[0].uid, machines[0].name, machines[0].ip_address) == ("u2", "n2", "10.0.0.2")
    assert all(each.ip_address and each.server_class == "gp.vs1.medium-dfw" for each in machines)


async def test_a_machine_without_a_name_is_named_by_its_uid(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient
) -> None:
    """Missing values are None."""
    put(spot_api, "cloudspaces", cloudspace("edge", status={"assignedServers": {"u1": {}}}))
    (machine,) = await spot_client.inventory.list()
    assert (machine.uid, machine.name, machine.ip_address, machine.state) == ("u1", "u1", None, None)


# Organizations


async def test_an_organization_is_found_by_each_of_its_names(spot_client: AsyncSpotClient) -> None:
    """In any case; an unknown one is not found."""
    for name in ("sandbox", "SANDBOX", "org_Sandbox000000001", "org-sandbox000000001"):
        assert (await spot_client.organizations.get(name)).name == "sandbox"
    with pytest.raises(NotFound):
        await spot_client.organizations.get("sand")
    with pytest.raises(NotFound):
        await spot_client.organizations.get("")


def test_the_synchronous_versions_return_the_same(spot_api: SimulatedSpot) -> None:
    """Events, keys and machines."""
    config = spot_api.client().config
    with SpotClient(resolved=config, transport=spot_api.transport, clock=spot_api.clock) as client:
        client.cloudspaces.create("edge", CLOUDSPACE)
        client.cloudspaces.wait("edge")
        assert [each.message for each in client.events.list(limit=1)] == ["cloudspace edge is ready"]
        assert client.vm_ssh_keys.create("key", {"publicKey": PUBLIC_KEY}).name == "key"
        assert client.inventory.list() == []
        assert client.organizations.get("sandbox").namespace == "org-sandbox000000001"
