"""Which bids the service accepts: the market price, the class's minimum and the price steps. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal

CENT = Decimal("0.01")
LARGEST = Decimal(10**6)
FAILED = "BidPrice validation failed: "


def objections(text: str, market: Decimal, minimum: str, rules: str) -> Iterator[str]:
    """The service's objections to a bid, verbatim. rules: one of switches.BID_RULES"""
    bid = Decimal(text)
    if not minimum:
        problem = "failed to parse serverclass min bid price while validating bid price: "
        yield f'{FAILED}{problem}strconv.ParseFloat: parsing "": invalid syntax'
    elif bid < market:
        yield f"{FAILED}BidPrice must be greater than or equal to the market price of {market:.6f}, but got {bid:.6f}"
    elif bid < Decimal(minimum):
        floor = f"the minimum bid price of {Decimal(minimum):.6f}"
        yield f"{FAILED}BidPrice must be greater than or equal to {floor}, but got {bid:.6f}"
    elif rules == "ladder" and not on_ladder(bid):
        yield f"bid price {text} is not on the bid ladder"
    elif rules == "2026-05" and bid > Decimal("0.05") and bid % CENT:
        yield f"{FAILED}BidPrice must be a multiple of 0.01 when greater than 0.05, but got {bid:.6f}"
    elif rules == "2026-01" and bid % Decimal("0.005"):
        yield f"{FAILED}BidPrice must be a multiple of 0.005, but got {bid:.6f}"


def on_ladder(bid: Decimal) -> bool:
    """Whether a bid is on the ladder of allowed prices, all in whole cents.

    Every cent below 0.04, every second from 0.04, every third from 0.10, every fifth from 0.22.
    """
    if not CENT <= bid < LARGEST or bid != bid.quantize(CENT):
        return False
    cents = int(bid * 100)
    bands = ((4, 1, 1), (10, 4, 2), (22, 10, 3))
    for below, start, step in bands:
        if cents < below:
            return (cents - start) % step == 0
    return (cents - 22) % 5 == 0


def next_rung(price: Decimal) -> Decimal:
    """The lowest bid on the ladder that is at least `price`."""
    bid = max(price, CENT).quantize(CENT, ROUND_CEILING)
    while not on_ladder(bid):
        bid += CENT
    return bid
