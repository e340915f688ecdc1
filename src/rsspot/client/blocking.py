"""SpotClient: sync groups and `a…` async groups on one object, over one AsyncSpotClient on a loop of its own."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

from rsspot.client.aio import AsyncSpotClient
from rsspot.services.blocking import BlockingCollection, refuse_in_loop
from rsspot.services.cloudspaces.api import BlockingCloudSpaces, CloudSpaces
from rsspot.services.collection import Collection
from rsspot.services.inventory.api import BlockingInventory, Inventory
from rsspot.services.nodepools.schemas import OnDemandNodePool, SpotNodePool
from rsspot.services.organizations.api import BlockingOrganizations, Organizations
from rsspot.services.regions.schemas import Region
from rsspot.services.server_classes.schemas import ServerClass
from rsspot.services.vms.schemas import VMCloudSpace, VMPool

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal


class SpotClient:
    """Rackspace Spot for scripts and notebooks. Use as `with`, or call `close()`.

    Takes the arguments of AsyncSpotClient. `client.cloudspaces.list()` blocks; `await client.acloudspaces.list()`
    does not, and lives on the caller's loop. A blocking call inside a running loop raises RuntimeError.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._stack = ExitStack()
        self._first_use = Lock()
        self._aio = AsyncSpotClient(**options)
        self._made: tuple[BlockingPortal, AsyncSpotClient] | None = None

    @property
    def _portal(self) -> BlockingPortal:
        return self._blocking_side[0]

    @property
    def _sync(self) -> AsyncSpotClient:
        return self._blocking_side[1]

    @property
    def _blocking_side(self) -> tuple[BlockingPortal, AsyncSpotClient]:
        """A loop in a thread and a client of its own for it, made once: connections never cross loops."""
        with self._first_use:
            if self._made is None:
                from anyio.from_thread import start_blocking_portal

                portal = self._stack.enter_context(start_blocking_portal())
                self._made = (portal, AsyncSpotClient(**self._options))
            return self._made

    @cached_property
    def organizations(self) -> BlockingOrganizations:
        return BlockingOrganizations(self._sync.organizations, self._portal, "aorganizations")

    @cached_property
    def regions(self) -> BlockingCollection[Region]:
        return BlockingCollection(self._sync.regions, self._portal, "aregions")

    @cached_property
    def server_classes(self) -> BlockingCollection[ServerClass]:
        return BlockingCollection(self._sync.server_classes, self._portal, "aserver_classes")

    @cached_property
    def cloudspaces(self) -> BlockingCloudSpaces:
        return BlockingCloudSpaces(self._sync.cloudspaces, self._portal, "acloudspaces")

    @cached_property
    def spot_nodepools(self) -> BlockingCollection[SpotNodePool]:
        return BlockingCollection(self._sync.spot_nodepools, self._portal, "aspot_nodepools")

    @cached_property
    def ondemand_nodepools(self) -> BlockingCollection[OnDemandNodePool]:
        return BlockingCollection(self._sync.ondemand_nodepools, self._portal, "aondemand_nodepools")

    @cached_property
    def vm_cloudspaces(self) -> BlockingCollection[VMCloudSpace]:
        return BlockingCollection(self._sync.vm_cloudspaces, self._portal, "avm_cloudspaces")

    @cached_property
    def vm_pools(self) -> BlockingCollection[VMPool]:
        return BlockingCollection(self._sync.vm_pools, self._portal, "avm_pools")

    @cached_property
    def inventory(self) -> BlockingInventory:
        return BlockingInventory(self._sync.inventory, self._portal, "ainventory")

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
    def acloudspaces(self) -> CloudSpaces:
        return self._aio.cloudspaces

    @property
    def aspot_nodepools(self) -> Collection[SpotNodePool]:
        return self._aio.spot_nodepools

    @property
    def aondemand_nodepools(self) -> Collection[OnDemandNodePool]:
        return self._aio.ondemand_nodepools

    @property
    def avm_cloudspaces(self) -> Collection[VMCloudSpace]:
        return self._aio.vm_cloudspaces

    @property
    def avm_pools(self) -> Collection[VMPool]:
        return self._aio.vm_pools

    @property
    def ainventory(self) -> Inventory:
        return self._aio.inventory

    def close(self) -> None:
        """Let go of the sync side's connections, files and thread."""
        refuse_in_loop("aclose")
        if self._made is not None:
            portal, client = self._made
            portal.call(client.aclose)
        self._stack.close()

    async def aclose(self) -> None:
        """Let go of the async side's connections."""
        await self._aio.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
