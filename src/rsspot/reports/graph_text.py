"""A graph as text for Mermaid and for Graphviz. Names are shown as they are, whatever they hold."""

from __future__ import annotations

import re

from rsspot.reports.graph import Graph
from rsspot.utils.text import printable

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 /*.-]")
CLASSES = {
    "create": "stroke:#1a7f37,stroke-width:2px",
    "update": "stroke:#9a6700,stroke-width:2px",
    "replace": "stroke:#cf222e,stroke-width:2px",
    "delete": "stroke:#cf222e,stroke-width:2px,stroke-dasharray:5 3",
    "adopt": "stroke:#0969da,stroke-width:2px",
    "detach": "stroke:#0969da,stroke-width:2px",
}
"""How Mermaid draws what a plan does with an object."""
COLORS = {"create": "#1a7f37", "update": "#9a6700", "replace": "#cf222e", "delete": "#cf222e"}
OTHER_COLOR = "#0969da"


def as_mermaid(graph: Graph) -> str:
    """A flowchart, which GitHub and GitLab draw in markdown. A dotted arrow is there only because it is written."""
    numbers = {address: f"n{index}" for index, address in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for address, node in graph.nodes.items():
        style = f":::{node.action}" if node.action in CLASSES else ""
        lines.append(f'  {numbers[address]}["{_entities(node.label)}"]{style}')
    lines += [f"  {numbers[e.first]} {'-.->' if e.written else '-->'} {numbers[e.then]}" for e in graph.edges]
    used = {node.action for node in graph.nodes.values()}
    lines += [f"  classDef {action} {style}" for action, style in CLASSES.items() if action in used]
    return "\n".join(lines)


def as_dot(graph: Graph) -> str:
    """A digraph for Graphviz. A dashed arrow is there only because it is written."""
    numbers = {address: f"n{index}" for index, address in enumerate(graph.nodes)}
    lines = ["digraph rsspot {", "  rankdir=LR;", '  node [shape=box, fontname="monospace"];']
    for address, node in graph.nodes.items():
        color = f', color="{COLORS.get(node.action, OTHER_COLOR)}"' if node.action else ""
        lines.append(f"  {numbers[address]} [label={_quoted(node.label)}{color}];")
    lines += [
        f"  {numbers[e.first]} -> {numbers[e.then]}{' [style=dashed]' if e.written else ''};" for e in graph.edges
    ]
    return "\n".join([*lines, "}"])


def _entities(text: str) -> str:
    """A text in which Mermaid finds no markup: it writes characters by their numbers, without an ampersand."""
    return _NOT_PLAIN.sub(lambda found: f"#{ord(found[0])};", printable(text))


def _quoted(text: str) -> str:
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
