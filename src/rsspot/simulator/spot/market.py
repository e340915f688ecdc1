"""The auction: one price for each class, and who wins how many servers at it.

Pure; everything random comes from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from rsspot.simulator.chance import draw

PERIOD = 3600.0
"""Seconds between price moves."""
CALM = 0.92
"""Share of periods in which a price stays where it was recorded."""
MOVES = (Decimal("0.5"), Decimal("1.5"), Decimal(2), Decimal(3))


@dataclass(frozen=True)
class Bid:
    """What one pool offers for how many servers."""

    pool: str
    price: Decimal
    desired: int


@dataclass(frozen=True)
class Auction:
    """price: what all winners pay · won: servers by pool."""

    price: Decimal
    won: dict[str, int]


def going_rate(seed: int, server_class: str, recorded: Decimal, now: float) -> Decimal:
    """What others pay for a class at a time: mostly the recorded price, now and then another."""
    period = int(now // PERIOD)
    if draw(seed, "calm", server_class, period) < CALM:
        return recorded
    move = MOVES[int(draw(seed, "move", server_class, period) * len(MOVES))]
    return max(Decimal("0.001"), (recorded * move).quantize(Decimal("0.001")))


def run_auction(rate: Decimal, capacity: int, bids: list[Bid]) -> Auction:
    """Give servers to the highest bids at or above the going rate; when they run out, the cut-off is the price."""
    left, won, price = capacity, {}, rate
    for bid in sorted(bids, key=lambda bid: (-bid.price, bid.pool)):
        won[bid.pool] = min(bid.desired, left) if bid.price >= rate else 0
        left -= won[bid.pool]
        if bid.price >= rate and won[bid.pool] < bid.desired:
            price = max(price, bid.price)
    return Auction(price, won)
