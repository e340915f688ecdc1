"""A chart of prices for a terminal: in braille dots, or in plain ASCII where the encoding has no such characters."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from rsspot.models.charts import PriceChart
from rsspot.models.money import price_text
from rsspot.utils.text import printable, shortened

ROWS = 12
LABEL_EVERY = 4
USUAL_WIDTH = 80
LEAST_WIDTH = 24
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of a braille character, by row and column of its dots."""
BLANK = 0x2800
MARK, BID_MARK = "*", "-"


def plot(chart: PriceChart, width: int | None, encoding: str) -> str:
    """The chart, its axes and a line for each bid. width: of the terminal, None where there is none"""
    width = max(width or USUAL_WIDTH, LEAST_WIDTH)
    title = shortened(printable(chart.title), width)
    if not chart.points:
        return f"{title}: no prices on record"
    braille = encoding.lower().replace("-", "").startswith("utf8")
    labels = [price_text(_rounded(chart.top * row / (ROWS - 1))) for row in range(ROWS - 1, -1, -1)]
    margin = max(map(len, labels)) + 1
    rows = (_braille if braille else _ascii)(chart, width - margin - 1)
    lines = (
        f"{label if index % LABEL_EVERY == 0 or index == ROWS - 1 else '':>{margin}}{'│' if braille else '|'}{row}"
        for index, (label, row) in enumerate(zip(labels, rows, strict=True))
    )
    return "\n".join(line.rstrip() for line in (title, *lines, _axis(chart, margin, width), *_bid_lines(chart)))


def _rounded(price: Decimal) -> Decimal:
    return price.quantize(Decimal("0.0001"))


def _axis(chart: PriceChart, margin: int, width: int) -> str:
    room = width - margin - 1 - len(chart.begin) - len(chart.end)
    middle = " " * room if room > 0 else " "
    return f"{'':>{margin + 1}}{chart.begin}{middle}{chart.end}"[:width]


def _bid_lines(chart: PriceChart) -> Iterator[str]:
    for bid in chart.bids:
        above = sum(price > bid.price for _, price in chart.points)
        told = f"{BID_MARK * 3} {bid.name} {price_text(bid.price)}: below {above} of {len(chart.points)} prices"
        yield printable(told)


def _braille(chart: PriceChart, width: int) -> list[str]:
    canvas = [[0] * width for _ in range(ROWS)]

    def dot(x: int, y: int) -> None:
        row, column = ROWS - 1 - y // 4, x // 2
        canvas[row][column] |= DOTS[3 - y % 4][x % 2]

    for bid in chart.bids:
        for x in range(0, width * 2, 3):
            dot(x, _height(chart, bid.price, ROWS * 4))
    for x, low, high in _columns(chart, width * 2, ROWS * 4):
        for y in range(low, high + 1):
            dot(x, y)
    return ["".join(chr(BLANK + bits) if bits else " " for bits in row) for row in canvas]


def _ascii(chart: PriceChart, width: int) -> list[str]:
    canvas = [[" "] * width for _ in range(ROWS)]
    for bid in chart.bids:
        row = ROWS - 1 - _height(chart, bid.price, ROWS)
        canvas[row] = [BID_MARK] * width
    for x, low, high in _columns(chart, width, ROWS):
        for y in range(low, high + 1):
            canvas[ROWS - 1 - y][x] = MARK
    return ["".join(row) for row in canvas]


def _columns(chart: PriceChart, count: int, heights: int) -> Iterator[tuple[int, int, int]]:
    """For each column, from where to where it is drawn: a step joins the price before it."""
    before = None
    for x, price in enumerate(chart.sampled(count)):
        height = _height(chart, price, heights)
        low, high = sorted((height, before if before is not None else height))
        yield x, low, high
        before = height


def _height(chart: PriceChart, price: Decimal, heights: int) -> int:
    return min(heights - 1, round(float(price / chart.top) * (heights - 1)))
