"""What the documentation says of policies works: every expression, every test, and what the Rego example reads."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from rsspot.errors import Origin
from rsspot.manifests.manifest import ManifestSet
from rsspot.manifests.policies import PolicyFile, PolicySeverity
from rsspot.manifests.stack import StackSpec
from rsspot.planner.change import Action
from rsspot.planner.codec import dump_plan
from rsspot.planner.plan import Plan
from rsspot.planner.plan_document import schema
from rsspot.planner.policy import Policy
from rsspot.policies.evaluation import evaluate
from rsspot.policies.sources import policies_of
from rsspot.policies.variables import variables_of
from support.plans import plan_of_size

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
REGO = ROOT / "examples" / "policies" / "rego" / "plan.rego"


def blocks(language: str) -> list[str]:
    """The blocks of code of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def test_the_stack_of_the_page_has_its_policies() -> None:
    stack = yaml.safe_load(blocks("yaml")[0])
    spec = StackSpec.model_validate(stack["spec"], extra="forbid", context={"authoring": True})
    place = str(ROOT / "examples" / "gitops" / "stack.yaml")
    manifests = ManifestSet("production", (), (), stack_spec=spec)
    assert manifests.stack_spec.policies[1].file == "../policies/few-servers.cel"
    found = policies_of(replace(manifests, stack_origins={("spec",): Origin(place)}))
    assert [each.name for each in found] == ["bid-ceiling", "few-servers", "no-surprise", "prices-are-known"]


def test_every_expression_of_the_page_can_be_evaluated() -> None:
    """For a plan with changes of every kind."""
    written = [line for line in blocks("cel")[0].splitlines() if line]
    written.append(yaml.safe_load(blocks("yaml")[0])["spec"]["policies"][0]["expression"])
    assert len(written) == 6
    plan = plan_of_size(30, hostile=False)
    policies = [Policy(f"p{i}", PolicySeverity.DENY, "M.", text) for i, text in enumerate(written)]
    assert [each.failure for each in evaluate(policies, variables_of(plan), plan.changes)] == [None] * 6


def test_the_test_of_the_page_is_one_of_the_example() -> None:
    """So it runs: the tests of the example do."""
    page = yaml.safe_load(blocks("yaml")[1])
    example = yaml.safe_load((ROOT / "examples/gitops/policies/production.test.yaml").read_text())
    names = {each["name"]: each for each in example["tests"]}
    for each in page["tests"]:
        assert {**each, "expect": names[each["name"]]["expect"]} == names[each["name"]]
    assert page["policies"] == example["policies"]


def test_every_policy_of_the_examples_is_tested() -> None:
    """Each is expected not to hold somewhere."""
    files = [each for each in (ROOT / "examples").rglob("*.yaml") if "policies" in each.parts]
    tests = [yaml.safe_load(each.read_text()) for each in files if each.name.endswith(".test.yaml")]
    expected = {name for each in tests for case in each["tests"] for name in case.get("expect", {})}
    read = [yaml.safe_load(each.read_text()) for each in files if not each.name.endswith(".test.yaml")]
    named = {entry.name for each in read for entry in PolicyFile.model_validate(each).policies}
    assert named and named == expected


# Rego


def _members(node: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """The properties of a part of the schema."""
    for option in (node, *node.get("anyOf", ())):
        found = definitions[option["$ref"].rpartition("/")[2]] if "$ref" in option else option
        if "items" in found:
            return _members(found["items"], definitions)
        if "properties" in found:
            return dict(found["properties"])
    return {}


def test_what_the_rego_example_reads_is_in_the_plan() -> None:
    """By the schema that is shipped, along every path; only inside of bodies is anything allowed."""
    text = "\n".join(line for line in REGO.read_text().splitlines() if not line.startswith("#"))
    document = schema()
    definitions = document["$defs"]
    kinds = {"change": "PlanChange", "edit": "PlanEdit", "refusal": "PlanProblem"}
    starts = {"input": document} | {name: definitions[kind] for name, kind in kinds.items()}
    read = set(re.findall(r"\b(input|change|edit|refusal)((?:\.\w+)+)", text))
    assert len(read) >= 14
    for start, path in read:
        node, passed = starts[start], start
        for name in path[1:].split("."):
            members = _members(node, definitions)
            if passed.endswith(".body"):
                break
            assert name in members, f"{passed}.{name}"
            node, passed = members[name], f"{passed}.{name}"


def test_the_rego_example_finds_what_it_says(tmp_path: Path) -> None:
    """Where opa is installed."""
    if shutil.which("opa") is None:
        pytest.skip("opa is not installed")
    plan = plan_of_size(12, hostile=False)
    plan = replace(plan, stack="production", changes=tuple(_dear(change) for change in plan.changes))
    found = _ask(plan, tmp_path)
    gone = {f"{each.address} would be gone: {each.reason}" for each in plan.changes if each.destructive}
    assert gone and gone <= set(found["deny"])
    assert any("would bid" in each for each in found["deny"])
    assert _ask(Plan("scope", "org", "staging", "apply", ()), tmp_path) == {"deny": [], "warn": []}


def _dear(change: Any) -> Any:
    """A new object with a high bid."""
    if change.action is not Action.CREATE or not change.body:
        return change
    return replace(change, body={**change.body, "spec": {**change.body["spec"], "bidPrice": Decimal("0.5")}})


def _ask(plan: Plan, folder: Path) -> dict[str, list[str]]:
    (folder / "plan.json").write_text(json.dumps(dump_plan(plan)))
    line = ["opa", "eval", "--data", str(REGO), "--input", str(folder / "plan.json"), "data.main"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    value = json.loads(done.stdout)["result"][0]["expressions"][0]["value"]
    return {"deny": value["deny"], "warn": value["warn"]}
