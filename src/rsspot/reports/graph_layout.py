"""Where the objects of a graph stand: in columns from left to right, and in rows. Draws nothing, knows no sizes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from rsspot.reports.graph import Graph

Following = Mapping[str, Sequence[str]]
"""Object -> what needs it."""


def layout(graph: Graph) -> dict[str, tuple[int, int]]:
    """Column and row of each object, which stands right of what has to be there first."""
    following: dict[str, list[str]] = defaultdict(list)
    for edge in graph.edges:
        following[edge.first].append(edge.then)
    columns = _columns(graph, following)
    rows = _rows(graph, following, columns)
    return {address: (columns[address], rows[address]) for address in graph.nodes}


def _columns(graph: Graph, following: Following) -> dict[str, int]:
    """The longest way to each object. A circle, which no plan has, ends after as many rounds as there are objects."""
    columns = dict.fromkeys(graph.nodes, 0)
    edges = [(first, each) for first, then in following.items() for each in then]
    for _ in graph.nodes:
        behind = [(first, each) for first, each in edges if columns[each] <= columns[first]]
        if not behind:
            break
        for first, each in behind:
            columns[each] = min(max(columns[each], columns[first] + 1), len(columns))
    return columns


def _rows(graph: Graph, following: Following, columns: Mapping[str, int]) -> dict[str, int]:
    """The first row in which the column of an object and all right of it are free, in the order of a walk.

    So all that hangs from an object stands together, and nothing above it.
    """
    free: dict[int, int] = {}
    rows: dict[str, int] = {}
    # A circle has no beginning: its objects come last.
    waiting = [
        (address, 0) for address in sorted(graph.nodes, key=lambda each: (columns[each] > 0, each), reverse=True)
    ]
    while waiting:
        address, least = waiting.pop()
        if address not in rows:
            column = columns[address]
            row = max([least, *(used for of, used in free.items() if of >= column)])
            rows[address], free[column] = row, row + 1
            waiting += [(each, row) for each in reversed(following.get(address, ()))]
    return rows
