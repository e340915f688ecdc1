"""What a plan costs, and what its bids are up against, as sections of a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from html import escape

from rsspot.models.charts import ChartBid, PriceChart
from rsspot.models.costs import Cost, Measure
from rsspot.models.money import price_text
from rsspot.planner.money import PlannedBid
from rsspot.planner.plan import Plan
from rsspot.reports.charts import Bar, bar_chart, price_chart
from rsspot.reports.money import NOTHING, cost_line, hourly_sides, monthly_sides
from rsspot.utils.text import printable

MOST_BARS = 30
MOST_CHARTS = 24
MOST_BIDS = 4
"""Lines across one chart; more cannot be told apart."""


def money_section(plan: Plan) -> Iterator[str]:
    """The sums before and after, and a pair of bars for each cloudspace."""
    cost = plan.cost
    if cost is None:
        return
    yield '<section><h2>Cost</h2><table class="money"><thead><tr><th scope="col">USD</th>'
    yield '<th scope="col">Before</th><th scope="col">After</th></tr></thead><tbody>'
    for measure in Measure:
        yield _row(f"per hour, {measure.value}", hourly_sides(cost.shift, measure))
    yield _row("per month, expected", monthly_sides(cost.shift))
    yield f'</tbody></table>\n<p class="soft">{_text(cost_line(cost.shift))}</p>'
    for warning in cost.warnings:
        yield f"<p>{_text(warning)}</p>"
    bars = [Bar(group.address, _expected(group.shift.before), _expected(group.shift.after)) for group in cost.groups]
    if bars:
        dearest = sorted(bars, key=lambda bar: -max(bar.before or 0, bar.after or 0))[:MOST_BARS]
        yield f"<figure>{bar_chart('Expected cost of each cloudspace, in USD an hour', dearest)}</figure>"
    yield "</section>"


def price_section(plan: Plan) -> Iterator[str]:
    """For each class that is bid on, its past prices with the bids; nothing if the plan was made without them."""
    cost = plan.cost
    if cost is None or not cost.bids:
        return
    by_class: dict[str, list[PlannedBid]] = defaultdict(list)
    for bid in cost.bids:
        by_class[bid.server_class].append(bid)
    yield "<section><h2>Prices and bids</h2>"
    for name in sorted(by_class)[:MOST_CHARTS]:
        yield from _figure(name, by_class[name], cost.past.get(name, ()))
    left_out = len(by_class) - MOST_CHARTS
    if left_out > 0:
        yield f'<p class="soft">{left_out} more classes are not drawn.</p>'
    yield "</section>"


def _figure(name: str, bids: list[PlannedBid], past: tuple[Decimal, ...]) -> Iterator[str]:
    drawn = tuple(ChartBid(bid.after, bid.address) for bid in bids[:MOST_BIDS])
    begin = f"{len(past)} hours before the last auction on record"
    points = [(float(hour), price) for hour, price in enumerate(past)]
    chart = PriceChart(f"{name}, USD an hour for one server", points, begin, "last auction", drawn)
    yield f"<figure><figcaption><code>{_text(name)}</code></figcaption>{price_chart(chart)}"
    yield '<table><thead><tr><th scope="col">Bidder</th><th scope="col">Bid before</th><th scope="col">Bid after</th>'
    yield '<th scope="col">Hours above the bid</th></tr></thead><tbody>'
    for bid in bids[:MOST_BARS]:
        lost = sum(price > bid.after for price in past)
        before = "" if bid.before is None else price_text(bid.before)
        cells = (before, price_text(bid.after), f"{lost} of {len(past)}" if past else "unknown")
        row = "".join(f"<td>{cell}</td>" for cell in cells)
        yield f'<tr><th scope="row" class="address">{_text(bid.address)}</th>{row}</tr>'
    more = len(bids) - MOST_BARS
    yield "</tbody></table>" + (f'<p class="soft">{more} more objects bid on it.</p>' if more > 0 else "") + "</figure>"


def _row(title: str, sides: tuple[str, str]) -> str:
    return f'<tr><th scope="row">{title}</th><td>{sides[0]}</td><td>{sides[1]}</td></tr>'


def _expected(cost: Cost | None) -> Decimal | None:
    return (cost or NOTHING).per_hour(Measure.EXPECTED)


def _text(content: str) -> str:
    return escape(printable(content))
