"""Which bids the service takes: minimum, market and the granularity in force, as versioned rule sets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import ROUND_CEILING, Decimal

from rsspot.models.money import parse_price
from rsspot.utils.serialization import Document, at_path

MILL = Decimal("0.001")
"""The smallest step of any rule set."""
CENT = Decimal("0.01")
EVEN = Decimal("0.22")
"""The rung from which on all distances are the same."""


def ladder_above(price: Decimal) -> Decimal:
    """The smallest rung at or above a price: whole cents whose distance grows with the price."""
    if price > EVEN:
        return EVEN + _multiple(price - EVEN, Decimal("0.05"))
    rung = CENT
    while rung < price:
        rung += _step(rung)
    return rung


def _step(rung: Decimal) -> Decimal:
    for limit, step in ((Decimal("0.04"), "0.01"), (Decimal("0.10"), "0.02"), (Decimal("0.20"), "0.03")):
        if rung < limit:
            return Decimal(step)
    return Decimal("0.05")


def cents_above_five(price: Decimal) -> Decimal:
    """Any three decimals up to 0.05, whole cents above."""
    return _multiple(price, MILL if price <= Decimal("0.05") else CENT)


def _multiple(price: Decimal, step: Decimal) -> Decimal:
    return (price / step).to_integral_value(ROUND_CEILING) * step


RULES: dict[str, Callable[[Decimal], Decimal]] = {
    "2024": lambda price: _multiple(price, MILL),
    "2026-01": lambda price: _multiple(price, Decimal("0.005")),
    "2026-05": cents_above_five,
    "ladder": ladder_above,
}
"""Rule set -> the smallest bid it allows at or above a price."""
CURRENT = "ladder"


def price_at(document: Document, path: Iterable[str]) -> Decimal | None:
    """A price in a document; None for one that is empty, where a class has none, or cannot be read."""
    value = at_path(document, path)
    try:
        return None if value in (None, "", "$") else parse_price(value)
    except ValueError:
        return None


def objection(bid: Decimal, minimum: Decimal | None, market: Decimal | None, rules: str = CURRENT) -> str | None:
    """Why a bid would be refused, naming the next one that would not; None when it is good."""
    if minimum is None:
        return "the class takes no bids: it has no minimum price"
    floor = max(minimum, market or minimum, bid)
    good = RULES[rules](floor)
    if market is not None and bid < market:
        return f"a bid of {bid} is under the market price of {market}; the next valid bid is {good}"
    if bid < minimum:
        return f"a bid of {bid} is under the class minimum of {minimum}; the next valid bid is {good}"
    if good != bid:
        return f"a bid of {bid} is not on the bid ladder; the next valid bid is {good}"
    return None


def suggestion(minimum: Decimal, market: Decimal | None, rules: str = CURRENT) -> Decimal:
    """A bid for somebody who has none in mind: the one above the lowest, since the lowest loses at the next rise.

    What is billed is the market price, so the room above it costs nothing as long as it is not needed.
    """
    lowest = RULES[rules](max(minimum, market or minimum))
    return RULES[rules](lowest + MILL)
