"""Server classes by the names of rsspot 0.3, see `compatibility.models`. Ours are in `services`."""

from rsspot.compatibility.models import (
    ServerClassItem,
    ServerClassListResponse,
    ServerClassOnDemandPricing,
    ServerClassResources,
    ServerClassSpec,
    ServerClassSpotPricing,
    ServerClassStatus,
    ServerClassSummary,
)

__all__ = [
    "ServerClassItem",
    "ServerClassListResponse",
    "ServerClassOnDemandPricing",
    "ServerClassResources",
    "ServerClassSpec",
    "ServerClassSpotPricing",
    "ServerClassStatus",
    "ServerClassSummary",
]
