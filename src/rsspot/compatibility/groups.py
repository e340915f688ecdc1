"""The groups of the clients that have more verbs in rsspot 0.3 than with us: `pricing.for_region` and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rsspot.compatibility.organization_group import BlockingOrganizationGroup, OrganizationGroup
from rsspot.constants import EVENTS_PATH
from rsspot.http.call import Call
from rsspot.resources.collection import Collection
from rsspot.resources.documents import Documents
from rsspot.resources.listing import Listing
from rsspot.resources.sync_twins import BlockingCollection, blocking
from rsspot.services.cloudspaces.api import BlockingCloudSpaces, CloudSpaces
from rsspot.services.cloudspaces.schemas import CloudSpace
from rsspot.services.inventory.api import BlockingInventory, Inventory
from rsspot.services.pricing.api import BlockingPricing, Pricing
from rsspot.services.pricing.schemas import Quote
from rsspot.services.server_classes.schemas import ServerClass
from rsspot.services.vms.schemas import VMCloudSpace, VMPool

if TYPE_CHECKING:
    from rsspot.compatibility.models import OrganizationEventsResponse


class CloudSpaceGroup(OrganizationGroup[CloudSpace], CloudSpaces):
    """Cloudspaces. `generate_kubeconfig` is `kubeconfig`."""

    async def generate_kubeconfig(self, cloudspace_name: str, *, org: str | None = None) -> str:
        """The kubeconfig of a cloudspace, as YAML text."""
        return await CloudSpaces(self._documents_of(org), self.kind).kubeconfig(cloudspace_name)


class BlockingCloudSpaceGroup(BlockingOrganizationGroup[CloudSpace], BlockingCloudSpaces):
    """The synchronous version of CloudSpaceGroup."""

    generate_kubeconfig = blocking(CloudSpaceGroup.generate_kubeconfig)


class ServerClassGroup(Collection[ServerClass]):
    """Server classes. `list` can be narrowed."""

    async def list(
        self,
        *,
        labels: str | None = None,
        within: str | None = None,
        region: str | None = None,
        only_available: bool = False,
    ) -> Listing[ServerClass]:
        """`Collection.list`. region: only this region · only_available: only classes of which servers can be had."""
        found = await super().list(labels=labels, within=within)
        chosen = [each for each in found if region in (None, each.spec.region)]
        if only_available:
            chosen = [each for each in chosen if each.spec.availability == "available"]
        return Listing(chosen, self.kind.plural)


class BlockingServerClassGroup(BlockingCollection[ServerClass]):
    """The synchronous version of ServerClassGroup."""

    list = blocking(ServerClassGroup.list)


class PricingGroup(Pricing):
    """Prices. `for_server_class` is `get`, and `for_region` is `list`."""

    async def for_server_class(self, server_class: str) -> Quote:
        """`Pricing.get`."""
        return await self.get(server_class)

    async def for_region(self, region: str) -> Listing[Quote]:
        """`Pricing.list`."""
        return await self.list(region=region)


class BlockingPricingGroup(BlockingPricing):
    """The synchronous version of PricingGroup."""

    for_server_class = blocking(PricingGroup.for_server_class)
    for_region = blocking(PricingGroup.for_region)


class InventoryGroup(Inventory):
    """Machines, and what the controllers of other programs read with them."""

    def __init__(
        self,
        groups: tuple[Documents, ...],
        vm_cloudspaces: OrganizationGroup[VMCloudSpace],
        vm_pools: OrganizationGroup[VMPool],
    ) -> None:
        super().__init__(*groups)
        self._vm_cloudspaces = vm_cloudspaces
        self._vm_pools = vm_pools

    async def list_vmcloudspaces(self, *, org: str | None = None) -> Listing[VMCloudSpace]:
        """The same as `vm_cloudspaces.list`."""
        return await self._vm_cloudspaces.list(org)

    async def list_vmpools(self, *, vmcloudspace: str, org: str | None = None) -> Listing[VMPool]:
        """The same as `vm_pools.list(within=vmcloudspace)`."""
        return await self._vm_pools.list(org, within=vmcloudspace)

    async def list_organization_events(self, *, limit: int = 100) -> OrganizationEventsResponse:
        """The latest events as the service words them; `events.list` reads their times."""
        from rsspot.compatibility.models import OrganizationEventsResponse

        session = self._vm_pools.documents.context.session
        answer = await session.send(Call("GET", EVENTS_PATH, {"limits": str(limit)}))
        return OrganizationEventsResponse.model_validate(answer)


class BlockingInventoryGroup(BlockingInventory):
    """The synchronous version of InventoryGroup."""

    list_vmcloudspaces = blocking(InventoryGroup.list_vmcloudspaces)
    list_vmpools = blocking(InventoryGroup.list_vmpools)
    list_organization_events = blocking(InventoryGroup.list_organization_events)
