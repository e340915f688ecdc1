"""Every mistake in a manifest is named with its line and column, and all of them at once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import pytest

from rsspot.errors import ManifestError, Problem
from rsspot.manifests.manifest import ManifestSet
from rsspot.manifests.parse import load
from rsspot.planner.body import body_of
from support.folders import CLOUDSPACE, POOL


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that commands run in, so that places read as `stack.yaml:1:1`."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text: str) -> ManifestSet:
    """The manifests of one text."""
    Path("stack.yaml").write_text(text)
    return load([Path("stack.yaml")], environ={})


def problems_of(text: str) -> tuple[Problem, ...]:
    """What is wrong with one text."""
    with pytest.raises(ManifestError) as caught:
        read(text)
    return caught.value.problems


@pytest.mark.parametrize(
    ("before", "after", "place", "said", "hint"),
    [
        ("region: dfw", "regoin: dfw\n  region: dfw", "6:3", "unknown field 'regoin'", "did you mean 'region'?"),
        ("spec:", "specs: {}\nspec:", "5:1", "unknown field 'specs'", "did you mean 'spec'?"),
        ("  name: edge", "  name: edge\n  lables: {}", "5:3", "unknown field 'lables'", "did you mean 'labels'?"),
        ("region: dfw", "region: [dfw]", "6:", "spec.region: must be a string", None),
        ("region: dfw", "region: dfw\n  HAControlPlane: maybe", "7:", "must be true or false", None),
        ("region: dfw", "region: dfw\n  cni: flannel", "7:", "'calico', 'cilium' or 'byocni'", None),
        ("1.33.0", "1.33", "7:", "spec.kubernetesVersion", None),
        ("  region: dfw\n", "", "5:1", "missing field 'region'", None),
        ("  name: edge", "  labels: {}", "3:1", "missing field 'name'", None),
        ("metadata:\n  name: edge\n", "", "1:1", "missing field 'metadata'", None),
        ("kind: CloudSpace\n", "", "1:1", "missing field 'kind'", "CloudSpace"),
        ("apiVersion: ngpc.rxt.io/v1\n", "", "1:1", "missing field 'apiVersion'", "CloudSpace is ngpc.rxt.io/v1"),
        ("kind: CloudSpace", "kind: Cloudspace", "2:1", "unknown kind 'Cloudspace'", "did you mean 'CloudSpace'?"),
        ("kind: CloudSpace", "kind: Deployment", "2:1", "unknown kind 'Deployment'", "SpotNodePool"),
        ("ngpc.rxt.io/v1", "ngpc.rxt.io/v2", "1:1", "'ngpc.rxt.io/v2'", "CloudSpace is ngpc.rxt.io/v1"),
        ("name: edge", "name: Edge", "4:3", "bad name 'Edge'", "lowercase"),
        ("name: edge", f"name: {'a' * 64}", "4:3", "bad name", "at most 63"),
        ("name: edge", 'name: ""', "4:3", "bad name ''", "lowercase"),
        ("name: edge", "name: ../edge", "4:3", "bad name '../edge'", "lowercase"),
        ("name: edge", "name: 5", "4:3", "metadata.name: must be a string", None),
    ],
)
def test_a_mistake_and_its_place(here: Path, before: str, after: str, place: str, said: str, hint: str | None) -> None:
    """One mistake in a good manifest is one problem, at its line and column."""
    problems = problems_of(CLOUDSPACE.replace(before, after, 1))
    assert len(problems) == 1
    assert str(problems[0].origin).startswith(f"stack.yaml:{place}")
    assert said in problems[0].message
    assert (hint or "") in (problems[0].hint or "")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("desired: 2", "desired: two", "spec.desired: must be a whole number"),
        ("desired: 2", "desired: 0", "greater than or equal to 1"),
        ("bidPrice: 0.03", "bidPrice: cheap", "must be a number such as 0.03"),
        ("bidPrice: 0.03", "bidPrice: -1", "must not be negative"),
        ("bidPrice: 0.03", "bidPrice: 0.0301", "at most three decimal places"),
        ("bidPrice: 0.03", "bidPrice: true", "must be a number such as 0.03"),
    ],
)
def test_a_value_of_a_pool_that_cannot_be(here: Path, before: str, after: str, said: str) -> None:
    """Numbers and prices are checked where they are written."""
    (problem,) = problems_of(POOL.replace(before, after))
    assert said in problem.message
    line = POOL[: POOL.index(before)].count("\n") + 1
    assert str(problem.origin).startswith(f"stack.yaml:{line}:")


def test_a_mistake_inside_a_list_has_its_own_place(here: Path) -> None:
    """The third line of the second taint is where the mistake is."""
    taints = "  customTaints:\n    - {key: a, effect: NoSchedule}\n    - key: b\n      efect: NoSchedule\n"
    problems = problems_of(POOL + taints)
    unknown = next(each for each in problems if "efect" in each.message)
    assert str(unknown) == "stack.yaml:13:7: unknown field 'efect'"
    assert unknown.hint == "did you mean 'effect'?"


def test_a_name_declared_twice_names_both_places(here: Path) -> None:
    """The second is where the problem is, and the first is named."""
    (problem,) = problems_of(f"{CLOUDSPACE}---\n{CLOUDSPACE}")
    assert str(problem) == "stack.yaml:12:3: cloudspace/edge is declared twice"
    assert problem.hint == "first at stack.yaml:4:3"


def test_one_name_in_two_cloudspaces_is_two_pools(here: Path) -> None:
    """A pool's name is its own only within its cloudspace."""
    found = read(f"{POOL}---\n{POOL.replace('cloudSpace: edge', 'cloudSpace: west')}")
    assert [each.address for each in found.manifests] == ["spotnodepool/edge/workers", "spotnodepool/west/workers"]


def test_every_problem_at_once(here: Path) -> None:
    """Mistakes of several documents and files are all in one report."""
    Path("broken.yaml").write_text("a: [\n")
    wrong = CLOUDSPACE.replace("region: dfw", "regoin: dfw").replace("1.33.0", "newest")
    Path("stack.yaml").write_text(f"{wrong}---\n{POOL.replace('desired: 2', 'desired: two')}")
    with pytest.raises(ManifestError) as caught:
        load([Path("broken.yaml"), Path("stack.yaml"), Path("none.yaml")], environ={})
    said = "\n".join(map(str, caught.value.problems))
    for part in ("invalid YAML", "'regoin'", "missing field 'region'", "kubernetesVersion", "desired", "no such file"):
        assert part in said


def test_a_missing_variable_hides_no_other_mistake(here: Path) -> None:
    """An unknown field is named even where another field of the same manifest has no value yet."""
    problems = problems_of(CLOUDSPACE.replace("region: dfw", "region: ${var:region}\n  webhok: x"))
    said = "\n".join(map(str, problems))
    assert "no variable 'region'" in said
    assert "unknown field 'webhok'" in said


def test_what_kubectl_prints_is_a_manifest(here: Path) -> None:
    """Status and the metadata that only a server writes are passed over."""
    text = dedent("""\
        apiVersion: ngpc.rxt.io/v1
        kind: CloudSpace
        metadata:
          annotations:
            team: red
          creationTimestamp: "2026-01-01T00:00:00Z"
          deletionGracePeriodSeconds: 0
          finalizers: [ngpc.rxt.io/cleanup]
          generation: 2
          managedFields:
            - {manager: kubectl, operation: Update}
          name: edge
          namespace: org-abc
          ownerReferences: []
          resourceVersion: "41"
          selfLink: /apis/ngpc.rxt.io/v1/namespaces/org-abc/cloudspaces/edge
          uid: 7e0f4b7e-0000-4000-8000-000000000000
        spec:
          bidRequests: [a]
          kubernetesVersion: 1.33.0
          region: dfw
        status:
          phase: Ready
        """)
    (manifest,) = read(text).manifests
    assert manifest.body == {
        "metadata": {"annotations": {"team": "red"}},
        "spec": {"kubernetesVersion": "1.33.0", "region": "dfw"},
    }


def test_a_price_is_parsed_once(here: Path) -> None:
    """However a price is written, it is one exact number, and has one spelling on the wire."""
    for written in ("0.03", '"0.030"', '"$0.03"', "3e-2"):
        (manifest,) = read(POOL.replace("bidPrice: 0.03", f"bidPrice: {written}")).manifests
        assert manifest.spec["bidPrice"] == Decimal("0.03")
        assert body_of(manifest, "name", "stack")["spec"]["bidPrice"] == "0.03"


def test_only_what_was_written_is_kept(here: Path) -> None:
    """A field that nobody wrote has no value, not even a default one."""
    (manifest,) = read(CLOUDSPACE).manifests
    assert set(manifest.spec) == {"region", "kubernetesVersion"}


STACK = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: demo}\n"


def test_a_stack_names_the_run(here: Path) -> None:
    """The Stack's name and limits are those of the whole set."""
    found = read(f"{STACK}spec: {{limits: {{deletes: 5}}}}\n---\n{CLOUDSPACE}")
    assert (found.stack, found.limits.deletes) == ("demo", 5)


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        (f"{STACK}---\n{STACK}", "a second Stack: a run has only one"),
        (STACK.replace("demo", "De_mo"), "bad name 'De_mo'"),
        (f"{STACK}spec: {{limts: {{}}}}\n", "unknown field 'limts'"),
        (f"{STACK}spec: {{limits: {{deletes: -1}}}}\n", "greater than or equal to 0"),
        (f"{STACK}spec: {{limits: {{deletes: many}}}}\n", "must be a whole number"),
        (STACK.replace("rsspot.dev/v1", "rsspot.dev/v9"), "'rsspot.dev/v9'"),
    ],
    ids=["second", "name", "field", "range", "type", "version"],
)
def test_a_stack_that_cannot_be(here: Path, stack: str, said: str) -> None:
    """A Stack is checked like every other document."""
    assert said in "\n".join(map(str, problems_of(f"{stack}---\n{CLOUDSPACE}")))
