"""What depends on what, as Mermaid, as DOT and as SVG: every name is text, and the picture stays readable."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rsspot.manifests.parse import load
from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Change
from rsspot.planner.plan import Plan
from rsspot.reports.graph import MOST_NODES, Graph, GraphEdge, GraphNode, condensed, graph_of_manifests, graph_of_plan
from rsspot.reports.graph_svg import as_svg, graph_caption
from rsspot.reports.graph_text import as_dot, as_mermaid
from support.plans import HOSTILE, plan_of_size

SVG = "{http://www.w3.org/2000/svg}"
STACK = """
kind: List
items:
- apiVersion: ngpc.rxt.io/v1
  kind: VMSSHKey
  metadata: {name: ops}
  spec: {publicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJlZWZiZWVmYmVlZmJlZWZiZWVmYmVlZmJlZWZiZWVmYmVl ops"}
- apiVersion: ngpc.rxt.io/v1
  kind: VMCloudSpace
  metadata: {name: vms}
  spec: {region: us-central-dfw-1, vmSshKeyRef: {name: ops}}
- apiVersion: ngpc.rxt.io/v1
  kind: CloudSpace
  metadata: {name: edge, annotations: {rsspot.dev/depends-on: vmcloudspace/vms}}
  spec: {region: us-central-dfw-1}
- apiVersion: ngpc.rxt.io/v1
  kind: SpotNodePool
  metadata: {name: workers}
  spec: {cloudSpace: edge, serverClass: gp.vs1.large-dfw, desired: 2, bidPrice: 0.03}
"""


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_the_graph_of_manifests(tmp_path: Path) -> None:
    """What lives in another object, what a field names, and what an annotation says."""
    (tmp_path / "stack.yaml").write_text(STACK)
    graph = graph_of_manifests(load([tmp_path], environ={}).manifests)
    assert list(graph.nodes) == ["cloudspace/edge", "spotnodepool/edge/workers", "vmcloudspace/vms", "vmsshkey/ops"]
    assert graph.edges == (
        GraphEdge("cloudspace/edge", "spotnodepool/edge/workers"),
        GraphEdge("vmcloudspace/vms", "cloudspace/edge", written=True),
        GraphEdge("vmsshkey/ops", "vmcloudspace/vms"),
    )
    assert "  n2 -.-> n0" in as_mermaid(graph).splitlines()
    assert "  n2 -> n0 [style=dashed];" in as_dot(graph).splitlines()


def test_the_graph_of_a_plan() -> None:
    """What changes, with what is done to it, and what that lives in."""
    after = ("cloudspace/b",)
    pool = Change("spotnodepool/a/p", Action.DELETE, Ref("SpotNodePool", "p"), "", parent="cloudspace/a", after=after)
    other = Change("cloudspace/b", Action.CREATE, Ref("CloudSpace", "b"), "")
    graph = graph_of_plan(Plan("s", "o", "demo", "apply", (pool, other)))
    assert {each.address: each.action for each in graph.nodes.values()} == {
        "cloudspace/a": "",
        "cloudspace/b": "create",
        "spotnodepool/a/p": "delete",
    }
    assert [(each.first, each.written) for each in graph.edges] == [("cloudspace/a", False), ("cloudspace/b", True)]
    assert "classDef delete" in as_mermaid(graph) and "classDef update" not in as_mermaid(graph)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_is_only_ever_a_label(text: str) -> None:
    """It ends no quotes, opens no markup, and begins no line."""
    graph = Graph({text: GraphNode(text, "SpotNodePool", "create")}, ())
    (label,) = re.findall(r'^  n0\["([^"\n]*)"\]:::create$', as_mermaid(graph), re.MULTILINE)
    assert re.fullmatch(r"(?:[A-Za-z0-9 /*.-]|#\d+;)*", label)
    (quoted,) = re.findall(
        r'^  n0 \[label="((?:[^"\\\n]|\\\\|\\")*)", color="#1a7f37"\];$', as_dot(graph), re.MULTILINE
    )
    assert quoted
    drawn = ElementTree.fromstring(as_svg(graph))
    assert {each.tag.removeprefix(SVG) for each in drawn.iter()} == {"svg", "title", "style", "rect", "g", "text"}


def test_an_object_stands_right_of_what_comes_first() -> None:
    """And no box covers another."""
    edges = tuple(GraphEdge(first, then) for first, then in ("ab", "bc", "ac", "ad"))
    svg = as_svg(Graph({name: GraphNode(name, "K") for name in "abcd"}, edges))
    boxes = [each.find(f"{SVG}rect") for each in ElementTree.fromstring(svg).iter(f"{SVG}g")]
    places = [(float(box.attrib["x"]), float(box.attrib["y"])) for box in boxes if box is not None]
    a, b, c, d = places
    assert a[0] < b[0] == d[0] < c[0]
    assert len(set(places)) == 4


def test_a_circle_is_drawn_too() -> None:
    """No plan has one; manifests that were not planned yet may."""
    edges = (GraphEdge("a", "b", written=True), GraphEdge("b", "a", written=True))
    assert sorted(texts(as_svg(Graph({name: GraphNode(name, "K") for name in "ab"}, edges)))) == ["a", "b"]


def test_what_is_alike_is_drawn_as_one() -> None:
    """Of a graph that would be too large: pools of one cloudspace that are created, for one."""
    pools = plan_of_size(MOST_NODES, actions=(Action.CREATE,), hostile=False)
    graph = graph_of_plan(pools)
    small = condensed(graph)
    assert sum(node.count for node in small.nodes.values()) == len(graph.nodes)
    assert {node.label for node in small.nodes.values() if node.count > 1} == {"10 × SpotNodePool"}
    assert condensed(small) == small


@pytest.mark.parametrize("count", [0, 1, 50, 10_000])
def test_a_picture_of_any_size_is_readable(count: int) -> None:
    """Its size is bounded, and it says how much of the graph it shows."""
    graph = graph_of_plan(plan_of_size(count))
    svg = as_svg(graph)
    assert len(svg) < 200_000
    objects = len(graph.nodes)
    assert graph_caption(graph).startswith(f"{objects} object")
    assert ("are not drawn" in graph_caption(graph)) is (count == 10_000)
