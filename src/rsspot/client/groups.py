"""The groups of operations of both clients, as typed descriptors: `client.cloudspaces`, `await client.acloudspaces…`.

A kind gets its typed name here, in one line for each client. A kind without one is reached by its plural all the same,
or with exact types by `client.collection(KIND)`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar, overload

from rsspot.models.resource import Resource
from rsspot.resources.classes import collection_class
from rsspot.resources.collection import Collection
from rsspot.resources.documents import Documents
from rsspot.resources.kind import Kind
from rsspot.resources.registry import kinds
from rsspot.resources.sync_twins import Blocking, BlockingCollection
from rsspot.services.cloudspaces.schemas import CLOUD_SPACE
from rsspot.services.nodepools.autopilot import AUTOPILOT_NODE_POOL
from rsspot.services.nodepools.schemas import ON_DEMAND_NODE_POOL, SPOT_NODE_POOL
from rsspot.services.regions.schemas import REGION, Region
from rsspot.services.server_classes.schemas import SERVER_CLASS
from rsspot.services.vms.schemas import VM_CLOUD_SPACE, VM_POOL, VM_SSH_KEY

if TYPE_CHECKING:
    # Imported where a group is made: most commands use one of them, and a plan none.
    from rsspot.compatibility.groups import (
        BlockingCloudSpaceGroup,
        BlockingInventoryGroup,
        BlockingPricingGroup,
        BlockingServerClassGroup,
        CloudSpaceGroup,
        InventoryGroup,
        PricingGroup,
        ServerClassGroup,
    )
    from rsspot.compatibility.organization_group import BlockingOrganizationGroup, OrganizationGroup
    from rsspot.http.transport import SpotTransport
    from rsspot.services.events.api import BlockingEvents, Events
    from rsspot.services.organizations.api import BlockingOrganizations, Organizations

T = TypeVar("T", bound=Resource)
G = TypeVar("G")
B = TypeVar("B", bound=Blocking)


class Owner(Protocol):
    """What groups are made from: an AsyncSpotClient."""

    session: SpotTransport
    feeds: SpotTransport
    """Public price data."""

    def documents(self, kind: Kind[Any]) -> Documents: ...


class Group(Generic[G]):
    """A group that is made on first use and kept by its client."""

    def __init__(self, make: Callable[[Any], G]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...

    @overload
    def __get__(self, client: object, owner: type | None = None) -> G: ...

    def __get__(self, client: object | None, owner: type | None = None) -> Self | G:
        if client is None:
            return self
        made: G = self._make(client)
        # Found there from now on: this descriptor has no __set__, so the instance comes first.
        client.__dict__[self._name] = made
        return made


class Twin(Group[B]):
    """The blocking twin of a group; it names the group with an `a` where it must not be called."""

    def __init__(self, make: Callable[[Any, str], B]) -> None:
        super().__init__(lambda client: make(getattr(client, f"a{self._name}"), f"a{self._name}"))


def of_kind(kind: Kind[T]) -> Group[OrganizationGroup[T]]:
    """The verbs of a kind."""
    return Group(lambda client: group_of(client, kind))


def twin_of_kind(kind: Kind[T]) -> Twin[BlockingOrganizationGroup[T]]:
    """The same, blocking."""
    return _twin(_of_organizations, "BlockingOrganizationGroup")


def _twin(room: Callable[[], ModuleType], name: str) -> Twin[Any]:
    """The blocking twin that a class of a module is; the module is imported when the twin is used."""
    return Twin(lambda group, called: getattr(room(), name)(group, called))  # noqa: PLW0108 - imported when it is used


def group_of(client: Owner, kind: Kind[T]) -> OrganizationGroup[T]:
    """The typed verbs of a kind whose objects belong to an organization, as its service has them."""
    from rsspot.compatibility.organization_group import OrganizationGroup

    special = collection_class(kind)
    made = OrganizationGroup if special is Collection else type(special.__name__, (OrganizationGroup, special), {})
    group: OrganizationGroup[T] = made(client.documents(kind), kind)
    return group


def of_inner(group: Group[G]) -> Group[G]:
    """The group of the asynchronous client inside a SpotClient, under its own name."""
    return Group(lambda client: group.__get__(client._aio))


def collection_of(client: Owner, kind: Kind[T]) -> Collection[T]:
    """The typed verbs of any kind, as its service has them."""
    made: Collection[T] = collection_class(kind)(client.documents(kind), kind)
    return made


def kind_of_group(name: str) -> Kind[Any] | None:
    """The kind with a plural, for a group without a line of its own. Kinds that live in the ledger have no group."""
    return next((kind for kind in kinds().values() if kind.plural == name and not kind.local), None)


def _of_organizations() -> ModuleType:
    from rsspot.compatibility import organization_group

    return organization_group


def _released() -> ModuleType:
    from rsspot.compatibility import groups

    return groups


def _organizations() -> ModuleType:
    from rsspot.services.organizations import api

    return api


def _events() -> ModuleType:
    from rsspot.services.events import api

    return api


class AsyncGroups:
    """`await client.regions.list()`."""

    organizations: Group[Organizations] = Group(lambda client: _organizations().Organizations(client.session))
    regions = Group[Collection[Region]](lambda client: collection_of(client, REGION))
    server_classes: Group[ServerClassGroup] = Group(
        lambda client: _released().ServerClassGroup(client.documents(SERVER_CLASS), SERVER_CLASS)
    )
    pricing: Group[PricingGroup] = Group(
        lambda client: _released().PricingGroup(client.documents(SERVER_CLASS), client.documents(REGION), client.feeds)
    )
    cloudspaces: Group[CloudSpaceGroup] = Group(
        lambda client: _released().CloudSpaceGroup(client.documents(CLOUD_SPACE), CLOUD_SPACE)
    )
    spot_nodepools = of_kind(SPOT_NODE_POOL)
    ondemand_nodepools = of_kind(ON_DEMAND_NODE_POOL)
    autopilot_nodepools = of_kind(AUTOPILOT_NODE_POOL)
    vm_cloudspaces = of_kind(VM_CLOUD_SPACE)
    vm_pools = of_kind(VM_POOL)
    vm_ssh_keys = of_kind(VM_SSH_KEY)
    inventory: Group[InventoryGroup] = Group(
        lambda client: _released().InventoryGroup(
            (client.documents(CLOUD_SPACE), client.documents(VM_CLOUD_SPACE)), client.vm_cloudspaces, client.vm_pools
        )
    )
    events: Group[Events] = Group(lambda client: _events().Events(client.session))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            kind = None if name.startswith("_") else kind_of_group(name)
            if kind is None:
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
            return group_of(self, kind) if kind.namespaced else collection_of(self, kind)


class SyncGroups:
    """`client.regions.list()`, and `await client.aregions.list()` on the same object."""

    organizations: Twin[BlockingOrganizations] = Twin(
        lambda group, name: _organizations().BlockingOrganizations(group, name)
    )
    regions = Twin[BlockingCollection[Region]](BlockingCollection)
    server_classes: Twin[BlockingServerClassGroup] = Twin(
        lambda group, name: _released().BlockingServerClassGroup(group, name)
    )
    pricing: Twin[BlockingPricingGroup] = _twin(_released, "BlockingPricingGroup")
    cloudspaces: Twin[BlockingCloudSpaceGroup] = Twin(
        lambda group, name: _released().BlockingCloudSpaceGroup(group, name)
    )
    spot_nodepools = twin_of_kind(SPOT_NODE_POOL)
    ondemand_nodepools = twin_of_kind(ON_DEMAND_NODE_POOL)
    autopilot_nodepools = twin_of_kind(AUTOPILOT_NODE_POOL)
    vm_cloudspaces = twin_of_kind(VM_CLOUD_SPACE)
    vm_pools = twin_of_kind(VM_POOL)
    vm_ssh_keys = twin_of_kind(VM_SSH_KEY)
    inventory: Twin[BlockingInventoryGroup] = _twin(_released, "BlockingInventoryGroup")
    events: Twin[BlockingEvents] = _twin(_events, "BlockingEvents")

    aorganizations = of_inner(AsyncGroups.organizations)
    aregions = of_inner(AsyncGroups.regions)
    aserver_classes = of_inner(AsyncGroups.server_classes)
    apricing = of_inner(AsyncGroups.pricing)
    acloudspaces = of_inner(AsyncGroups.cloudspaces)
    aspot_nodepools = of_inner(AsyncGroups.spot_nodepools)
    aondemand_nodepools = of_inner(AsyncGroups.ondemand_nodepools)
    aautopilot_nodepools = of_inner(AsyncGroups.autopilot_nodepools)
    avm_cloudspaces = of_inner(AsyncGroups.vm_cloudspaces)
    avm_pools = of_inner(AsyncGroups.vm_pools)
    avm_ssh_keys = of_inner(AsyncGroups.vm_ssh_keys)
    ainventory = of_inner(AsyncGroups.inventory)
    aevents = of_inner(AsyncGroups.events)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if not name.startswith("_"):
                if (kind := kind_of_group(name)) is not None:
                    return BlockingCollection(self._aio.collection(kind), f"a{name}")
                if name.startswith("a") and (kind := kind_of_group(name[1:])) is not None:
                    return self._aio.collection(kind)
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
