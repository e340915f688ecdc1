"""The JSON Schema of manifests agrees with `validate`, and says what each field is for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from rsspot.errors import ManifestError
from rsspot.manifests.document import authored_kinds
from rsspot.manifests.files import ManifestFile
from rsspot.manifests.own_documents import DOCUMENTS
from rsspot.manifests.parse import load
from rsspot.manifests.schema import schema_of, whole_schema
from rsspot.manifests.source import parse_text, read_sources
from rsspot.resources.description import FieldDescription, described
from rsspot.resources.registry import kinds

ROOT = Path(__file__).parents[2]
WHOLE = Draft202012Validator(whole_schema())
NAMES = sorted([*authored_kinds(), *DOCUMENTS])
OTHERS = {"policies", "kubernetes"}
EXAMPLES = (each for each in (ROOT / "examples").rglob("*.yaml") if OTHERS.isdisjoint(each.parts))
SHIPPED = sorted([*(ROOT / "manifests").glob("*.yaml"), *(each for each in EXAMPLES if each.name[0] != ".")])
"""What is hidden is passed over in a folder: it is for other tools."""
CASES = sorted((ROOT / "tests" / "planner" / "cases").rglob("*.yaml"))

CLOUDSPACE = "apiVersion: ngpc.rxt.io/v1\nkind: CloudSpace\nmetadata: {name: edge}\nspec: {region: us-central-dfw-2}\n"
POOL = (
    "apiVersion: ngpc.rxt.io/v1\nkind: SpotNodePool\nmetadata: {name: workers}\n"
    "spec: {cloudSpace: edge, serverClass: gp.vs1.large-dfw, desired: 2, bidPrice: 0.03}\n"
)
STACK = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: things}\nspec: {variables: {n: 3}}\n"
REGISTRATION = (
    "apiVersion: rsspot.dev/v1\nkind: Registration\nmetadata: {name: known}\n"
    "spec: {vmCloudSpace: vms, omniCluster: prod, registrar: {exec: [./register.sh]}}\n"
)
OVERLAY = (
    "apiVersion: rsspot.dev/v1\nkind: Overlay\nmetadata: {name: change}\n"
    "spec: {target: {name: x}, patch: [{op: test, path: /spec, value: 3}]}\n"
)
AUTOPILOT = (
    "apiVersion: ngpc.rxt.io/v1\nkind: AutopilotNodePool\nmetadata: {name: burst}\n"
    "spec: {cloudSpace: edge, region: us-central-dfw-2, vcpu: {total: 8}, budgetPerHour: 0.1}\n"
)


def accepts(text: str) -> bool:
    """Whether the schema has nothing against any document of a text."""
    sources, problems = parse_text(text, "test")
    return not problems and all(WHOLE.is_valid(source.value) for source in sources)


@pytest.mark.parametrize("name", NAMES)
def test_each_schema_is_one(name: str) -> None:
    """It says of itself nothing that JSON Schema does not know."""
    Draft202012Validator.check_schema(schema_of(name))


def test_the_schema_of_all_kinds_is_one() -> None:
    """Likewise."""
    Draft202012Validator.check_schema(whole_schema())


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: str(file.relative_to(ROOT)))
def test_shipped_manifests_are_valid(file: Path) -> None:
    """By the schema of all kinds, and by that of their own."""
    sources, problems = read_sources([ManifestFile(file, named=True)])
    assert sources and not problems
    for source in sources:
        assert [error.message for error in WHOLE.iter_errors(source.value)] == []
        own = Draft202012Validator(schema_of(source.value["kind"]))
        assert [error.message for error in own.iter_errors(source.value)] == []


def test_the_manifests_of_the_planner_are_valid() -> None:
    """All that can be loaded: what the schema refused of them, `validate` would refuse too."""
    seen = 0
    for file in CASES:
        manifests = yaml.safe_load(file.read_text(encoding="utf-8")).get("manifests")
        text = manifests if isinstance(manifests, str) else yaml.safe_dump_all(manifests or [])
        for source in parse_text(text, str(file))[0]:
            assert [error.message for error in WHOLE.iter_errors(source.value)] == [], file
            seen += 1
    assert seen > 100


@pytest.mark.parametrize(
    ("base", "written", "instead"),
    [
        (POOL, "desired: 2", 'desired: "2"'),
        (POOL, "desired: 2", "desired: 2.0"),
        (POOL, "desired: 2", "desired: '${var:n}'"),
        (POOL, "bidPrice: 0.03", "bidPrice: '$0.03'"),
        (POOL, "bidPrice: 0.03", "bidPrice: '.03'"),
        (POOL, "bidPrice: 0.03", "bidPrice: '${env:BID:-0.03}'"),
        (POOL, "desired: 2", "desired: 2, autoscaling: null, customTaints: null, customLabels: null"),
        (POOL, "desired: 2", "desired: 2, customLabels: {a: b, c: null}"),
        (POOL, "desired: 2", "desired: 2, customTaints: [{key: a, effect: '${var:effect:-NoSchedule}'}]"),
        (POOL, "desired: 2", "autoscaling: {enabled: 'true', minNodes: 1, maxNodes: '3'}"),
        (POOL, "{name: workers}", "{name: workers, labels: null, uid: x, managedFields: [], generation: 3}"),
        (POOL, "{name: workers}", "{name: '${var:name:-workers}', labels: {a: b}}"),
        (CLOUDSPACE, "region: us-central-dfw-2", "region: us-central-dfw-2, cni: calico, bidRequests: [a]"),
        (CLOUDSPACE, "kind: CloudSpace", "kind: CloudSpace\nstatus: {phase: Ready}"),
        (STACK, "{variables: {n: 3}}", "{limits: {deletes: 3, deletePercent: 20}}"),
        (STACK, "spec: {variables: {n: 3}}\n", ""),
        (REGISTRATION, "exec: [./register.sh]", "exec: [./register.sh], find: true, timeoutSeconds: '90'"),
        (AUTOPILOT, "vcpu: {total: 8}", "vcpu: {total: 8}, memoryPerVCPU: any"),
        (STACK, "{n: 3}", "{n: {type: number, default: 3, allowed: [2, 3], required: false, description: x}}"),
        (STACK, "{n: 3}", "{n: {x: 1}, m: [1, {a: b}], k: null, l: {}, t: {type: other, cost: 3}}"),
        (
            POOL,
            "metadata: {name: workers}",
            "matrix: {a: [x, true], include: [{a: 1}]}\nmetadata: {name: 'w${matrix:a}'}",
        ),
        (POOL, "metadata: {name: workers}", "matrix: {a: '${var:all}', b: [1]}\nmetadata: {name: workers}"),
    ],
)
def test_what_validate_accepts_is_accepted(base: str, written: str, instead: str, tmp_path: Path) -> None:
    """In every spelling that a manifest may have."""
    text = base.replace(written, instead)
    assert text != base
    (tmp_path / "manifest.yaml").write_text(text if base is not STACK else text + "---\n" + CLOUDSPACE)
    assert load([tmp_path], variables={"n": 2, "all": ["x"]}, environ={}).manifests
    assert accepts(text)


@pytest.mark.parametrize(
    ("base", "written", "instead"),
    [
        (POOL, "desired: 2", "desired: two"),
        (POOL, "desired: 2", "desired: 2.5"),
        (POOL, "desired: 2", "desired: true"),
        (POOL, "desired: 2", "desired: 0"),
        (POOL, "desired: 2", "desird: 2"),
        (POOL, "bidPrice: 0.03", "bidPrice: cheap"),
        (POOL, "bidPrice: 0.03", "bidPrice: -1"),
        (POOL, ", bidPrice: 0.03", ""),
        (POOL, "desired: 2", "desired: 2, customTaints: [{key: a, effect: Never}]"),
        (POOL, "desired: 2", "desired: 2, customLabels: {a: 1}"),
        (POOL, "desired: 2", "desired: 2, autoscaling: {minNodes: 1}"),
        (POOL, "name: workers", "name: Workers"),
        (POOL, "name: workers", "name: workers, label: {}"),
        (POOL, "apiVersion: ngpc.rxt.io/v1", "apiVersion: v1"),
        (POOL, "apiVersion: ngpc.rxt.io/v1\n", ""),
        (POOL, "kind: SpotNodePool", "kind: SpotNodePol"),
        (POOL, "kind: SpotNodePool\n", ""),
        (POOL, "metadata: {name: workers}\n", ""),
        (CLOUDSPACE, "region: us-central-dfw-2", "region: us-central-dfw-2, cni: flannel"),
        (CLOUDSPACE, "region: us-central-dfw-2", "region: us-central-dfw-2, kubernetesVersion: '1.33'"),
        (STACK, "{variables: {n: 3}}", "{limits: {deletePercent: 120}}"),
        (REGISTRATION, "exec: [./register.sh]", "exec: []"),
        (AUTOPILOT, "vcpu: {total: 8}", "vcpu: {total: 8}, memoryPerVCPU: '3'"),
        (STACK, "{n: 3}", "{n: {type: nmber}}"),
        (STACK, "{n: 3}", "{n: {type: number, required: perhaps}}"),
        (STACK, "{variables: {n: 3}}", "{include: here}"),
        (POOL, "metadata: {name: workers}", "matrix: {a: x}\nmetadata: {name: workers}"),
        (POOL, "metadata: {name: workers}", "matrix: {a: [{b: c}]}\nmetadata: {name: workers}"),
        (POOL, "metadata: {name: workers}", "matrix: {include: [x]}\nmetadata: {name: workers}"),
        (OVERLAY, "patch: [{op: test", "patch: [{op: tset"),
        (OVERLAY, "target: {name: x}", "target: {name: x, kinds: y}"),
        (OVERLAY, "target: {name: x}, ", ""),
        (OVERLAY, "patch: [{op: test, path: /spec, value: 3}]", "merge: []"),
    ],
)
def test_typical_mistakes_are_found(base: str, written: str, instead: str, tmp_path: Path) -> None:
    """The same that `validate` finds."""
    text = base.replace(written, instead)
    assert text != base
    (tmp_path / "manifest.yaml").write_text(text if base is not STACK else text + "---\n" + CLOUDSPACE)
    with pytest.raises(ManifestError):
        load([tmp_path / "manifest.yaml"], environ={})
    (source,) = parse_text(text, "test")[0]
    assert not WHOLE.is_valid(source.value)


def test_a_list_as_kubectl_prints_it_is_valid() -> None:
    """And what is wrong with an item of it is found."""
    items = [parse_text(text, "test")[0][0].value for text in (CLOUDSPACE, POOL)]
    listing: dict[str, Any] = {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": items}
    assert WHOLE.is_valid(listing)
    del items[1]["spec"]["bidPrice"]
    assert not WHOLE.is_valid(listing)


# Descriptions


def below(fields: tuple[FieldDescription, ...], path: str) -> Iterator[tuple[str, FieldDescription]]:
    """Every field with its whole name."""
    for field in fields:
        yield f"{path}.{field.name}", field
        yield from below(field.fields, f"{path}.{field.name}")


@pytest.mark.parametrize(
    "model", [*(kind.model for kind in kinds().values()), *DOCUMENTS.values()], ids=lambda model: model.__name__
)
def test_every_field_says_what_it_is_for(model: Any) -> None:
    """In a sentence, which editors, `explain` and the schema show."""
    fields = dict(below(described(model), model.__name__))
    assert [name for name, field in fields.items() if not field.description.endswith(".")] == []


def test_marks_are_part_of_what_editors_show() -> None:
    """Who changes an immutable field learns it before the plan says so."""
    spec = schema_of("CloudSpace")["properties"]["spec"]["properties"]
    assert "another value replaces the object" in spec["region"]["description"]
    assert spec["webhook"]["writeOnly"] is True and spec["bidRequests"]["readOnly"] is True
    assert (
        schema_of("Registration")["properties"]["spec"]["properties"]["registrar"]["anyOf"][0]["properties"][
            "timeoutSeconds"
        ]["default"]
        == 60
    )
