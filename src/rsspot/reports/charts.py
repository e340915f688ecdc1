"""Charts as SVG: prices over time with bids, and bars of costs. Draws; works nothing out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rsspot.models.charts import PriceChart
from rsspot.models.money import price_text
from rsspot.reports.svg import element, number, picture, text

WIDTH, HEIGHT = 640.0, 200.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 16.0, 16.0, 28.0
"""Around the plot: room for what its axes say."""
LINES = 4
"""Lines of the grid, and prices beside them."""
BAR, BAR_GAP, NAMES, AMOUNTS = 14.0, 10.0, 230.0, 90.0
LONGEST_NAME = 32
NO_PRICES = "no prices on record"


def price_chart(chart: PriceChart) -> str:
    """Prices as a line of steps, bids as dashed lines across."""
    if not chart.points:
        return picture(f"{chart.title}: {NO_PRICES}", WIDTH, 40.0, _label(LEFT, 24.0, NO_PRICES))
    scale = _Scale(chart)
    parts = [*_grid(chart, scale), _line(chart, scale), *_bids(chart, scale), *_ends(chart)]
    return picture(_told(chart), WIDTH, HEIGHT, *parts)


class _Scale:
    """From hours and dollars to coordinates."""

    def __init__(self, chart: PriceChart) -> None:
        self._span = chart.span or 1.0
        self._top = float(chart.top) * 1.1

    def x(self, hours: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * hours / self._span

    def y(self, price: Decimal | float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * float(price) / self._top


def _told(chart: PriceChart) -> str:
    prices = [price for _, price in chart.points]
    bids = "".join(f"; {bid.name}: {price_text(bid.price)}" for bid in chart.bids)
    span = f"from {price_text(min(prices))} to {price_text(max(prices))} dollars an hour"
    return f"{chart.title}: {span}, at the end {price_text(prices[-1])}{bids}"


def _grid(chart: PriceChart, scale: _Scale) -> Iterator[str]:
    for step in range(LINES):
        price = float(chart.top) * step / (LINES - 1)
        y = scale.y(price)
        yield element("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y)
        yield _label(LEFT - 6, y + 4, f"{price:.4g}", anchor="end")


def _line(chart: PriceChart, scale: _Scale) -> str:
    first = chart.points[0]
    steps = [f"M{number(scale.x(first[0]))} {number(scale.y(first[1]))}"]
    steps += [f"H{number(scale.x(at))}V{number(scale.y(price))}" for at, price in chart.points[1:]]
    return element("path", class_="price", d="".join([*steps, f"H{number(WIDTH - RIGHT)}"]))


def _bids(chart: PriceChart, scale: _Scale) -> Iterator[str]:
    for bid in chart.bids:
        y = scale.y(bid.price)
        yield element("line", class_="bid", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y)
        name = _short(bid.whose) or bid.name
        yield _label(WIDTH - RIGHT, y - 4, f"{name} {price_text(bid.price)}", anchor="end", class_="bid-label")


def _ends(chart: PriceChart) -> Iterator[str]:
    yield _label(LEFT, HEIGHT - 8, chart.begin)
    yield _label(WIDTH - RIGHT, HEIGHT - 8, chart.end, anchor="end")


@dataclass(frozen=True)
class Bar:
    """Two amounts to compare; None is one that is not known."""

    name: str
    before: Decimal | None
    after: Decimal | None


def bar_chart(title: str, bars: Sequence[Bar]) -> str:
    """A pair of bars for each: before, and after below it."""
    most = max((float(amount) for bar in bars for amount in (bar.before, bar.after) if amount), default=1.0)
    height = len(bars) * (2 * BAR + BAR_GAP) + BAR_GAP
    parts = [part for index, bar in enumerate(bars) for part in _bar(bar, BAR_GAP + index * (2 * BAR + BAR_GAP), most)]
    return picture(title, WIDTH, height, *parts)


def _bar(bar: Bar, y: float, most: float) -> Iterator[str]:
    yield _label(NAMES - 8, y + BAR + 4, _short(bar.name), anchor="end", title=bar.name)
    room = WIDTH - NAMES - AMOUNTS
    for index, (amount, which) in enumerate(((bar.before, "before"), (bar.after, "after"))):
        top = y + index * BAR
        length = room * float(amount or 0) / most
        yield element("rect", class_=which, x=NAMES, y=top, width=length, height=BAR - 2)
        told = "unknown" if amount is None else price_text(amount)
        yield _label(NAMES + length + 6, top + BAR - 4, f"{told} {which}", class_="amount")


def _label(x: float, y: float, content: str, *, anchor: str = "start", class_: str = "label", title: str = "") -> str:
    whole = [element("title", text(title))] if title and title != content else []
    return element("text", *whole, text(content) or " ", class_=class_, x=x, y=y, text_anchor=anchor)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"…{name[-LONGEST_NAME + 1 :]}"
