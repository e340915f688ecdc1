"""Where a bid stands: the words shared by every kind whose servers are won. Knows none of those kinds."""

from __future__ import annotations

from rsspot.models.fields import BidOn
from rsspot.resources.kind import Phase, Readiness

BID = BidOn(
    of=("serverClass",),
    minimum=("spec", "minBidPricePerHour"),
    market=("status", "spotPricing", "marketPricePerHour"),
)
"""A bid for one server of the class that the spec names."""


def auction_readiness(won: int, desired: int, bid_status: str | None) -> Readiness:
    """Where a bid for `desired` servers stands."""
    note = f"won {won} of {desired}"
    if won >= desired:
        return Readiness(Phase.READY, note)
    if bid_status == "Lost":
        return Readiness(Phase.OUTBID, f"{note}: the market is above the bid")
    return Readiness(Phase.PARTIAL if won else Phase.PROGRESSING, note)
