"""Price records: exact Decimals in dollars per hour, parsed from the service's strings and floats."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from rsspot.models.money import dollars, parse_price
from rsspot.utils.serialization import Document, at_path

PLACES = Decimal("0.000001")
"""The precision of the feeds' numbers; further digits are floating-point noise."""


@dataclass(frozen=True)
class Quote:
    """The current prices of one server of a class, in dollars per hour. None: not given by the service.

    minimum: the lowest bid accepted; a class without one accepts no bids · market: the last auction's clearing price
    hammer: what winners are billed · on_demand: the price without an auction · available: servers currently free
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
    display_name: str | None = None

    @property
    def server_class_name(self) -> str:
        """`server_class`, by its name in rsspot 0.3."""
        return self.server_class

    @property
    def market_price(self) -> str | None:
        """`market` as text with a dollar sign, as in rsspot 0.3."""
        return dollars(self.market)


@dataclass(frozen=True)
class Percentiles:
    """Percentiles of a class's price over the last weeks: at p20, the price was lower 20 % of the time."""

    server_class: str
    region: str
    market: Decimal | None
    p20: Decimal | None
    p50: Decimal | None
    p80: Decimal | None


@dataclass(frozen=True)
class PricePoint:
    """What winners of one auction paid. at: timezone-aware, in UTC."""

    at: datetime
    price: Decimal


@dataclass(frozen=True)
class Comparison:
    """A comparable server in another cloud. like: its class there · average: over all clouds compared."""

    region: str
    server_class: str
    average: Decimal | None
    cloud: str
    like: str
    price: Decimal | None


def price(value: Any) -> Decimal | None:
    """A price in any form that the service uses: "0.010000", 0.051000000000000004, "$0.003", "" for none."""
    if value in (None, "", "$"):
        return None
    try:
        rounded: Decimal = parse_price(value).quantize(PLACES).normalize()
    except (ValueError, InvalidOperation):
        return None
    return rounded.quantize(Decimal(1)) if rounded == rounded.to_integral() else rounded


def quote(document: Document) -> Quote:
    """The prices of a ServerClass."""
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
        display_name=at_path(document, ("spec", "displayName")),
    )


def percentiles(feed: Document) -> list[Percentiles]:
    """The rows of the percentiles feed, sorted by region and class."""
    return [
        Percentiles(
            server_class=name,
            region=region,
            market=price(at_path(prices, ("market_price",))),
            p20=price(at_path(prices, ("20_percentile",))),
            p50=price(at_path(prices, ("50_percentile",))),
            p80=price(at_path(prices, ("80_percentile",))),
        )
        for region, classes in sorted(_mapping(feed, "regions").items())
        for name, prices in sorted(_mapping(classes, "serverclasses").items())
    ]


def history(feed: Document) -> list[PricePoint]:
    """The auctions in a class's history feed, oldest first. Unreadable entries are left out."""
    points = []
    for auction in feed.get("history") or []:
        paid, ran = price(at_path(auction, ("hammer_price",))), at_path(auction, ("run_at",))
        if paid is not None and isinstance(ran, int | float):
            with suppress(ValueError, OverflowError, OSError):
                points.append(PricePoint(datetime.fromtimestamp(ran, UTC), paid))
    return sorted(points, key=lambda point: point.at)


def comparisons(feed: Document) -> list[Comparison]:
    """The rows of the feed of comparable servers, sorted by region and class."""
    regions = _mapping(feed, "regions")
    return [
        Comparison(
            region=region,
            server_class=name,
            average=price(at_path(entry, ("hyperscaler_average_price",))),
            cloud=str(at_path(like, ("cloud",), "")),
            like=str(at_path(like, ("class",), "")),
            price=price(at_path(like, ("price",))),
        )
        for region in sorted(regions)
        for name, entry in sorted(_mapping(regions, region).items())
        for like in at_path(entry, ("comparables",)) or []
    ]


def _mapping(document: Any, key: str) -> dict[str, Any]:
    value = at_path(document, (key,))
    return value if isinstance(value, dict) else {}
