"""CLI commands for prices."""

from __future__ import annotations

import builtins
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from rsspot.cli_history import SHOWN
from rsspot.commands import CommandOption, CommandResult, Commands, CommandSession
from rsspot.errors import UsageError
from rsspot.models.charts import ChartBid, PriceChart
from rsspot.models.money import parse_price, price_text
from rsspot.services.pricing import released
from rsspot.services.pricing.recommendation import FAMILIES, HOURS, CostLimits, Pool, Scenario
from rsspot.services.pricing.schemas import PricePoint, Quote
from rsspot.services.pricing.selection import Wanted, chosen, listed
from rsspot.utils.clock import stamp

if TYPE_CHECKING:
    from rsspot.services.pricing.api import Pricing

HOUR = 3600

commands = Commands["Pricing"](
    "pricing",
    plural="prices",
    address="serverclass/{server_class}",
    first=("server_class", "market", "minimum", "on_demand", "price"),
    extra=("hammer", "display_name"),
    whole=("serverClass", "bid", "hourly", "strategy", "nodes", "server_class", "market", "minimum", "on_demand"),
    options={
        "everywhere": CommandOption("Show all regions, not only the configured one."),
        "nodes": CommandOption("Number of servers.", min=1),
        "min_cpu": CommandOption("Least number of cores of a server.", min=0),
        "max_cpu": CommandOption("Greatest number of cores of a server.", min=0),
        "classes": CommandOption(
            "First part of the classes' names, such as gp,ch,mh. May be repeated.", names=("--classes", "--class")
        ),
        "regions": CommandOption("Regions, separated by commas. May be repeated."),
        "gen": CommandOption("Generation of virtual servers: 1 or 2.", min=1, max=2),
        "risk": CommandOption("How readily servers may be lost: low, med or high. Less risk means higher bids."),
        "balanced": CommandOption(
            "Spread the balanced way over several pools, or use one.", names=("--balanced/--single",)
        ),
        "min_hour": CommandOption("Least cost of all servers, in dollars per hour.", min=0),
        "max_hour": CommandOption("Greatest cost of all servers, in dollars per hour.", min=0),
        "min_month": CommandOption("Least cost of all servers, in dollars per month of 730 hours.", min=0),
        "plot": CommandOption("Draw the prices in the terminal."),
        "bid": CommandOption("Draw a line for this bid. May be repeated.", metavar="PRICE"),
        "max_month": CommandOption("Greatest cost of all servers, in dollars per month of 730 hours.", min=0),
    },
)


@commands.add
async def list(
    session: CommandSession[Pricing],
    everywhere: bool = False,
    nodes: Annotated[int, SHOWN] = 1,
    min_cpu: Annotated[int | None, SHOWN] = None,
    max_cpu: Annotated[int | None, SHOWN] = None,
    classes: Annotated[builtins.list[str], SHOWN] = [],  # noqa: B006
    gen: Annotated[int | None, SHOWN] = None,
) -> object:
    """List the current prices of server classes, cheapest first, in the configured region if there is one."""
    if min_cpu is not None and max_cpu is not None and min_cpu > max_cpu:
        raise UsageError("--min-cpu cannot be greater than --max-cpu")
    wanted = Wanted(classes=listed(classes), generation=gen, min_cpu=min_cpu, max_cpu=max_cpu)
    quotes = chosen(await session.api.list(region=_place(session, everywhere)), wanted)
    shown = [_shown(quote) | _for_nodes(quote, nodes) for quote in quotes]
    return CommandResult(shown, released={"nodes": nodes, "items": [released.quote(quote, nodes) for quote in quotes]})


@commands.add
async def get(session: CommandSession[Pricing], server_class: Annotated[str, SHOWN]) -> object:
    """Show the current prices of one server class."""
    quote = await session.api.get(server_class)
    return CommandResult(_shown(quote), released=released.details(quote))


@commands.add
async def build(
    session: CommandSession[Pricing],
    nodes: Annotated[int, SHOWN],
    gen: Annotated[int | None, SHOWN] = None,
    risk: Annotated[str, SHOWN] = "med",
    balanced: bool = False,
    regions: Annotated[builtins.list[str], SHOWN] = [],  # noqa: B006
    classes: Annotated[builtins.list[str], SHOWN] = [],  # noqa: B006
    min_hour: Annotated[float | None, SHOWN] = None,
    max_hour: Annotated[float | None, SHOWN] = None,
    min_month: Annotated[float | None, SHOWN] = None,
    max_month: Annotated[float | None, SHOWN] = None,
) -> object:
    """Recommend server classes, pools and bids for a number of nodes: the biggest, the best value, and a mix."""
    places = listed(regions) or tuple(filter(None, [_place(session, everywhere=False)]))
    wanted = Wanted(classes=listed(classes) or FAMILIES, regions=places, generation=gen)
    limits = CostLimits(min_hour, max_hour, min_month, max_month)
    found = await session.api.build(nodes=nodes, wanted=wanted, risk=risk, balanced=balanced, limits=limits)
    rows = [_pool_row(scenario, pool) for scenario in found for pool in scenario.pools]
    plain = [_scenario_shown(scenario) for scenario in found]
    old = released.recommendation(found, nodes, wanted, risk, balanced, limits)
    return CommandResult(plain, rows=rows, released=old)


def _for_nodes(quote: Quote, nodes: int) -> dict[str, Any]:
    """The market price of several servers, where more than one is asked for."""
    if nodes == 1:
        return {}
    hourly = None if quote.market is None else quote.market * nodes
    return {
        "nodes": nodes,
        "hourly": None if hourly is None else price_text(hourly),
        "monthly": None if hourly is None else f"{hourly * HOURS:.2f}",
    }


def _pool_row(scenario: Scenario, pool: Pool) -> dict[str, Any]:
    return {
        "strategy": scenario.strategy.replace("_", " "),
        "serverClass": pool.server_class,
        "region": pool.region,
        "nodes": pool.nodes,
        "cpu": str(pool.cpu * pool.nodes),
        "memory": f"{pool.memory * pool.nodes}GB",
        "hourly": price_text(pool.hourly * pool.nodes),
        "monthly": f"{pool.hourly * pool.nodes * HOURS:.2f}",
        "bid": price_text(pool.bid),
    }


def _scenario_shown(scenario: Scenario) -> dict[str, Any]:
    return {
        "strategy": scenario.strategy,
        "score": float(round(scenario.score, 6)),
        "hourly": price_text(scenario.hourly),
        "monthly": f"{scenario.hourly * HOURS:.2f}",
        "pools": [_pool_row(scenario, pool) for pool in scenario.pools],
    }


@commands.add
async def percentiles(session: CommandSession[Pricing], everywhere: bool = False) -> object:
    """List price percentiles over the last weeks."""
    return [_shown(row) for row in await session.api.percentiles(region=_place(session, everywhere))]


@commands.add
async def history(
    session: CommandSession[Pricing],
    server_class: Annotated[str, SHOWN],
    plot: bool = False,
    bid: Annotated[builtins.list[str], SHOWN] = [],  # noqa: B006
) -> object:
    """List what winners of one server class paid, oldest first. As a picture with --plot, or with -o svg."""
    bids = tuple(_chart_bid(price) for price in bid)
    points = await session.api.history(server_class)
    chart = _chart(server_class, points, bids)
    return CommandResult([_shown(point) for point in points], chart=chart, plotted=plot)


def _chart_bid(text: str) -> ChartBid:
    try:
        return ChartBid(parse_price(text))
    except ValueError as error:
        raise UsageError(f"--bid: {text!r} is no price: it {error}") from None


def _chart(server_class: str, points: builtins.list[PricePoint], bids: tuple[ChartBid, ...]) -> PriceChart:
    """The prices over the hours since the first auction on record."""
    first, last = (points[0].at, points[-1].at) if points else (None, None)
    return PriceChart(
        f"{server_class}: what winners paid, in USD an hour",
        [((point.at - points[0].at).total_seconds() / HOUR, point.price) for point in points],
        stamp(first) if first else "",
        stamp(last) if last else "",
        bids,
    )


@commands.add
async def comparable(session: CommandSession[Pricing], everywhere: bool = False) -> object:
    """List prices of comparable servers in other clouds."""
    return [_shown(row) for row in await session.api.comparable(region=_place(session, everywhere))]


def _place(session: CommandSession[Pricing], everywhere: bool) -> str | None:
    """The region to filter by; None for all regions."""
    return None if everywhere else session.region


def _shown(value: Any) -> dict[str, Any]:
    """A price record as plain values: prices as text, times as RFC 3339."""
    shown = {}
    for name, plain in asdict(value).items():
        if hasattr(plain, "as_tuple"):
            shown[name] = price_text(plain)
        else:
            shown[name] = stamp(plain) if isinstance(plain, datetime) else plain
    return shown
