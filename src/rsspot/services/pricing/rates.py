"""The prices of server classes as `Rates`: what they are now, what they were hour by hour, and the fees on record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import TypeAlias

from rsspot.models.costs import HA_CONTROL_PLANE, LOAD_BALANCERS, NO_HISTORY, ClassPrices, Rates
from rsspot.services.pricing import schemas
from rsspot.services.pricing.schemas import PricePoint
from rsspot.utils.serialization import Document, at_path

FEES = {HA_CONTROL_PLANE: Decimal(40), LOAD_BALANCERS: Decimal(10)}
"""Dollars a month for each one, by the service's price list. The API does not say them."""
HOUR = 3600
WINDOW = 4 * 7 * 24
"""How many hours before the last auction on record are looked at: four weeks."""
AN_HOUR = (None, "", "1h", "1h0m0s")
"""How the interval of a price by the hour is written, as a Go duration."""

Past: TypeAlias = Sequence[PricePoint] | str
"""What winners paid, oldest first, or why that is not known."""


def rates_of(documents: Iterable[Document], past: Mapping[str, Past], *, unread: str | None = None) -> Rates:
    """The prices in ServerClasses and in price histories. unread: why there are no ServerClasses."""
    now = {each["metadata"]["name"]: _now(each) for each in documents}
    every = {name: _with_past(now.get(name, ClassPrices()), past.get(name, NO_HISTORY)) for name in {*now, *past}}
    return Rates(every, FEES, unread)


def _now(document: Document) -> ClassPrices:
    quote = schemas.quote(document)
    hourly = at_path(document, ("spec", "onDemandPricing", "interval")) in AN_HOUR
    return ClassPrices(quote.market, quote.minimum, quote.on_demand if hourly else None)


def _with_past(prices: ClassPrices, past: Past) -> ClassPrices:
    if isinstance(past, str):
        return replace(prices, unrecorded=past)
    return replace(prices, recorded=hourly(past), unrecorded="no past prices are on record")


def hourly(points: Sequence[PricePoint], hours: int = WINDOW) -> tuple[Decimal, ...]:
    """The highest price of each hour up to the last auction, oldest first. A price holds until the next auction."""
    if not points:
        return ()
    times = [int(point.at.timestamp()) for point in points]
    first = times[-1] // HOUR - hours + 1
    highest: dict[int, Decimal] = {}
    for (begin, end), point in zip(pairwise([*times, times[-1]]), points, strict=True):
        last = max(end - 1, begin) // HOUR
        for hour in range(max(begin // HOUR, first), last + 1):
            highest[hour] = max(highest.get(hour, point.price), point.price)
    return tuple(highest[hour] for hour in sorted(highest))
