"""A graph as SVG: columns from left to right, each object right of what has to be there first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from rsspot.reports.graph import Graph, GraphEdge, GraphNode, condensed
from rsspot.reports.graph_layout import layout
from rsspot.reports.svg import element, number, picture, standalone, text

CHARACTER = 7.3
"""The width of a character of the font."""
HEIGHT, GAP, COLUMN_GAP, MARGIN, PADDING = 26.0, 10.0, 56.0, 12.0, 10.0
TIP = 6
"""The length of the head of an arrow."""
LONGEST_LABEL = 42
MOST_NODES = 250
"""A picture with more is no picture any more."""


def as_svg(graph: Graph) -> str:
    """The picture as a file of its own."""
    return standalone(graph_picture(graph))


def graph_picture(graph: Graph) -> str:
    """The picture for a page that has the style sheet. A large graph has what is alike drawn as one."""
    drawn = _drawn_part(graph)
    places = _places(drawn)
    width = max((x + _width(drawn.nodes[address]) for address, (x, _) in places.items()), default=0.0) + MARGIN
    height = max((y + HEIGHT for _, y in places.values()), default=0.0) + MARGIN
    boxes = (_box(node, *places[address]) for address, node in drawn.nodes.items())
    arrows = (_arrow(edge, drawn, places) for edge in drawn.edges)
    return picture(graph_caption(graph), width, height, *arrows, *boxes)


def graph_caption(graph: Graph) -> str:
    """What the picture shows, and what it has no room for."""
    drawn = _drawn_part(graph).nodes
    objects, shown = len(graph.nodes), sum(node.count for node in drawn.values())
    alike = "; what is alike is drawn as one" if len(drawn) < shown else ""
    missing = f"; {objects - shown} of them are not drawn" if shown < objects else ""
    return f"{objects} object{'' if objects == 1 else 's'} and what they depend on{alike}{missing}"


def _drawn_part(graph: Graph) -> Graph:
    small = condensed(graph)
    nodes = dict(list(small.nodes.items())[:MOST_NODES])
    return Graph(nodes, tuple(edge for edge in small.edges if edge.first in nodes and edge.then in nodes))


def _places(graph: Graph) -> dict[str, tuple[float, float]]:
    """Where the boxes are: a column is as wide as its widest box."""
    cells = layout(graph)
    widths: dict[int, float] = defaultdict(float)
    for address, (column, _) in cells.items():
        widths[column] = max(widths[column], _width(graph.nodes[address]))
    starts = {column: MARGIN + sum(widths.get(each, 0.0) + COLUMN_GAP for each in range(column)) for column in widths}
    return {address: (starts[column], MARGIN + row * (HEIGHT + GAP)) for address, (column, row) in cells.items()}


def _box(node: GraphNode, x: float, y: float) -> str:
    told = f"{node.action} {node.address}".strip() if node.count == 1 else f"{node.label}, {node.action or 'unchanged'}"
    frame = element("rect", x=x, y=y, width=_width(node), height=HEIGHT, rx=4.0)
    name = element("text", text(_label(node)), x=x + PADDING, y=y + HEIGHT / 2 + 4)
    return element("g", element("title", text(told)), frame, name, class_=f"node {node.action}".strip())


def _arrow(edge: GraphEdge, graph: Graph, places: Mapping[str, tuple[float, float]]) -> str:
    (x, y), (end, to_y) = places[edge.first], places[edge.then]
    begin, height, to_height = x + _width(graph.nodes[edge.first]), y + HEIGHT / 2, to_y + HEIGHT / 2
    middle = number((begin + end) / 2)
    curve = f"M{number(begin)} {number(height)}C{middle} {number(height)} {middle} {number(to_height)}"
    tip = f"{number(end - TIP)} {number(to_height)}"
    head = f"M{number(end - TIP)} {number(to_height - TIP / 2)}l{TIP} {TIP // 2}l-{TIP} {TIP // 2}"
    return element("path", class_="edge written" if edge.written else "edge", d=f"{curve} {tip}{head}")


def _label(node: GraphNode) -> str:
    label = node.label
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL // 2]}…{label[-LONGEST_LABEL // 2 :]}"


def _width(node: GraphNode) -> float:
    return len(_label(node)) * CHARACTER + 2 * PADDING
