"""Regions by the names of rsspot 0.3, see `compatibility.models`. Ours are in `services`."""

from rsspot.compatibility.models import (
    RegionItem,
    RegionsListResponse,
    RegionSpec,
    RegionSummary,
)

__all__ = [
    "RegionItem",
    "RegionSpec",
    "RegionSummary",
    "RegionsListResponse",
]
