"""Overlays: merge patches and JSON patches of manifests that are declared elsewhere, and where what they set stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.folders import CLOUDSPACE, POOL, STACK, hints_of, one, overlay, problems_of, read, written

pytestmark = pytest.mark.usefixtures("folder")
EDGE = "{kind: CloudSpace, name: edge}"
TAINTS = """\
  customTaints: [{key: a, effect: NoSchedule}, {key: b, effect: NoExecute}]
  customLabels: {team: red, x: y}
"""


def changed(change: str, base: str = POOL + TAINTS, target: str = "{name: workers}") -> dict[str, object]:
    """The spec of a manifest after one overlay."""
    written({"base/a.yaml": base, "over/b.yaml": overlay(target, change)})
    return one("base", "over").spec


def wrong(change: str, base: str = POOL + TAINTS, target: str = "{name: workers}") -> str:
    """The one problem of an overlay."""
    written({"base/a.yaml": base, "over/b.yaml": overlay(target, change)})
    (problem,) = problems_of("base", "over")
    return problem


def test_a_merge_patch_sets_replaces_and_removes() -> None:
    """By RFC 7386: mappings are merged, lists are replaced, null removes."""
    spec = changed("merge: {spec: {desired: 5, customTaints: [], customLabels: {team: null, z: w}}}")
    assert spec == {
        "cloudSpace": "edge",
        "serverClass": "gp.small",
        "bidPrice": spec["bidPrice"],
        "desired": 5,
        "customTaints": [],
        "customLabels": {"x": "y", "z": "w"},
    }


def test_every_mistake_of_a_patch_is_told() -> None:
    """Each operation at its own place."""
    operations = (
        "{op: remove, path: /spec/nothing}, {op: replace, path: /metadata/name, value: other}, "
        "{op: replace, path: /spec/desired, value: 5}, {op: add, path: /spec/absent/too, value: 1}"
    )
    written({"base/a.yaml": POOL, "over/b.yaml": overlay("{name: workers}", f"patch: [{operations}]")})
    said = problems_of("base", "over")
    assert ["there is no" in each or "cannot change metadata.name" in each for each in said] == [True] * 3


def test_every_mistake_of_a_merge_patch_is_told() -> None:
    """Not only the first of what it cannot change."""
    merge = "merge: {kind: VMPool, metadata: {name: other}}"
    written({"base/a.yaml": POOL, "over/b.yaml": overlay("{name: workers}", merge)})
    said = problems_of("base", "over")
    assert [f"cannot change {name} " in each for each, name in zip(said, ("kind", "metadata.name"), strict=True)] == [
        True,
        True,
    ]


def test_null_in_a_merge_patch_leaves_the_field_undeclared() -> None:
    """As if nobody had written it."""
    assert "customTaints" not in changed("merge: {spec: {customTaints: null, customLabels: null}}")


@pytest.mark.parametrize(
    ("operations", "field", "value"),
    [
        ("{op: replace, path: /spec/desired, value: 5}", "desired", 5),
        ("{op: add, path: /spec/customLabels/z, value: w}", "customLabels", {"team": "red", "x": "y", "z": "w"}),
        ("{op: add, path: /spec/customLabels/a~1b, value: w}, {op: remove, path: /spec/customLabels/x}", "customLabels",
         {"team": "red", "a/b": "w"}),
        ("{op: remove, path: /spec/customTaints/0}", "customTaints", [{"key": "b", "effect": "NoExecute"}]),
        ("{op: move, from: /spec/customLabels/x, path: /spec/customLabels/y}", "customLabels",
         {"team": "red", "y": "y"}),
        ("{op: copy, from: /spec/customLabels/x, path: /spec/customLabels/y}", "customLabels",
         {"team": "red", "x": "y", "y": "y"}),
        ("{op: test, path: /spec/desired, value: 2}, {op: replace, path: /spec/desired, value: 3}", "desired", 3),
        ("{op: add, path: /spec/customLabels/x, value: null}", "customLabels", {"team": "red", "x": None}),
        ("{op: add, path: /spec/customTaints/-, value: {key: c, effect: NoExecute}}", "customTaints",
         [{"key": "a", "effect": "NoSchedule"}, {"key": "b", "effect": "NoExecute"},
          {"key": "c", "effect": "NoExecute"}]),
    ],
)  # fmt: skip
def test_each_operation_of_a_json_patch(operations: str, field: str, value: object) -> None:
    """By RFC 6902; a null that is added is sent as null."""
    assert changed(f"patch: [{operations}]")[field] == value


@pytest.mark.parametrize(
    ("operation", "clause"),
    [
        ("{op: test, path: /spec/desired, value: 3}", "the test failed: the value at /spec/desired is another"),
        ("{op: test, path: /spec/nothing, value: 3}", "there is no /spec/nothing"),
        ("{op: replace, path: /spec/desird, value: 3}", "there is no /spec/desird"),
        ("{op: remove, path: /spec/customTaints/7}", "there is no /spec/customTaints/7"),
        ("{op: add, path: /spec/autoscaling/minNodes, value: 1}", "there is no /spec/autoscaling"),
        ("{op: copy, from: /spec/none, path: /spec/desired}", "there is no /spec/none"),
        ("{op: move, from: /spec, path: /spec/inner}", "move is not possible at /spec/inner"),
        ("{op: remove, path: spec/desired}", "the path 'spec/desired' does not begin with a slash"),
        ("{op: remove, path: /spec/desired/x}", "there is no /spec/desired/x"),
    ],
)
def test_an_operation_that_fails_is_named_at_its_line(operation: str, clause: str) -> None:
    """With the manifest that it failed for."""
    problem = wrong(f"patch:\n    - {{op: add, path: /spec/customLabels/z, value: w}}\n    - {operation}")
    assert problem == f"over/b.yaml:8:7: {clause} in the SpotNodePool at base/a.yaml:4:3"


@pytest.mark.parametrize(
    ("change", "place", "field"),
    [
        ("merge: {metadata: {name: other}}", "6:22", "metadata.name"),
        ("merge: {metadata: null}", "6:11", "metadata.name"),
        ("merge: {kind: CloudSpace}", "6:11", "kind"),
        ("merge: {apiVersion: v2}", "6:11", "apiVersion"),
        ("merge: {matrix: {x: [1]}}", "6:11", "matrix"),
        ("patch: [{op: replace, path: /metadata/name, value: x}]", "6:11", "metadata.name"),
        ("patch: [{op: remove, path: /kind}]", "6:11", "kind"),
        ("patch: [{op: replace, path: '', value: {}}]", "6:11", "apiVersion"),
    ],
)
def test_an_overlay_makes_no_other_manifest(change: str, place: str, field: str) -> None:
    """What identifies it stays as it is."""
    said = f"over/b.yaml:{place}: an overlay cannot change {field} of the SpotNodePool at base/a.yaml:4:3"
    assert wrong(change) == said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("merge: {spec: {desired: two}}", "6:18: spec.desired: must be a whole number"),
        ("merge: {spec: {desird: 2}}", "6:18: unknown field 'desird'"),
        ("patch: [{op: replace, path: /spec/desired, value: two}]", "6:46: spec.desired: must be a whole number"),
        ("merge: {spec: {customTaints: [{key: a, efect: x, effect: NoExecute}]}}", "6:42: unknown field 'efect'"),
        ("merge: {spec: {customLabels: {a: '${var:none}'}}}", "6:33: no variable 'none'"),
    ],
)
def test_a_mistake_that_an_overlay_brings_in_is_in_the_overlay(change: str, said: str) -> None:
    """At the line and column where it is written."""
    assert wrong(change) == f"over/b.yaml:{said}"


def test_a_mistake_behind_a_removed_item_keeps_its_place() -> None:
    """Positions move with the items of a list."""
    taints = "  customTaints:\n    - {key: a, effect: NoExecute}\n    - {key: b, efect: x, effect: NoExecute}\n"
    problem = wrong("patch: [{op: remove, path: /spec/customTaints/0}]", base=POOL + taints)
    assert problem == "base/a.yaml:12:16: unknown field 'efect'"


def test_a_field_has_the_place_that_set_it_last() -> None:
    """And the others keep theirs."""
    written({"a.yaml": POOL, "b.yaml": overlay("{kind: Spot*}", "merge: {spec: {desired: 3}}")})
    manifest = one("a.yaml", "b.yaml")
    paths = (("spec", "desired"), ("spec", "bidPrice"), ("metadata", "name"))
    assert [str(manifest.where(*path)) for path in paths] == [
        "b.yaml:6:18",
        "a.yaml:9:3",
        "a.yaml:4:3 (patched by b.yaml:6:3)",
    ]


def test_an_object_has_the_overlays_that_changed_it_in_their_order() -> None:
    """Not those that say what was so already."""
    merges = ("{spec: {desired: 3}}", "{spec: {desired: 3}}", "{spec: {desired: 4}}")
    overlays = {
        f"{name}.yaml": overlay("{kind: Spot*}", f"merge: {merge}") for name, merge in zip("bcd", merges, strict=True)
    }
    written({"a.yaml": POOL, **overlays})
    origin = one("a.yaml", *overlays).origin
    assert str(origin) == "a.yaml:4:3 (patched by b.yaml:6:3, d.yaml:6:3)"


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("{kind: CloudSpace}", ["edge"]),
        ("{kind: '*NodePool'}", ["west-a", "workers", "workers"]),
        ("{name: workers}", ["workers", "workers"]),
        ("{name: edge/workers}", ["workers"]),
        ("{name: '*/workers'}", ["workers", "workers"]),
        ("{kind: SpotNodePool, name: west-?}", ["west-a"]),
        ("{kind: '*'}", ["edge", "west-a", "workers", "workers"]),
        ("{name: '${var:who}-*'}", ["west-a"]),
    ],
)
def test_targets_are_kinds_and_names_or_patterns(target: str, names: list[str]) -> None:
    """Of a pool also with its cloudspace, since two may have a pool of one name."""
    pools = [POOL, POOL.replace("edge", "west"), POOL.replace("workers", "west-a")]
    labeled = overlay(target, "merge: {metadata: {labels: {z: w}}}")
    written({"a.yaml": "---\n".join([CLOUDSPACE, *pools]), "b.yaml": labeled})
    manifests = read("a.yaml", "b.yaml", variables={"who": "west"}).manifests
    assert sorted(each.name for each in manifests if "labels" in each.body["metadata"]) == names


@pytest.mark.parametrize(
    ("target", "place", "hint"),
    [
        ("{kind: CloudSpace, name: egde}", "5:30", "did you mean 'edge'?"),
        ("{kind: Cloudspace, name: edge}", "5:12", "did you mean 'CloudSpace'?"),
        ("{name: zzz}", "5:12", "names here: edge"),
        ("{kind: Stack}", "5:12", "kinds here: CloudSpace"),
    ],
)
def test_an_overlay_that_addresses_nothing_is_a_problem(target: str, place: str, hint: str) -> None:
    """Otherwise a mistyped name would leave production as the base is."""
    written({"a.yaml": f"{STACK}---\n{CLOUDSPACE}", "b.yaml": overlay(target, "merge: {}")})
    (problem,) = problems_of("a.yaml", "b.yaml")
    assert problem.startswith(f"b.yaml:{place}: the overlay addresses nothing")
    assert hint in hints_of("a.yaml", "b.yaml")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (overlay(EDGE, "merge: {}\n  patch: []"), "an overlay has either merge or patch"),
        (overlay(EDGE, ""), "an overlay has either merge or patch"),
        (overlay("{}", "merge: {}"), "the target names neither a kind nor a name"),
        (overlay("edge", "merge: {}"), "spec.target: "),
        (overlay(EDGE, "merge: 3"), "spec.merge: "),
        (overlay(EDGE, "mege: {}"), "unknown field 'mege'"),
        (overlay(EDGE, "patch: {op: add}"), "spec.patch: must be a list"),
        (overlay(EDGE, "patch: [{op: ad, path: /x}]"), "did you mean 'add'?"),
        (overlay(EDGE, "patch: [{op: add, path: /x}]"), "add needs a value"),
        (overlay(EDGE, "patch: [{op: move, path: /x}]"), "move needs a from"),
        (overlay(EDGE, "patch: [{path: /x}]"), "missing field 'op'"),
        (overlay(EDGE, "merge: {}").replace("/v1", "/v9", 1), "wrong apiVersion 'rsspot.dev/v9'"),
        (overlay(EDGE, "merge: {}").replace("metadata: {name: change}", "metadata: {}"), "missing field 'name'"),
        ("apiVersion: rsspot.dev/v1\nkind: Overlay\nspec: 3\n", "spec"),
        ("apiVersion: rsspot.dev/v1\nkind: Overlay\n", "missing field 'spec'"),
    ],
)
def test_an_overlay_that_cannot_be(document: str, said: str) -> None:
    """It is checked like every other document."""
    written({"a.yaml": CLOUDSPACE, "b.yaml": document})
    assert [problem for problem in problems_of("a.yaml", "b.yaml") if problem.startswith("b.yaml:") and said in problem]


def test_overlays_are_applied_in_the_order_of_paths_and_file_names() -> None:
    """The last one wins."""

    def to(number: int) -> str:
        return overlay("{name: workers}", f"merge: {{spec: {{desired: {number}}}}}")

    written({"base/z.yaml": to(1), "base/a.yaml": POOL, "one/b.yaml": to(3), "one/a.yaml": to(2), "two/a.yaml": to(4)})
    assert [one(*paths).spec["desired"] for paths in (("base",), ("base", "one"), ("base", "one", "two"))] == [1, 3, 4]
    assert one("two", "one", "base").spec["desired"] == 1


def test_references_in_an_overlay_are_those_of_its_file() -> None:
    """`${file:…}` is beside the overlay, `${var:…}` the run's."""
    change = "merge: {metadata: {annotations: {a: '${file:note.txt}', b: '${var:b}', c: '$${c}'}}}"
    written({"base/a.yaml": CLOUDSPACE, "over/b.yaml": overlay(EDGE, change), "over/note.txt": "from over\n"})
    annotations = one("base", "over", variables={"b": "B"}).body["metadata"]["annotations"]
    assert annotations == {"a": "from over", "b": "B", "c": "${c}"}


def test_a_program_of_an_overlay_is_beside_it() -> None:
    """Like a program of a manifest."""
    registration = (
        "apiVersion: rsspot.dev/v1\nkind: Registration\nmetadata: {name: known}\n"
        "spec: {vmCloudSpace: vms, omniCluster: prod, registrar: {exec: [./register.sh]}}\n"
    )
    change = "merge: {spec: {registrar: {exec: [./other.sh, -v]}}}"
    written({"base/a.yaml": registration, "over/b.yaml": overlay("{kind: Registration}", change)})
    assert one("base", "over").spec["registrar"]["exec"] == [str(Path("over/other.sh").resolve()), "-v"]


def test_an_overlay_is_applied_before_anything_is_validated() -> None:
    """A base may leave out what every overlay has to say."""
    base = CLOUDSPACE.replace("  region: dfw\n", "")
    written({"a.yaml": base, "b.yaml": overlay(EDGE, "merge: {spec: {region: iad}}")})
    assert one("a.yaml", "b.yaml").spec["region"] == "iad"
    assert problems_of("a.yaml") == ["a.yaml:5:1: missing field 'region'"]


def test_one_value_in_two_manifests_is_two_values() -> None:
    """A later overlay that changes one leaves the other alone."""
    two = f"{POOL}---\n{POOL.replace('workers', 'others')}"
    first = overlay("{kind: '*'}", "patch: [{op: add, path: /spec/customLabels, value: {a: b}}]")
    second = overlay("{name: others}", "patch: [{op: add, path: /spec/customLabels/c, value: d}]")
    written({"a.yaml": two, "b.yaml": f"{first}---\n{second}"})
    assert [each.spec["customLabels"] for each in read("a.yaml", "b.yaml").manifests] == [
        {"a": "b"},
        {"a": "b", "c": "d"},
    ]


def test_an_overlay_of_another_tool_is_passed_over() -> None:
    """In a folder; what is named has to be ours."""
    foreign = "apiVersion: overlays.example/v1\nkind: Overlay\nmetadata: {name: x}\n"
    written({"m/a.yaml": CLOUDSPACE, "m/b.yaml": foreign})
    assert "the Overlay (overlays.example/v1) is not rsspot's" in read("m").foreign[0]
    assert "m/b.yaml:1:1: missing field 'spec'" in problems_of("m/a.yaml", "m/b.yaml")


def test_copies_of_copies_are_bounded() -> None:
    """Each of these would double the document."""
    copies = ", ".join(f"{{op: copy, from: /spec, path: /spec/x{number}}}" for number in range(40))
    assert "the operations add more than 20000 values in the SpotNodePool" in wrong(f"patch: [{copies}]")
    deeper = ", ".join("{op: copy, from: /spec, path: /spec/x}" for _ in range(100))
    assert "nested deeper than 64 levels" in wrong(f"patch: [{deeper}]", base=POOL)


def test_a_failing_operation_quotes_no_value() -> None:
    """It may be a secret."""
    base = f"{CLOUDSPACE}  webhook: https://h.io/one-secret\n"
    problem = wrong("patch: [{op: test, path: /spec/webhook, value: another-secret}]", base, EDGE)
    assert "the test failed: the value at /spec/webhook is another" in problem
    assert "secret" not in problem
