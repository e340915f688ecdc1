"""Costs: what objects cost, as exact sums, and the prices that they are worked out from. Values only; reads nothing.

An unknown amount is None and stays None in every sum it is part of: it never counts as zero.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from rsspot.utils.serialization import Document

MONTH = 730
"""Hours of a month."""
HA_CONTROL_PLANE = "haControlPlane"
LOAD_BALANCERS = "loadBalancers"
"""Names of what is billed by the month."""
ZERO = Decimal(0)
NO_HISTORY = "no past prices were read"


class Measure(StrEnum):
    """Which of the three amounts of a cost."""

    FLOOR = "floor"
    EXPECTED = "expected"
    CEILING = "ceiling"


@dataclass(frozen=True)
class Cost:
    """floor, expected, ceiling: dollars an hour · fixed: what is billed by the month -> dollars a month.

    unknown: why amounts are None
    """

    floor: Decimal | None = ZERO
    expected: Decimal | None = ZERO
    ceiling: Decimal | None = ZERO
    fixed: Mapping[str, Decimal | None] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    def __add__(self, other: Cost) -> Cost:
        return total((self, other))

    @property
    def fixed_per_month(self) -> Decimal | None:
        """All that is billed by the month."""
        return _sum(*self.fixed.values())

    def per_hour(self, measure: Measure) -> Decimal | None:
        """What is billed by the hour."""
        amount: Decimal | None = getattr(self, measure.value)
        return amount

    def per_month(self, measure: Measure) -> Decimal | None:
        """All of it in a month of 730 hours."""
        hourly = self.per_hour(measure)
        return None if hourly is None else _sum(hourly * MONTH, self.fixed_per_month)


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of costs."""
    each = tuple(costs)
    names = sorted({name for cost in each for name in cost.fixed})
    return Cost(
        _sum(*(cost.floor for cost in each)),
        _sum(*(cost.expected for cost in each)),
        _sum(*(cost.ceiling for cost in each)),
        {name: _sum(*(cost.fixed.get(name, ZERO) for cost in each)) for name in names},
        tuple(dict.fromkeys(reason for cost in each for reason in cost.unknown)),
    )


def unknown_cost(reason: str) -> Cost:
    """The cost of what nothing is known about."""
    return Cost(None, None, None, unknown=(reason,))


def _sum(*amounts: Decimal | None) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, ZERO) if len(known) == len(amounts) else None


@dataclass(frozen=True)
class ClassPrices:
    """The prices of one server of a class, in dollars an hour. None: not on record.

    market: the last auction's price · minimum: the lowest bid accepted · on_demand: the price without an auction
    recorded: the highest price of each recorded hour, oldest first · unrecorded: why there are none
    """

    market: Decimal | None = None
    minimum: Decimal | None = None
    on_demand: Decimal | None = None
    recorded: tuple[Decimal, ...] = ()
    unrecorded: str = NO_HISTORY

    @property
    def billed(self) -> Decimal | None:
        """What winners pay at the moment: the market price, and never less than the minimum."""
        known = [price for price in (self.market, self.minimum) if price is not None]
        return max(known, default=None)

    def percentile(self, percent: int) -> Decimal | None:
        """The price that was not exceeded in this share of the recorded hours, by nearest rank."""
        rank = -(-len(self._sorted) * percent // 100)
        return self._sorted[max(rank, 1) - 1] if self._sorted else None

    @property
    def usual(self) -> Decimal | None:
        """What winners paid in the middle hour on record, and never less than the minimum."""
        middle = self.percentile(50)
        return None if middle is None else max(middle, self.minimum or middle)

    def hours_lost(self, bid: Decimal) -> int:
        """In how many of the recorded hours the price rose above a bid."""
        return len(self._sorted) - bisect_right(self._sorted, bid)

    def bid_for(self, risk: Decimal) -> Decimal | None:
        """The lowest price that at most this share of the recorded hours exceeded; None if nothing is recorded."""
        allowed = int(risk * len(self._sorted))
        return self._sorted[max(len(self._sorted) - 1 - allowed, 0)] if self._sorted else None

    @cached_property
    def _sorted(self) -> list[Decimal]:
        return sorted(self.recorded)


@dataclass(frozen=True)
class Rates:
    """Prices at one moment. classes: by name · fees: what is billed by the month -> dollars a month, as on record.

    unread: why there are no prices of classes
    """

    classes: Mapping[str, ClassPrices] = field(default_factory=dict)
    fees: Mapping[str, Decimal] = field(default_factory=dict)
    unread: str | None = None

    def of(self, server_class: object) -> ClassPrices:
        """The prices of a class; one without any for a class that is not known."""
        return self.classes.get(str(server_class), ClassPrices())

    def why_none(self, server_class: object, price: str) -> str:
        """Why a price of a class is not known."""
        return self.unread or f"{server_class} has no {price}"


Costing = Callable[[Document, Rates], Cost]
"""What an object of a kind costs: (its spec, prices) -> cost."""
