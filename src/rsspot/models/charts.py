"""What a chart of prices shows, as values. Draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class ChartBid:
    """A bid to compare prices with, in dollars an hour. whose: the address of an object, empty for nobody's"""

    price: Decimal
    whose: str = ""

    @property
    def name(self) -> str:
        """What it is called beside its line."""
        return f"bid of {self.whose}" if self.whose else "bid"


@dataclass(frozen=True)
class PriceChart:
    """Prices of one server over time, in dollars an hour: each holds until the next.

    points: (hours since the first, price), oldest first · begin, end: how the ends of the time axis are called
    """

    title: str
    points: Sequence[tuple[float, Decimal]]
    begin: str = ""
    end: str = ""
    bids: tuple[ChartBid, ...] = ()

    @property
    def span(self) -> float:
        """Hours from the first price to the last."""
        return self.points[-1][0] if self.points else 0.0

    @property
    def top(self) -> Decimal:
        """The highest price or bid; 1 if there is none."""
        amounts = [price for _, price in self.points] + [bid.price for bid in self.bids]
        return max(amounts, default=Decimal(0)) or Decimal(1)

    def sampled(self, count: int) -> list[Decimal]:
        """The highest price in each of so many equal parts of the time, oldest first. There must be a point."""
        part = self.span / count
        held, index, highest = self.points[0][1], 0, []
        for number in range(1, count + 1):
            most = held
            while index < len(self.points) and (self.points[index][0] < part * number or number == count):
                held = self.points[index][1]
                most = max(most, held)
                index += 1
            highest.append(most)
        return highest
