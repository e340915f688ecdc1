"""Never run: what mypy and pyright must see of the public API from outside."""

from typing import assert_type

from rsspot import AsyncSpotClient, SpotClient
from rsspot.services.cloudspaces.schemas import CloudSpace
from rsspot.services.inventory.api import Machine
from rsspot.services.nodepools.schemas import OnDemandNodePool, SpotNodePool
from rsspot.services.organizations.schemas import Organization
from rsspot.services.regions.schemas import Region
from rsspot.services.server_classes.schemas import ServerClass
from rsspot.services.vms.schemas import VMCloudSpace, VMPool


def synchronous(client: SpotClient) -> None:
    assert_type(client.organizations.list(), list[Organization])
    assert_type(client.regions.get("us-east-iad-1"), Region)
    assert_type(client.server_classes.list(), list[ServerClass])
    assert_type(client.cloudspaces.get("edge"), CloudSpace)
    assert_type(client.cloudspaces.list(labels="a=b"), list[CloudSpace])
    assert_type(client.spot_nodepools.create("name", {"desired": 1}), SpotNodePool)
    assert_type(client.ondemand_nodepools.patch("name", {"desired": 1}), OnDemandNodePool)
    assert_type(client.vm_cloudspaces.delete("edge-vms"), None)
    assert_type(client.vm_pools.list(), list[VMPool])
    assert_type(client.inventory.list(), list[Machine])
    client.cloudspaces.get()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.cloudspaces.list(label="a=b")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def asynchronous(client: AsyncSpotClient, both: SpotClient) -> None:
    assert_type(await client.cloudspaces.get("edge"), CloudSpace)
    assert_type(await client.spot_nodepools.list(), list[SpotNodePool])
    assert_type(await client.vm_cloudspaces.list(), list[VMCloudSpace])
    assert_type(await both.acloudspaces.get("edge"), CloudSpace)
    assert_type(await both.aspot_nodepools.list(), list[SpotNodePool])
    assert_type(await both.ainventory.list(), list[Machine])
