"""The models of rsspot 0.3: each name leads to a model of ours, or to one of the few that only it has."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from rsspot.compatibility.specs import (
    AutoscalingSpec,
    CloudspaceCreateSpec,
    OnDemandNodePoolUpsert,
    SpotNodePoolUpsert,
)
from rsspot.models.resource import Metadata, Model, Page
from rsspot.services.cloudspaces.schemas import AssignedServer, CloudSpace, CloudSpaceSpec, CloudSpaceStatus
from rsspot.services.nodepools.schemas import (
    OnDemandNodePool,
    OnDemandNodePoolSpec,
    OnDemandNodePoolStatus,
    SpotNodePool,
    SpotNodePoolSpec,
    SpotNodePoolStatus,
)
from rsspot.services.organizations.schemas import Organization
from rsspot.services.pricing.schemas import Quote
from rsspot.services.regions.schemas import Region, RegionSpec
from rsspot.services.server_classes.schemas import (
    OnDemandPricing,
    ServerClass,
    ServerClassSpec,
    ServerClassStatus,
    ServerResources,
    SpotPricing,
)
from rsspot.services.vms.schemas import VMCloudSpace, VMCloudSpaceSpec, VMCloudSpaceStatus

__all__ = [
    "AssignedServer",
    "Autoscaling",
    "CloudspaceCreateSpec",
    "CloudspaceItem",
    "CloudspaceListResponse",
    "CloudspaceSpec",
    "CloudspaceStatus",
    "Condition",
    "KubeconfigData",
    "KubeconfigResponse",
    "Metadata",
    "NodePoolSummary",
    "OnDemandNodePoolItem",
    "OnDemandNodePoolListResponse",
    "OnDemandNodePoolSpec",
    "OnDemandNodePoolStatus",
    "OnDemandNodePoolUpsert",
    "Organization",
    "OrganizationEventsResponse",
    "OrganizationsResponse",
    "PriceDetails",
    "PriceDetailsList",
    "RegionItem",
    "RegionSpec",
    "RegionSummary",
    "RegionsListResponse",
    "ServerClassItem",
    "ServerClassListResponse",
    "ServerClassOnDemandPricing",
    "ServerClassResources",
    "ServerClassSpec",
    "ServerClassSpotPricing",
    "ServerClassStatus",
    "ServerClassSummary",
    "SpotModel",
    "SpotNodePoolItem",
    "SpotNodePoolListResponse",
    "SpotNodePoolSpec",
    "SpotNodePoolStatus",
    "SpotNodePoolUpsert",
    "VMCloudSpaceItem",
    "VMCloudSpaceListResponse",
    "VMCloudSpaceSpec",
    "VMCloudSpaceStatus",
]

SpotModel = Model
CloudspaceItem = CloudSpace
CloudspaceSpec = CloudSpaceSpec
CloudspaceStatus = CloudSpaceStatus
CloudspaceListResponse = Page[CloudSpace]
VMCloudSpaceItem = VMCloudSpace
VMCloudSpaceListResponse = Page[VMCloudSpace]
SpotNodePoolItem = SpotNodePool
SpotNodePoolListResponse = Page[SpotNodePool]
OnDemandNodePoolItem = OnDemandNodePool
OnDemandNodePoolListResponse = Page[OnDemandNodePool]
Autoscaling = AutoscalingSpec
RegionItem = Region
RegionSummary = Region
RegionsListResponse = Page[Region]
ServerClassItem = ServerClass
ServerClassSummary = ServerClass
ServerClassListResponse = Page[ServerClass]
ServerClassResources = ServerResources
ServerClassOnDemandPricing = OnDemandPricing
ServerClassSpotPricing = SpotPricing
PriceDetails = Quote


class _Plain(BaseModel):
    model_config = ConfigDict(extra="allow")


class Condition(_Plain):
    """A condition in a status."""

    type: str
    status: str


class OrganizationEventsResponse(_Plain):
    """What the events endpoint responds with. events: pairs of a time and a message, newest first."""

    org_id: str | None = None
    cloudspace_id: str | None = None
    type: str | None = None
    events: list[tuple[str, str]] = Field(default_factory=list)


class OrganizationsResponse(_Plain):
    """What the endpoint of organizations responds with."""

    organizations: list[Organization] = Field(default_factory=list)


class PriceDetailsList(_Plain):
    """Prices of server classes."""

    items: list[Quote] = Field(default_factory=list)


class KubeconfigData(_Plain):
    """The kubeconfig, as YAML text."""

    kubeconfig: str = Field(repr=False)


class KubeconfigResponse(_Plain):
    """What the endpoint of kubeconfigs responds with."""

    data: KubeconfigData


class NodePoolSummary(_Plain):
    """The main facts of a pool."""

    name: str
    cloudspace: str
    server_class: str
    desired: int
    status: str | None = None
    created_at: str | None = None
