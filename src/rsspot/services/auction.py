"""Bids and their readiness, shared by every kind whose servers are won at auction."""

from __future__ import annotations

from rsspot.models.fields import BidOn, ServersOf
from rsspot.resources.kind import Phase, Readiness

BID = BidOn(
    of=("serverClass",),
    minimum=("spec", "minBidPricePerHour"),
    market=("status", "spotPricing", "marketPricePerHour"),
)
"""A bid price per server of the class that the spec names."""

SERVERS = ServersOf(of=("serverClass",), free=("status", "available"), all=("status", "capacity"))
"""A number of servers of the class that the spec names."""


def auction_readiness(won: int, desired: int, bid_status: str | None) -> Readiness:
    """The readiness of a bid for `desired` servers."""
    note = f"won {won} of {desired}"
    if won >= desired:
        return Readiness(Phase.READY, note)
    if bid_status == "Lost":
        return Readiness(Phase.OUTBID, f"{note}: the market price is above the bid")
    return Readiness(Phase.PARTIAL if won else Phase.PROGRESSING, note)
