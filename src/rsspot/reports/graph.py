"""Which objects depend on which, of manifests or of a plan, as a graph. Draws nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rsspot.manifests.manifest import Manifest
from rsspot.planner.change import Change
from rsspot.planner.plan import Plan
from rsspot.resources.registry import kinds
from rsspot.utils.serialization import Document, at_path

MOST_NODES = 60
"""A graph of more is easier to read with what is alike drawn as one."""


@dataclass(frozen=True)
class GraphNode:
    """An object, or several that are alike. action: what a plan does with it; empty if nothing"""

    address: str
    kind: str
    action: str = ""
    count: int = 1

    @property
    def label(self) -> str:
        """What stands in its box."""
        return self.address if self.count == 1 else f"{self.count} × {self.kind}"


@dataclass(frozen=True)
class GraphEdge:
    """`first` has to be there before `then`. written: only because its author says so"""

    first: str
    then: str
    written: bool = False


@dataclass(frozen=True)
class Graph:
    """nodes: by their addresses, in order · edges: between these, in order."""

    nodes: Mapping[str, GraphNode]
    edges: tuple[GraphEdge, ...]


def graph_of_plan(plan: Plan) -> Graph:
    """What a plan changes, and what that lives in."""
    nodes = {each.address: GraphNode(each.address, each.ref.kind, each.action.value) for each in plan.changes}
    for change in plan.changes:
        if change.parent and change.parent not in nodes:
            nodes[change.parent] = GraphNode(change.parent, "")
    by_name = {(each.ref.kind, each.ref.name): each.address for each in plan.changes}
    return _graph(nodes, (edge for each in plan.changes for edge in _of_change(each, by_name)))


def graph_of_manifests(manifests: Sequence[Manifest]) -> Graph:
    """What manifests declare."""
    nodes = {each.address: GraphNode(each.address, each.kind.name) for each in manifests}
    by_name = {(each.kind.name, each.name): each.address for each in manifests}
    return _graph(nodes, (edge for each in manifests for edge in _of_manifest(each, by_name, nodes)))


def _graph(nodes: Mapping[str, GraphNode], edges: Iterable[GraphEdge]) -> Graph:
    known = (edge for edge in edges if edge.first in nodes and edge.first != edge.then)
    # What is written beside a field says nothing new.
    unique = {(edge.first, edge.then): edge for edge in sorted(known, key=lambda edge: not edge.written)}
    ordered = sorted(unique.values(), key=lambda edge: (edge.first, edge.then))
    return Graph({address: nodes[address] for address in sorted(nodes)}, tuple(ordered))


def _of_change(change: Change, by_name: Mapping[tuple[str, str], str]) -> Iterator[GraphEdge]:
    if change.parent:
        yield GraphEdge(change.parent, change.address)
    yield from _references(change.address, change.ref.kind, (change.body or {}).get("spec", {}), by_name)
    for first in change.after:
        yield GraphEdge(first, change.address, written=True)


def _of_manifest(
    manifest: Manifest, by_name: Mapping[tuple[str, str], str], addresses: Iterable[str]
) -> Iterator[GraphEdge]:
    if manifest.parent:
        yield GraphEdge(manifest.parent, manifest.address)
    yield from _references(manifest.address, manifest.kind.name, manifest.spec, by_name)
    for name in manifest.lifecycle.depends_on:
        for address in addresses:
            if address == name or address.endswith(f"/{name}"):
                yield GraphEdge(address, manifest.address, written=True)


def _references(address: str, kind: str, spec: Document, by_name: Mapping[tuple[str, str], str]) -> Iterator[GraphEdge]:
    known = kinds().get(kind)
    for path, to in known.references if known else ():
        target = by_name.get((to.kind, str(at_path(spec, path))))
        if target is not None:
            yield GraphEdge(target, address)


def condensed(graph: Graph, most: int = MOST_NODES) -> Graph:
    """A graph with what is alike drawn as one: of one kind, action and neighborhood. A small one is left as it is."""
    if len(graph.nodes) <= most:
        return graph
    around: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for edge in graph.edges:
        around[edge.first].add(("then", edge.then))
        around[edge.then].add(("first", edge.first))
    alike: dict[tuple[str, str, frozenset[tuple[str, str]]], str] = {}
    stands_for = {
        address: alike.setdefault((node.kind, node.action, frozenset(around[address])), address)
        for address, node in graph.nodes.items()
    }
    counts = Counter(stands_for.values())
    nodes = {
        address: GraphNode(address, node.kind, node.action, counts[address])
        for address, node in graph.nodes.items()
        if address in counts
    }
    edges = {(stands_for[edge.first], stands_for[edge.then]): edge.written for edge in graph.edges}
    return Graph(nodes, tuple(GraphEdge(first, then, written) for (first, then), written in sorted(edges.items())))
