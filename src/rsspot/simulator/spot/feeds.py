"""The public price feeds: percentiles, history and comparable prices. They need no authentication.

Past prices are computed from the going rate, also for times before the world began. Other clouds' prices are invented.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rsspot.simulator.apiserver.messages import Response
from rsspot.simulator.apiserver.store import Object
from rsspot.simulator.rng import draw
from rsspot.simulator.spot.auction import PERIOD, going_rate

if TYPE_CHECKING:
    from rsspot.simulator.spot.protocol import SpotWorld

WINDOW = 720
"""Number of past periods in the feeds: thirty days of hours."""
PERCENTILES = (20, 50, 80)
LIKE = (("aws", "m7i"), ("azure", "D"), ("gcp", "n2-standard"))
"""Other clouds, and the name prefix of their comparable class."""


def percentiles_feed(world: SpotWorld) -> Response:
    """GET /percentiles.json: market prices are strings and percentiles are floats, as on the service."""
    regions: dict[str, Any] = {}
    for region in world.store.objects("regions"):
        classes = _classes_in(world, region["metadata"]["name"])
        shown = {each["metadata"]["name"]: _figures(world, region, each) for each in classes}
        regions[region["metadata"]["name"]] = {"generation": region["spec"]["generation"], "serverclasses": shown}
    return Response.of_json(200, {"regions": regions})


def history_feed(world: SpotWorld, name: str) -> Response:
    """GET /history/{server_class}: billed prices, oldest first."""
    server_class = world.store.get("serverclasses", "", name)
    if server_class is None:
        message = f"unknown server class {name}"
        return Response.of_json(400, {"error": "bad_request", "error_description": message})
    minimum, last = Decimal(server_class["spec"].get("minBidPricePerHour") or "0"), _period(world)
    history = [
        {"run_at": int((last - WINDOW + 1 + index) * PERIOD), "hammer_price": float(max(rate, minimum))}
        for index, rate in enumerate(_rates_of(world, name))
    ]
    return Response.of_json(200, {"auction": name, "history": history})


def comparables_feed(world: SpotWorld) -> Response:
    """GET /comparable_prices.json: unlike in the other feeds, prices have a dollar sign."""
    names = [region["metadata"]["name"] for region in world.store.objects("regions")]
    regions = {
        name: {each["metadata"]["name"]: _comparison(world.seed, each) for each in _classes_in(world, name)}
        for name in names
    }
    return Response.of_json(200, {"regions": regions})


def _classes_in(world: SpotWorld, region: str) -> list[Object]:
    return [each for each in world.store.objects("serverclasses") if each["spec"]["region"] == region]


def _figures(world: SpotWorld, region: Object, server_class: Object) -> dict[str, Any]:
    name, spec = server_class["metadata"]["name"], server_class["spec"]
    rates = sorted(_rates_of(world, name))
    return {
        "display_name": spec["displayName"],
        "category": spec["category"],
        "description": region["spec"]["description"],
        "cpu": spec["resources"]["cpu"],
        "memory": spec["resources"]["memory"],
        "market_price": server_class["status"]["spotPricing"]["marketPricePerHour"],
        **{f"{percent}_percentile": _percentile(rates, percent) for percent in PERCENTILES},
    }


def _percentile(rates: list[Decimal], percent: int) -> float:
    """The nearest-rank percentile plus 0.001, with the rounding error of float addition: 0.051000000000000004."""
    rank = int((Decimal(len(rates) * percent) / 100).to_integral_value(ROUND_CEILING))
    return float(rates[rank - 1]) + 0.001


def _period(world: SpotWorld) -> int:
    return int(world.now // PERIOD)


def _rates_of(world: SpotWorld, name: str) -> tuple[Decimal, ...]:
    return _rates(world.seed, name, world.prices[name], _period(world), world.rules.prices)


@lru_cache(maxsize=512)
def _rates(seed: int, name: str, recorded: Decimal, last: int, prices: str) -> tuple[Decimal, ...]:
    """The going rate in each period of the window, oldest first."""
    periods = range(last - WINDOW + 1, last + 1)
    return tuple(going_rate(seed, name, recorded, period * PERIOD, prices) for period in periods)


def _comparison(seed: int, server_class: Object) -> dict[str, Any]:
    spec, name = server_class["spec"], server_class["metadata"]["name"]
    usual, cpus = Decimal(spec["onDemandPricing"]["cost"]), spec["resources"]["cpu"]
    prices = [_mills(usual * Decimal(0.8 + 0.4 * draw(seed, "elsewhere", cloud, name))) for cloud, _ in LIKE]
    average = _mills(sum(prices, Decimal(0)) / len(prices))
    comparables = [
        {"cloud": cloud, "class": f"{prefix}-{cpus}", "price": f"${price}"}
        for (cloud, prefix), price in zip(LIKE, prices, strict=True)
    ]
    return {"hyperscaler_average_price": f"${average}", "comparables": comparables}


def _mills(price: Decimal) -> Decimal:
    return price.quantize(Decimal("0.001"))
