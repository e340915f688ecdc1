"""Types that all kinds share: resources and their metadata, field facts, prices. Its names are those of rsspot 0.3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rsspot.utils.late_names import late_names

if TYPE_CHECKING:
    from rsspot.compatibility.models import (
        CloudspaceCreateSpec,
        CloudspaceItem,
        CloudspaceListResponse,
        KubeconfigResponse,
        OnDemandNodePoolItem,
        OnDemandNodePoolListResponse,
        OnDemandNodePoolUpsert,
        Organization,
        OrganizationEventsResponse,
        OrganizationsResponse,
        PriceDetails,
        PriceDetailsList,
        RegionsListResponse,
        RegionSummary,
        ServerClassItem,
        ServerClassListResponse,
        ServerClassSummary,
        SpotNodePoolItem,
        SpotNodePoolListResponse,
        SpotNodePoolUpsert,
        VMCloudSpaceListResponse,
    )

__all__ = [
    "CloudspaceCreateSpec",
    "CloudspaceItem",
    "CloudspaceListResponse",
    "KubeconfigResponse",
    "OnDemandNodePoolItem",
    "OnDemandNodePoolListResponse",
    "OnDemandNodePoolUpsert",
    "Organization",
    "OrganizationEventsResponse",
    "OrganizationsResponse",
    "PriceDetails",
    "PriceDetailsList",
    "RegionSummary",
    "RegionsListResponse",
    "ServerClassItem",
    "ServerClassListResponse",
    "ServerClassSummary",
    "SpotNodePoolItem",
    "SpotNodePoolListResponse",
    "SpotNodePoolUpsert",
    "VMCloudSpaceListResponse",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "CloudspaceCreateSpec": "rsspot.compatibility.models:CloudspaceCreateSpec",
            "CloudspaceItem": "rsspot.compatibility.models:CloudspaceItem",
            "CloudspaceListResponse": "rsspot.compatibility.models:CloudspaceListResponse",
            "KubeconfigResponse": "rsspot.compatibility.models:KubeconfigResponse",
            "OnDemandNodePoolItem": "rsspot.compatibility.models:OnDemandNodePoolItem",
            "OnDemandNodePoolListResponse": "rsspot.compatibility.models:OnDemandNodePoolListResponse",
            "OnDemandNodePoolUpsert": "rsspot.compatibility.models:OnDemandNodePoolUpsert",
            "Organization": "rsspot.compatibility.models:Organization",
            "OrganizationEventsResponse": "rsspot.compatibility.models:OrganizationEventsResponse",
            "OrganizationsResponse": "rsspot.compatibility.models:OrganizationsResponse",
            "PriceDetails": "rsspot.compatibility.models:PriceDetails",
            "PriceDetailsList": "rsspot.compatibility.models:PriceDetailsList",
            "RegionSummary": "rsspot.compatibility.models:RegionSummary",
            "RegionsListResponse": "rsspot.compatibility.models:RegionsListResponse",
            "ServerClassItem": "rsspot.compatibility.models:ServerClassItem",
            "ServerClassListResponse": "rsspot.compatibility.models:ServerClassListResponse",
            "ServerClassSummary": "rsspot.compatibility.models:ServerClassSummary",
            "SpotNodePoolItem": "rsspot.compatibility.models:SpotNodePoolItem",
            "SpotNodePoolListResponse": "rsspot.compatibility.models:SpotNodePoolListResponse",
            "SpotNodePoolUpsert": "rsspot.compatibility.models:SpotNodePoolUpsert",
            "VMCloudSpaceListResponse": "rsspot.compatibility.models:VMCloudSpaceListResponse",
        },
    )
