"""The layout of manifests: it changes no value and loses no comment, and what is laid out stays as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rsspot.manifests.formatting.comments import comments_of
from rsspot.manifests.formatting.layout import Formatted, formatted
from rsspot.manifests.source import parse_text
from support.amount import amount

ROOT = Path(__file__).parents[2]
SHIPPED = sorted([*(ROOT / "manifests").glob("*.yaml"), *(ROOT / "examples").rglob("*.yaml")])
CASES = sorted((ROOT / "tests" / "planner" / "cases").rglob("*.yaml"))
POOL = "apiVersion: ngpc.rxt.io/v1\nkind: SpotNodePool\nmetadata:\n  name: workers\nspec:\n"


def laid_out(text: str) -> str:
    """A text in the usual layout, which is laid out once and for all."""
    result = formatted(text, "a.yaml")
    assert isinstance(result, Formatted), result
    assert not result.left, text
    assert formatted(result.text, "a.yaml") == result
    return result.text


def values(text: str) -> list[Any]:
    """What a text holds."""
    sources, problems = parse_text(text, "a.yaml")
    assert not problems
    return [source.value for source in sources]


def in_order(written: str, expected: str) -> None:
    """The spec of a pool comes out as expected."""
    assert laid_out(POOL + written) == POOL + expected


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_manifests_of_the_project_are_laid_out(file: Path) -> None:
    """As `make check` could ask."""
    text = file.read_text(encoding="utf-8")
    assert laid_out(text) == text


def test_the_manifests_of_the_planner_keep_their_meaning() -> None:
    """Every one of them, with its comments."""
    # Many cases have the same manifests, and other live objects.
    texts = {yaml.safe_load(file.read_text(encoding="utf-8")).get("manifests") or "" for file in CASES}
    for text in sorted(texts):
        after = laid_out(text)
        assert values(after) == values(text)
        assert comments_of(after) == comments_of(text)


def test_keys_have_the_order_of_their_kind() -> None:
    """At every level, whether written in blocks or in braces; keys of maps are their author's own."""
    text = (
        "spec:\n  autoscaling: {maxNodes: 3, minNodes: 1, enabled: true}\n  bidPrice: 0.03\n  serverClass: c\n"
        "  customLabels:\n    z: '1'\n    a: '2'\n  customTaints:\n  - effect: NoSchedule\n    key: k\n"
        "  cloudSpace: edge\nmetadata:\n  annotations: {b: x, a: y}\n  labels: {}\n  name: workers\n"
        "kind: SpotNodePool\napiVersion: ngpc.rxt.io/v1\n"
    )
    assert laid_out(text) == (
        "apiVersion: ngpc.rxt.io/v1\nkind: SpotNodePool\n"
        "metadata:\n  name: workers\n  labels: {}\n  annotations: {b: x, a: y}\n"
        "spec:\n  cloudSpace: edge\n  serverClass: c\n  customLabels:\n    z: '1'\n    a: '2'\n"
        "  customTaints:\n  - key: k\n    effect: NoSchedule\n  bidPrice: 0.03\n"
        "  autoscaling: {enabled: true, minNodes: 1, maxNodes: 3}\n"
    )


def test_comments_go_with_what_they_stand_above() -> None:
    """Those at the end of a block stay there, and blank lines stay between what they separate."""
    in_order(
        "  # what it costs\n  bidPrice: 0.030  # three cents\n\n  # where\n  cloudSpace: edge\n  # nothing follows\n",
        "  # where\n  cloudSpace: edge\n\n  # what it costs\n  bidPrice: 0.030  # three cents\n  # nothing follows\n",
    )


def test_comments_behind_values_keep_their_distance() -> None:
    """Also where the values move."""
    in_order(
        "      cloudSpace: edge # here\n      serverClass: c     # there\n      customLabels: {a: b}  # and\n",
        "  cloudSpace: edge # here\n  serverClass: c     # there\n  customLabels: {a: b}  # and\n",
    )


def test_the_first_comment_of_a_document_is_about_the_document() -> None:
    """Not about the key below it."""
    text = "# The workers.\nkind: SpotNodePool\n# the API\napiVersion: ngpc.rxt.io/v1\n"
    assert laid_out(text) == "# The workers.\n# the API\napiVersion: ngpc.rxt.io/v1\nkind: SpotNodePool\n"


def test_levels_are_indented_by_two_spaces_with_their_comments() -> None:
    """However deep their author indented them."""
    in_order(
        "      # where\n      cloudSpace: edge\n      autoscaling:\n          # on\n          enabled: true\n"
        "          # the end of it\n      # the end\n",
        "  # where\n  cloudSpace: edge\n"
        "  autoscaling:\n    # on\n    enabled: true\n    # the end of it\n  # the end\n",
    )


@pytest.mark.parametrize(
    "scalar",
    ["0.060", "0.10", "1e-1", "0x1F", "012", "~", "null", "True", "2026-01-01", "no", "'no'", '"0.06"', "1_000", "+1"],
)
def test_scalars_stay_as_written(scalar: str) -> None:
    """Also where a YAML library would spell the same value otherwise."""
    in_order(f"  cloudSpace: {scalar}\n", f"  cloudSpace: {scalar}\n")


@pytest.mark.parametrize(
    "text",
    [
        "  cloudSpace: |\n    a # no comment\n\n    b\n",
        "  cloudSpace: |+\n    a\n\n",
        "  cloudSpace: >-\n    a\n    b\n",
        '  cloudSpace: "a # no comment: {}"\n',
        "  cloudSpace: &name edge\n  serverClass: *name\n",
        "  customLabels: &labels {a: b}\n  customAnnotations: *labels\n",
        "  <<: {cloudSpace: edge}\n  serverClass: c\n",
        "  cloudSpace: ${var:space}\n",
    ],
)
def test_what_is_laid_out_stays(text: str) -> None:
    """Blocks, quotes, anchors, merge keys and variables."""
    in_order(text, text)


def test_an_anchor_stays_above_its_aliases() -> None:
    """Even if the order of keys suffers."""
    text = "  bidPrice: &price 0.03\n  customLabels: {price: *price}\n"
    in_order(text, text)


@pytest.mark.parametrize("text", ['{"kind": "CloudSpace", "apiVersion": "ngpc.rxt.io/v1"}', "[]", ""])
def test_json_and_nothing_are_left_alone(text: str) -> None:
    """JSON has formatters of its own."""
    assert laid_out(text) == text


def test_what_other_tools_read_is_left_alone() -> None:
    """Beside ours, in one file."""
    deployment = "kind: Deployment\napiVersion: apps/v1\nspec:\n      replicas:   3\n"
    pool = "kind: SpotNodePool\napiVersion: ngpc.rxt.io/v1\n"
    after = laid_out(f"{deployment}---\n{pool}")
    assert after == f"{deployment}---\napiVersion: ngpc.rxt.io/v1\nkind: SpotNodePool\n"


@pytest.mark.parametrize("text", ["a: [", "a: 1\na: 2\n", "a: !!python/none x\n", "\ta: 1\n"])
def test_what_is_no_yaml_is_a_problem_with_its_place(text: str) -> None:
    """And is not touched."""
    problems = formatted(text, "a.yaml")
    assert isinstance(problems, list) and problems[0].origin and problems[0].origin.file == "a.yaml"


def test_lines_end_as_they_did() -> None:
    """A file from Windows stays one."""
    text = f"{POOL}  serverClass: c\n  # where\n  cloudSpace: edge\n".replace("\n", "\r\n")
    after = laid_out(text)
    assert after.count("\r\n") == after.count("\n") == 8
    assert after.index("cloudSpace") < after.index("serverClass")


def test_the_objects_of_a_list_are_laid_out_each() -> None:
    """`kind: List`, and a bare list as rsspot prints it."""
    item = "- kind: CloudSpace\n  apiVersion: ngpc.rxt.io/v1\n  metadata: {name: a}\n"
    ordered = "- apiVersion: ngpc.rxt.io/v1\n  kind: CloudSpace\n  metadata: {name: a}\n"
    assert laid_out(item * 2) == ordered * 2
    listed = f"kind: List\napiVersion: ngpc.rxt.io/v1\nitems:\n{item}"
    assert laid_out(listed) == f"apiVersion: ngpc.rxt.io/v1\nkind: List\nitems:\n{ordered}"


SCALARS = st.sampled_from(["1", "0.060", "edge", "'q'", '"a # b"', "${var:x}", "~", "{b: 1, a: [2]}", "[x, y]", ""])
KEYS = st.sampled_from(
    [
        "apiVersion",
        "kind",
        "metadata",
        "spec",
        "name",
        "labels",
        "cloudSpace",
        "bidPrice",
        "autoscaling",
        "enabled",
        "x",
    ]
)
COMMENTS = st.sampled_from(["", "", "", "# one\n", "\n", "\n# two\n", "# three\n\n"])


@st.composite
def blocks(draw: st.DrawFn, column: int = 0, levels: int = 3) -> str:
    """A block mapping as somebody typed it: keys in any order, comments and blank lines in odd places."""
    step = draw(st.integers(1, 5))
    lines = []
    for key in draw(st.lists(KEYS, min_size=1, max_size=4, unique=True)):
        for line in draw(COMMENTS).splitlines(keepends=True):
            lines.append(" " * (column + draw(st.sampled_from([0, 0, 0, step]))) * (line != "\n") + line)
        pad = " " * column
        shape = draw(st.integers(0, 3)) if levels else 0
        if shape == 0:
            lines.append(f"{pad}{key}: {draw(SCALARS)}{draw(st.sampled_from(['', '', '   # end']))}\n")
        elif shape == 1:
            lines.append(f"{pad}{key}:\n{draw(blocks(column + step, levels - 1))}")
        elif shape == 2:
            inner = draw(blocks(column + 2, 0)).lstrip(" ")
            lines.append(f"{pad}{key}:\n{pad}- {inner}" if not inner.startswith(("#", "\n")) else f"{pad}{key}: 1\n")
        else:
            lines.append(f"{pad}{key}: |\n{pad}  text # no comment\n\n{pad}  more\n")
    lines += [" " * column + "# at the end\n"] * draw(st.integers(0, 1))
    return "".join(lines)


@pytest.mark.timeout(3000)
@settings(max_examples=amount(60, 5000), deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(blocks())
def test_any_layout_keeps_values_and_comments(text: str) -> None:
    """Or the document is left as it is; and whatever comes out stays so."""
    written = f"apiVersion: ngpc.rxt.io/v1\nkind: SpotNodePool\nstatus:\n{_indented(text)}"
    result = formatted(written, "a.yaml")
    assert isinstance(result, Formatted), written
    assert values(result.text) == values(written)
    assert comments_of(result.text) == comments_of(written)
    assert formatted(result.text, "a.yaml") == result


def _indented(text: str) -> str:
    return "".join(f"   {line}" if line.strip() else line for line in text.splitlines(keepends=True))
