"""Cloudspaces by the names of rsspot 0.3, see `compatibility.models`. Ours are in `services`."""

from rsspot.compatibility.models import (
    AssignedServer,
    CloudspaceCreateSpec,
    CloudspaceItem,
    CloudspaceListResponse,
    CloudspaceSpec,
    CloudspaceStatus,
    KubeconfigData,
    KubeconfigResponse,
    VMCloudSpaceItem,
    VMCloudSpaceListResponse,
    VMCloudSpaceSpec,
    VMCloudSpaceStatus,
)

__all__ = [
    "AssignedServer",
    "CloudspaceCreateSpec",
    "CloudspaceItem",
    "CloudspaceListResponse",
    "CloudspaceSpec",
    "CloudspaceStatus",
    "KubeconfigData",
    "KubeconfigResponse",
    "VMCloudSpaceItem",
    "VMCloudSpaceListResponse",
    "VMCloudSpaceSpec",
    "VMCloudSpaceStatus",
]
