"""Prices as values, in dollars per hour, exact. The feeds' strings, floats and dollar signs end here."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from rsspot.models.money import parse_price
from rsspot.utils.serialization import Document, at_path

PLACES = Decimal("0.000001")
"""What a feed's number is exact to; the rest is noise of its floating point."""


@dataclass(frozen=True)
class Quote:
    """What one server of a class costs now. None where the service does not say.

    minimum: no bid under it is taken; a class without one takes no bids · market: the clearing price
    hammer: what winners are billed · on_demand: the price without an auction · available: servers free right now
    """

    server_class: str
    region: str
    category: str | None
    cpu: str | None
    memory: str | None
    minimum: Decimal | None
    market: Decimal | None
    hammer: Decimal | None
    on_demand: Decimal | None
    available: int | None


@dataclass(frozen=True)
class Percentiles:
    """How a class's price was spread over the last weeks: so many percent of the time it was below."""

    server_class: str
    region: str
    market: Decimal | None
    p20: Decimal | None
    p50: Decimal | None
    p80: Decimal | None


@dataclass(frozen=True)
class PricePoint:
    """What winners of one auction paid. at: aware, in UTC."""

    at: datetime
    price: Decimal


@dataclass(frozen=True)
class Comparison:
    """A server of another cloud that is like one of ours. average: over all the clouds that were compared."""

    region: str
    server_class: str
    average: Decimal | None
    cloud: str
    like: str
    price: Decimal | None


def price(value: Any) -> Decimal | None:
    """A price in any spelling of the service: "0.010000", 0.051000000000000004, "$0.003", "" for none."""
    if value in (None, "", "$"):
        return None
    try:
        rounded: Decimal = parse_price(value).quantize(PLACES).normalize()
    except (ValueError, InvalidOperation):
        return None
    return rounded.quantize(Decimal(1)) if rounded == rounded.to_integral() else rounded


def quote(document: Document) -> Quote:
    """The prices in a ServerClass."""
    market = ("status", "spotPricing")
    return Quote(
        server_class=document["metadata"]["name"],
        region=at_path(document, ("spec", "region"), ""),
        category=at_path(document, ("spec", "category")),
        cpu=at_path(document, ("spec", "resources", "cpu")),
        memory=at_path(document, ("spec", "resources", "memory")),
        minimum=price(at_path(document, ("spec", "minBidPricePerHour"))),
        market=price(at_path(document, (*market, "marketPricePerHour"))),
        hammer=price(at_path(document, (*market, "hammerPricePerHour"))),
        on_demand=price(at_path(document, ("spec", "onDemandPricing", "cost"))),
        available=at_path(document, ("status", "available")),
    )


def percentiles(feed: Document) -> list[Percentiles]:
    """The feed of percentiles, by region and class."""
    return [
        Percentiles(
            server_class=name,
            region=region,
            market=price(at_path(found, ("market_price",))),
            p20=price(at_path(found, ("20_percentile",))),
            p50=price(at_path(found, ("50_percentile",))),
            p80=price(at_path(found, ("80_percentile",))),
        )
        for region, place in sorted(_mapping(feed, "regions").items())
        for name, found in sorted(_mapping(place, "serverclasses").items())
    ]


def history(feed: Document) -> list[PricePoint]:
    """The feed of one class's auctions, the oldest first. Points that cannot be read are left out."""
    points = []
    for each in feed.get("history") or []:
        paid, ran = price(at_path(each, ("hammer_price",))), at_path(each, ("run_at",))
        if paid is not None and isinstance(ran, int | float):
            with suppress(ValueError, OverflowError, OSError):
                points.append(PricePoint(datetime.fromtimestamp(ran, UTC), paid))
    return sorted(points, key=lambda point: point.at)


def comparisons(feed: Document) -> list[Comparison]:
    """The feed of like servers elsewhere, by region and class."""
    regions = _mapping(feed, "regions")
    return [
        Comparison(
            region=region,
            server_class=name,
            average=price(at_path(found, ("hyperscaler_average_price",))),
            cloud=str(at_path(like, ("cloud",), "")),
            like=str(at_path(like, ("class",), "")),
            price=price(at_path(like, ("price",))),
        )
        for region in sorted(regions)
        for name, found in sorted(_mapping(regions, region).items())
        for like in at_path(found, ("comparables",)) or []
    ]


def _mapping(document: Any, key: str) -> dict[str, Any]:
    found = at_path(document, (key,))
    return found if isinstance(found, dict) else {}
