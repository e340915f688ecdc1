"""Pictures as a user asks for them: graphs of manifests and of plans, and past prices in the terminal and as SVG."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from support.shell import Command
from support.terminal import Terminal

STACK = """apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {region: us-central-dfw-2}
---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {name: workers}
spec: {cloudSpace: edge, serverClass: gp.vs2.medium-dfw2, desired: 2, bidPrice: 0.06}
"""
HISTORY = "pricing history gp.vs2.medium-dfw2"


@pytest.fixture(autouse=True)
def stack(here: Path) -> None:
    Path("stack.yaml").write_text(STACK)


@pytest.mark.parametrize(
    ("output", "line"),
    [("", "  n0 --> n1"), ("-o mermaid", "  n0 --> n1"), ("-o dot", "  n0 -> n1;")],
)
def test_a_graph_of_manifests(rsspot: Command, output: str, line: str) -> None:
    """As Mermaid unless said otherwise; nothing is sent."""
    printed = rsspot(f"graph stack.yaml {output} -v")
    assert line in printed.splitlines()
    assert "GET" not in printed


def test_a_graph_as_svg(rsspot: Command) -> None:
    """A file that stands by itself."""
    svg = ElementTree.fromstring(rsspot("graph stack.yaml -o svg"))
    assert [each.text for each in svg.iter("{http://www.w3.org/2000/svg}text")] == [
        "cloudspace/edge",
        "spotnodepool/edge/workers",
    ]


def test_a_graph_of_a_saved_plan(rsspot: Command) -> None:
    """With what is done to each object."""
    rsspot("plan stack.yaml --out plan.json")
    assert 'n0["cloudspace/edge"]:::create' in rsspot("graph --plan plan.json")
    assert "cannot combine --plan with manifests" in rsspot("graph stack.yaml --plan plan.json", 3)
    assert "a graph cannot be printed with -o json" in rsspot("graph stack.yaml -o json", 3)


def test_past_prices_are_plotted(rsspot: Command) -> None:
    """With a line for each bid, and how often it would have lost."""
    lines = rsspot(f"{HISTORY} --plot --bid 0.03 --bid 1").splitlines()
    assert lines[0].startswith("gp.vs2.medium-dfw2: what winners paid")
    assert [line.partition(":")[0] for line in lines[-2:]] == ["--- bid 0.03", "--- bid 1"]
    assert any("\u2800" < each <= "\u28ff" for each in "".join(lines))


def test_past_prices_as_svg_and_as_before(rsspot: Command) -> None:
    """JSON stays a list of prices, with or without a picture."""
    svg = ElementTree.fromstring(rsspot(f"{HISTORY} -o svg --bid 0.03"))
    classes = [each.attrib.get("class") for each in svg.iter()]
    assert classes.count("price") == classes.count("bid") == 1
    assert json.loads(rsspot(f"{HISTORY} --plot -o json")) == json.loads(rsspot(f"{HISTORY} -o json"))
    assert "0.01" in rsspot(HISTORY)


def test_a_bid_that_is_no_price_is_refused(rsspot: Command) -> None:
    """Before anything is asked."""
    told = rsspot(f"{HISTORY} --plot --bid cheap -v", 3)
    assert "--bid: 'cheap' is no price" in told and "GET" not in told


def test_a_plot_in_a_terminal_fits_it_and_its_encoding() -> None:
    """In ASCII where the terminal knows no more."""
    terminal = Terminal(
        "--sandbox", *HISTORY.split(), "--plot", columns=50, PYTHONIOENCODING="ascii", NO_COLOR="1", COLUMNS=""
    )
    try:
        shown = terminal.read_until()
    finally:
        terminal.close()
    lines = shown.replace("\r", "").splitlines()
    assert max(map(len, lines)) <= 50
    assert shown.isascii() and "***" in shown
