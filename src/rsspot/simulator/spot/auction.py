"""The auction: the going rate of a class at a time, and how many servers each bid wins at what price.

Pure functions; all randomness comes from the seed.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files

from rsspot.simulator.rng import draw

PERIOD = 3600.0
"""Seconds between price changes."""
CALM = 0.92
"""Share of periods in which a price equals the recorded one."""
MOVES = (Decimal("0.5"), Decimal("1.5"), Decimal(2), Decimal(3))
WEEK = 7 * 86400.0
RECORDING_BEGAN = datetime(2026, 5, 26, tzinfo=UTC).timestamp()


@dataclass(frozen=True)
class Bid:
    """One pool's bid: a price per server, for `desired` servers."""

    pool: str
    price: Decimal
    desired: int


@dataclass(frozen=True)
class Auction:
    """The result of an auction. price: what every winner pays · won: servers by pool"""

    price: Decimal
    won: dict[str, int]


def going_rate(seed: int, server_class: str, recorded: Decimal, now: float, prices: str = "walk") -> Decimal:
    """The price that other bidders pay for a class at a time. prices: one of switches.PRICES"""
    if prices == "recorded":
        return _replayed(server_class, recorded, now)
    period = int(now // PERIOD)
    if draw(seed, "calm", server_class, period) < CALM:
        return recorded
    move = MOVES[int(draw(seed, "move", server_class, period) * len(MOVES))]
    return max(Decimal("0.001"), (recorded * move).quantize(Decimal("0.001")))


def _replayed(server_class: str, recorded: Decimal, now: float) -> Decimal:
    """The recorded price of the week; after the last recorded week the series repeats."""
    weeks = _series().get(server_class)
    return weeks[int((now - RECORDING_BEGAN) // WEEK) % len(weeks)] if weeks else recorded


@cache
def _series() -> dict[str, list[Decimal]]:
    """Weekly prices of the classes with a complete recorded series; most others never changed."""
    with (files("rsspot.simulator.spot") / "series.csv").open(encoding="utf-8") as lines:
        rows = list(csv.reader(lines))[1:]
    return {name: [Decimal(price) for price in prices] for name, *prices in rows}


def run_auction(rate: Decimal, capacity: int, bids: list[Bid]) -> Auction:
    """Award servers to the highest bids at or above the going rate.

    All winners pay the going rate, or the highest bid that was not served in full if servers ran out.
    """
    left, won, price = capacity, {}, rate
    for bid in sorted(bids, key=lambda bid: (-bid.price, bid.pool)):
        won[bid.pool] = min(bid.desired, left) if bid.price >= rate else 0
        left -= won[bid.pool]
        if bid.price >= rate and won[bid.pool] < bid.desired:
            price = max(price, bid.price)
    return Auction(price, won)
