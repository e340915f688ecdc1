"""What servers cost, shared by every kind that has them: won at auction, or rented at a fixed price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rsspot.models.bids import price_at
from rsspot.models.costs import Cost, Rates, unknown_cost
from rsspot.utils.serialization import Document, at_path


@dataclass(frozen=True)
class Servers:
    """How many servers an object has: at least, at the moment, and at most. None: it does not say."""

    least: int | None
    now: int | None
    most: int | None

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Servers:
        """`desired`, or while autoscaling is on all numbers that it may become."""
        desired = at_path(spec, ("desired",))
        if not at_path(spec, ("autoscaling", "enabled")):
            return cls(desired, desired, desired)
        least, most = at_path(spec, ("autoscaling", "minNodes")), at_path(spec, ("autoscaling", "maxNodes"))
        return cls(least, desired or least, most)


def won_at_auction(spec: Document, rates: Rates) -> Cost:
    """Servers that are billed at the market price, never under the minimum of the class and never above the bid."""
    name, bid, servers = spec.get("serverClass"), price_at(spec, ("bidPrice",)), Servers.of(spec)
    prices = rates.of(name)
    floor, expected = _at_most(bid, prices.billed), _at_most(bid, prices.usual)
    reasons = (
        (rates.why_none(name, "market price"), floor is None),
        (rates.unread or f"{name}: {prices.unrecorded}", expected is None),
        (f"{name}: a bid is missing", bid is None),
        (f"{name}: a number of servers is open", None in (servers.least, servers.now, servers.most)),
    )
    return Cost(
        _times(floor, servers.least),
        _times(expected, servers.now),
        _times(bid, servers.most),
        unknown=tuple(dict.fromkeys(reason for reason, holds in reasons if holds)),
    )


def rented(spec: Document, rates: Rates) -> Cost:
    """Servers that are billed at the on-demand price of their class."""
    name = spec.get("serverClass")
    price = rates.of(name).on_demand
    if price is None:
        return unknown_cost(rates.why_none(name, "on-demand price"))
    hourly = _times(price, spec.get("desired"))
    return Cost(hourly, hourly, hourly)


def budgeted(spec: Document, rates: Rates) -> Cost:
    """Servers that the service buys up to a budget: it counts in full, since nobody can tell what is left of it."""
    budget = price_at(spec, ("budgetPerHour",))
    return Cost(budget, budget, budget, unknown=() if budget is not None else ("there is no budget",))


def fee_if(billed: object, name: str, rates: Rates) -> Cost:
    """What is billed by the month, if it is."""
    if not billed:
        return Cost()
    fee = rates.fees.get(name)
    return Cost(fixed={name: fee}, unknown=() if fee is not None else (f"no price of {name} is on record",))


def _at_most(bid: Decimal | None, price: Decimal | None) -> Decimal | None:
    return price if bid is None or price is None else min(bid, price)


def _times(price: Decimal | None, count: int | None) -> Decimal | None:
    return None if price is None or count is None else price * count
