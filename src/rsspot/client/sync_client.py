"""SpotClient: sync groups and `a…` async groups on one object, over one AsyncSpotClient."""

from __future__ import annotations

from functools import cached_property
from typing import Self, Unpack

from rsspot.auth.persona import Persona
from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.typing import ClientOptions
from rsspot.concurrency import drive
from rsspot.config.loader import Resolved
from rsspot.resources.collection import Collection
from rsspot.resources.sync_twins import BlockingCollection, refuse_in_loop
from rsspot.services.cloudspaces.api import BlockingCloudSpaces, CloudSpaces
from rsspot.services.events.api import BlockingEvents, Events
from rsspot.services.inventory.api import BlockingInventory, Inventory
from rsspot.services.nodepools.autopilot import AutopilotNodePool
from rsspot.services.nodepools.schemas import OnDemandNodePool, SpotNodePool
from rsspot.services.organizations.api import BlockingOrganizations, Organizations
from rsspot.services.pricing.api import BlockingPricing, Pricing
from rsspot.services.regions.schemas import Region
from rsspot.services.server_classes.schemas import ServerClass
from rsspot.services.vms.schemas import VMCloudSpace, VMPool, VMSSHKey
from rsspot.state.ledger.protocol import Ledger


class SpotClient:
    """Rackspace Spot for scripts and notebooks. Use as `with`, or call `close()`.

    Takes the arguments of AsyncSpotClient. `client.cloudspaces.list()` blocks this thread and may be called from any
    number of them; `await client.acloudspaces.list()` does not block, in any loop. Both share one token, one cache and
    one pace. A blocking call inside a running loop raises RuntimeError, naming its twin.
    """

    def __init__(self, **options: Unpack[ClientOptions]) -> None:
        self._aio = AsyncSpotClient(**options)

    @cached_property
    def organizations(self) -> BlockingOrganizations:
        return BlockingOrganizations(self.aorganizations, "aorganizations")

    @cached_property
    def regions(self) -> BlockingCollection[Region]:
        return BlockingCollection(self.aregions, "aregions")

    @cached_property
    def server_classes(self) -> BlockingCollection[ServerClass]:
        return BlockingCollection(self.aserver_classes, "aserver_classes")

    @cached_property
    def pricing(self) -> BlockingPricing:
        return BlockingPricing(self.apricing, "apricing")

    @cached_property
    def cloudspaces(self) -> BlockingCloudSpaces:
        return BlockingCloudSpaces(self.acloudspaces, "acloudspaces")

    @cached_property
    def spot_nodepools(self) -> BlockingCollection[SpotNodePool]:
        return BlockingCollection(self.aspot_nodepools, "aspot_nodepools")

    @cached_property
    def ondemand_nodepools(self) -> BlockingCollection[OnDemandNodePool]:
        return BlockingCollection(self.aondemand_nodepools, "aondemand_nodepools")

    @cached_property
    def autopilot_nodepools(self) -> BlockingCollection[AutopilotNodePool]:
        return BlockingCollection(self.aautopilot_nodepools, "aautopilot_nodepools")

    @cached_property
    def vm_cloudspaces(self) -> BlockingCollection[VMCloudSpace]:
        return BlockingCollection(self.avm_cloudspaces, "avm_cloudspaces")

    @cached_property
    def vm_pools(self) -> BlockingCollection[VMPool]:
        return BlockingCollection(self.avm_pools, "avm_pools")

    @cached_property
    def vm_ssh_keys(self) -> BlockingCollection[VMSSHKey]:
        return BlockingCollection(self.avm_ssh_keys, "avm_ssh_keys")

    @cached_property
    def inventory(self) -> BlockingInventory:
        return BlockingInventory(self.ainventory, "ainventory")

    @cached_property
    def events(self) -> BlockingEvents:
        return BlockingEvents(self.aevents, "aevents")

    @property
    def aorganizations(self) -> Organizations:
        return self._aio.organizations

    @property
    def aregions(self) -> Collection[Region]:
        return self._aio.regions

    @property
    def aserver_classes(self) -> Collection[ServerClass]:
        return self._aio.server_classes

    @property
    def apricing(self) -> Pricing:
        return self._aio.pricing

    @property
    def acloudspaces(self) -> CloudSpaces:
        return self._aio.cloudspaces

    @property
    def aspot_nodepools(self) -> Collection[SpotNodePool]:
        return self._aio.spot_nodepools

    @property
    def aondemand_nodepools(self) -> Collection[OnDemandNodePool]:
        return self._aio.ondemand_nodepools

    @property
    def aautopilot_nodepools(self) -> Collection[AutopilotNodePool]:
        return self._aio.autopilot_nodepools

    @property
    def avm_cloudspaces(self) -> Collection[VMCloudSpace]:
        return self._aio.vm_cloudspaces

    @property
    def avm_pools(self) -> Collection[VMPool]:
        return self._aio.vm_pools

    @property
    def avm_ssh_keys(self) -> Collection[VMSSHKey]:
        return self._aio.vm_ssh_keys

    @property
    def ainventory(self) -> Inventory:
        return self._aio.inventory

    @property
    def aevents(self) -> Events:
        return self._aio.events

    @property
    def config(self) -> Resolved:
        """The settings of this client, and where each came from."""
        return self._aio.config

    @property
    def ledger(self) -> Ledger:
        """The ledger of this configuration; opening it for the first time makes its file."""
        return self._aio.ledger

    def whoami(self) -> Persona:
        """Who the token is of, of which organization, and until when. Raises AuthError, TransportError."""
        refuse_in_loop("await client.awhoami()")
        return drive(self._aio.whoami())

    async def awhoami(self) -> Persona:
        """The same, asynchronous."""
        return await self._aio.whoami()

    def close(self) -> None:
        """Let go of what threads without a loop have opened, and of files."""
        refuse_in_loop("await client.aclose()")
        drive(self._aio.aclose())

    async def aclose(self) -> None:
        """Let go of what this loop has opened, and of files."""
        await self._aio.aclose()

    def __enter__(self) -> Self:
        refuse_in_loop("async with SpotClient(…)")
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
