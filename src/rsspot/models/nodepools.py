"""Node pools by the names of rsspot 0.3, see `compatibility.models`. Ours are in `services`."""

from rsspot.compatibility.models import (
    Autoscaling,
    NodePoolSummary,
    OnDemandNodePoolItem,
    OnDemandNodePoolListResponse,
    OnDemandNodePoolSpec,
    OnDemandNodePoolStatus,
    OnDemandNodePoolUpsert,
    SpotNodePoolItem,
    SpotNodePoolListResponse,
    SpotNodePoolSpec,
    SpotNodePoolStatus,
    SpotNodePoolUpsert,
)

__all__ = [
    "Autoscaling",
    "NodePoolSummary",
    "OnDemandNodePoolItem",
    "OnDemandNodePoolListResponse",
    "OnDemandNodePoolSpec",
    "OnDemandNodePoolStatus",
    "OnDemandNodePoolUpsert",
    "SpotNodePoolItem",
    "SpotNodePoolListResponse",
    "SpotNodePoolSpec",
    "SpotNodePoolStatus",
    "SpotNodePoolUpsert",
]
