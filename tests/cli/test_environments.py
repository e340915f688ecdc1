"""Environments over a shared base, as users type it: plan, apply, saved plans, variables, and what is refused."""

from __future__ import annotations

import itertools
import json
import random
import re
import shutil
from pathlib import Path

import pytest

from support.folders import overlay, written
from support.shell import Command

EXAMPLE = Path(__file__).parents[2] / "examples" / "environments"


@pytest.fixture(autouse=True)
def example(here: Path) -> None:
    """The working directory has a copy of the example."""
    shutil.copytree(EXAMPLE, here, dirs_exist_ok=True)


def digest(rsspot: Command, paths: str) -> str:
    """The digest of a plan, which is of all that it would do."""
    rsspot(f"plan {paths} --out plan.json")
    found: str = json.loads(Path("plan.json").read_text())["digest"]
    return found


def test_an_environment_is_planned_and_applied(rsspot: Command) -> None:
    """The base with the overlays of one environment; the other one is another stack."""
    planned = rsspot("plan base/ overlays/staging/")
    assert "3 to create" in planned
    assert [line.split()[-1] for line in planned.splitlines() if "desired" in line] == ["1", "1"]
    assert "customTaints" not in planned
    rsspot("apply base/ overlays/staging/ --yes --wait none")
    assert "No changes." in rsspot("plan overlays/staging/")
    planned = rsspot("plan base/ overlays/production/")
    assert "3 to create" in planned
    assert "autoscaling.maxNodes   6" in planned
    assert '{"key": "large", "effect": "NoSchedule"}' in planned


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_a_base_that_is_included_need_not_be_given(rsspot: Command, environment: str) -> None:
    """Both ways plan the same."""
    folder = f"overlays/{environment}/"
    assert digest(rsspot, folder) == digest(rsspot, f"base/ {folder}") == digest(rsspot, f"{folder} base/")


def test_the_base_alone_says_what_it_needs(rsspot: Command) -> None:
    """Once, where it is declared."""
    said = rsspot("plan base/", 3)
    assert said.count("error:") == 1
    assert "base/stack.yaml:9:5: the variable 'environment' is required and has no value" in said
    assert "--var environment: must be one of: staging, production" in rsspot("plan base/ --var environment=test", 3)
    assert "3 manifests in 3 files are valid (stack 'base')" in rsspot("validate base/ --var environment=staging")


def test_every_command_takes_variable_files(rsspot: Command) -> None:
    """A later one wins, and --var over all."""
    written({"one.yaml": "nodes: 3\nregion: us-west-sjc-1\n", "two.json": '{"nodes": 4}'})
    files = "--var-file one.yaml --var-file two.json"
    paths = f"overlays/production/ {files}"
    for line, nodes in ((f"plan {paths}", "4"), (f"plan {paths} --var nodes=5", "5")):
        lines = [each.split()[-1] for each in rsspot(line).splitlines() if "desired" in each]
        assert lines == [nodes, nodes]
    assert "are valid" in rsspot(f"validate {paths}")
    assert "create" in rsspot(f"explain spotnodepool/production/general-large {paths}")
    rsspot(f"apply {paths} --yes --wait none")
    rsspot(f"destroy {paths} --yes --wait none")


def test_a_mistake_in_a_variable_file_is_shown_with_its_line(rsspot: Command) -> None:
    """Unknown names, with the one that was meant, beside values of another type."""
    written({"vars.yaml": "# ours\nnodes: many\nregoin: us-west-sjc-1\n"})
    said = rsspot("plan overlays/staging/ --var-file vars.yaml --var enviroment=x", 3)
    assert "vars.yaml:2:1: variable 'nodes': must be a number" in said
    assert "vars.yaml:3:1: variable file: no manifest declares or uses a variable 'regoin'" in said
    assert "did you mean 'region'?" in said
    assert "--var: no manifest declares or uses a variable 'enviroment'" in said


def test_what_the_planner_refuses_is_in_the_overlay(rsspot: Command) -> None:
    """The line of the bid that an overlay sets, not that of the base."""
    written({"overlays/staging/bid.yaml": overlay("{name: '*-xlarge'}", "merge: {spec: {bidPrice: 0.07}}")})
    said = rsspot("plan base/ overlays/staging/", 5)
    assert "overlays/staging/bid.yaml:6:18: " in said
    assert "bid" in said


def test_problems_as_json_have_their_places(rsspot: Command) -> None:
    """In the file that was written, through include, matrix and overlay; once for all combinations."""
    written({"overlays/staging/z.yaml": overlay("{kind: '*Pool'}", "merge: {spec: {desired: two, desird: 2}}")})
    problems = json.loads(rsspot("plan overlays/staging/ -o json", 3))["error"]["problems"]
    file = "overlays/staging/z.yaml"
    assert [each["source"] for each in problems] == [{"file": file, "line": 6, "column": each} for each in (18, 32)]


def test_a_saved_plan_is_applied_with_the_secrets_of_base_and_overlay(rsspot: Command) -> None:
    """They are read again from all files, wherever the files of the references are."""
    written({"hook.txt": "https://hooks.example.com/s3cret-one\n", "base/notes/a.txt": "ours\n"})
    hook = "{spec: {webhook: '${file:../../hook.txt}'}, metadata: {annotations: {note: '${var:note}'}}}"
    written({"overlays/staging/hook.yaml": overlay("{kind: CloudSpace}", f"merge: {hook}")})
    base = Path("base/cluster.yaml")
    base.write_text(base.read_text().replace("spec:", "  labels: {of: '${file:notes/a.txt}'}\nspec:"))
    shown = rsspot("plan base/ overlays/staging/ --out plan.json --var note=x")
    shown += rsspot("apply --plan plan.json --var note=x --yes --wait none -v")
    assert "s3cret" not in shown + Path("plan.json").read_text()
    assert "s3cret-one" in rsspot("cloudspaces get staging --show-secrets -o json")
    written({"hook.txt": "https://hooks.example.com/s3cret-two\n"})
    rsspot("plan overlays/staging/ --out plan.json --var note=y")
    written({"hook.txt": "https://hooks.example.com/s3cret-three\n"})
    assert "is not the one" in rsspot("apply --plan plan.json --var note=y --yes --wait none", 6)


def test_a_failing_overlay_shows_no_secret(rsspot: Command) -> None:
    """Neither in the message nor in the line below it."""
    patch = "patch:\n    - {op: replace, path: /spec/nothing, value: 'https://h.io/canary-1'}\n"
    written({"overlays/staging/hook.yaml": overlay("{kind: CloudSpace}", patch)})
    written({"vars.yaml": "nodes: canary-2-canary-2-canary-2\n"})
    for line in ("plan overlays/staging/", "plan overlays/staging/ -o json", "validate overlays/staging/ -v"):
        said = rsspot(f"{line} --var-file vars.yaml --var region=canary-3", 3)
        assert "there is no /spec/nothing" in said
        assert "canary" not in said


def test_order_without_meaning_changes_no_digest(rsspot: Command) -> None:
    """Of files, of documents and of keys."""
    first = digest(rsspot, "overlays/production/")
    random_ = random.Random(5)
    documents = [file.read_text() for file in sorted(Path("base").iterdir())]
    for _ in range(3):
        random_.shuffle(documents)
        shutil.rmtree("base")
        written({f"base/{number}.yaml": text for number, text in enumerate(documents[1:])})
        written({"base/z/more.json": documents[0]})
        assert digest(rsspot, "overlays/production/") == first
    shutil.rmtree("base")
    written({"base/all.yaml": "---\n".join(documents)})
    assert digest(rsspot, "overlays/production/") == first


def test_own_documents_are_explained(rsspot: Command) -> None:
    """Overlay like Stack, and both have a schema."""
    assert "A merge patch (RFC 7386)" in " ".join(rsspot("explain Overlay.merge").split())
    assert "type <string>" in rsspot("explain stack.variables")
    assert "include <[]string>" in rsspot("explain Stack.spec")
    assert json.loads(rsspot("schema overlay"))["title"] == "Overlay"


def test_two_pools_of_one_matrix_that_are_one(rsspot: Command) -> None:
    """The plan is refused with the combination."""
    pools = Path("base/pools.yaml")
    pools.write_text(pools.read_text().replace("general-${matrix:size}", "general"))
    said = rsspot("plan overlays/production/", 3)
    assert "the overlay addresses nothing: no SpotNodePool production/general-xlarge is declared" in said
    assert "spotnodepool/production/general is declared twice (combination 2 of 2: size=xlarge, bid=0.13)" in said


def test_the_page_on_composition_shows_the_example() -> None:
    """Each of its blocks that begins with a file name is that file, apart from comments at its top."""
    page = (EXAMPLE.parents[1] / "docs" / "composition.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n# (\S+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 5
    for name, text in blocks:
        lines = (EXAMPLE / name).read_text(encoding="utf-8").splitlines(keepends=True)
        assert text == "".join(itertools.dropwhile(lambda line: line.startswith("#"), lines)), name
