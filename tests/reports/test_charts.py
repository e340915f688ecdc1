"""Prices over time and costs, as SVG and in a terminal."""

from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree

import pytest

from rsspot.models.charts import ChartBid, PriceChart
from rsspot.reports.charts import Bar, bar_chart, price_chart
from rsspot.reports.plot import LEAST_WIDTH, ROWS, plot
from rsspot.reports.svg import standalone
from rsspot.utils.text import columns
from support.plans import HOSTILE

SVG = "{http://www.w3.org/2000/svg}"


def chart(*prices: str, bids: tuple[str, ...] = (), whose: str = "") -> PriceChart:
    points = [(float(hour), Decimal(price)) for hour, price in enumerate(prices)]
    return PriceChart("gp", points, "then", "now", tuple(ChartBid(Decimal(bid), whose) for bid in bids))


def drawn(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(standalone(svg))


def test_a_line_of_prices_with_a_bid() -> None:
    """Steps that end at the right, and a line across at the height of the bid."""
    svg = drawn(price_chart(chart("0.01", "0.04", "0.02", bids=("0.04",))))
    (line,) = (each.attrib for each in svg.iter(f"{SVG}line") if each.attrib["class"] == "bid")
    (path,) = (each.attrib["d"] for each in svg.iter(f"{SVG}path"))
    assert path.startswith("M64 ") and path.endswith("H624")
    assert f"V{float(line['y1']):g}" in path
    assert svg.find(f"{SVG}title").text == (  # type: ignore[union-attr]
        "gp: from 0.01 to 0.04 dollars an hour, at the end 0.02; bid: 0.04"
    )


def test_bars_are_as_long_as_their_amounts() -> None:
    """The dearest fills the room; what is unknown has no length and says so."""
    svg = drawn(bar_chart("cost", [Bar("a", Decimal(1), Decimal(2)), Bar("b", None, Decimal("0.5"))]))
    lengths = [float(each.attrib["width"]) for each in svg.iter(f"{SVG}rect") if each.attrib["class"] != "paper"]
    assert lengths == [160.0, 320.0, 0.0, 80.0]
    assert [each.text for each in svg.iter(f"{SVG}text")][4] == "unknown before"


@pytest.mark.parametrize("text", HOSTILE)
def test_names_are_text(text: str) -> None:
    """In both charts, and in a terminal."""
    svg = drawn(price_chart(chart("1", bids=("1",), whose=text)))
    bars = drawn(bar_chart(text, [Bar(text, Decimal(1), Decimal(2))]))
    allowed = {"svg", "title", "style", "rect", "line", "path", "text"}
    assert {each.tag.removeprefix(SVG) for each in (*svg.iter(), *bars.iter())} <= allowed
    assert all(line.isprintable() for line in plot(chart("1", bids=("1",), whose=text), 40, "utf-8").split("\n"))


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "ascii", "iso-8859-1"])
@pytest.mark.parametrize("width", [None, 1, LEAST_WIDTH, 60, 200])
def test_a_plot_fits_the_terminal_and_its_encoding(encoding: str, width: int | None) -> None:
    """In braille where there is such a character, or else in ASCII."""
    text = plot(chart(*(str(hour % 5) for hour in range(100)), bids=("3",)), width, encoding)
    lines = text.splitlines()
    assert len(lines) == 1 + ROWS + 1 + 1
    assert all(columns(line) <= max(width or 80, LEAST_WIDTH) for line in lines[:-1])
    assert text.isascii() is not encoding.lower().startswith("utf")
    assert any("\u2800" <= each <= "\u28ff" for each in text) is encoding.lower().startswith("utf")


def test_a_plot_in_ascii() -> None:
    """A step up and down again, and the bid above it."""
    lines = plot(chart("1", "1", "2", "2", "1", "1", bids=("4",)), 24, "ascii").splitlines()
    assert lines[0] == "gp" and lines[1].startswith("      4|-----")
    assert lines[ROWS].strip().startswith("0|")
    rows = [line.partition("|")[2] for line in lines[1 : ROWS + 1]]
    low, high = rows[ROWS - 1 - 3], rows[ROWS - 1 - 6]
    assert low.startswith("*") and low.endswith("*") and "  " in low.strip()
    assert high.strip("* ") == "" and not high.startswith("*")
    assert lines[-1] == "--- bid 4: below 0 of 6 prices"


def test_each_part_of_the_time_has_its_highest_price() -> None:
    """Also one that held only for a moment, and one that began before."""
    assert chart("1", "9", "2", "2").sampled(1) == [Decimal(9)]
    assert chart("1", "9", "2", "2").sampled(3) == [Decimal(1), Decimal(9), Decimal(9)]
    assert chart("5").sampled(3) == [Decimal(5)] * 3


@pytest.mark.parametrize("text", [plot(chart(), 80, "utf-8"), price_chart(chart())])
def test_no_prices_are_told(text: str) -> None:
    """Rather than an empty picture."""
    assert "no prices on record" in text
