"""A plan as SARIF and as JUnit XML: valid, with a place for each result, and a test case for each change."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft7Validator

from rsspot.errors import Problem
from rsspot.planner.change import Action
from rsspot.planner.plan import Plan
from rsspot.reports.registry import plan_report_for
from rsspot.utils.text import printable
from support.plans import HOSTILE, plan_of_size

SCHEMA = Path(__file__).parents[2] / ".venv/javascript-client/node_modules/@microsoft/jest-sarif/lib/schemas"
TESTSUITE = {"name", "tests", "failures", "errors", "skipped", "time"}
CHILDREN = {"testsuites": {"testsuite"}, "testsuite": {"testcase"}, "testcase": {"failure", "system-out"}}
ATTRIBUTES = {
    "testsuites": ({"name", "tests", "failures", "errors", "time"}, set[str]()),
    "testsuite": (TESTSUITE, set[str]()),
    "testcase": ({"name", "classname", "time"}, set[str]()),
    "failure": ({"message", "type"}, set[str]()),
    "system-out": (set[str](), set[str]()),
}
"""Of the JUnit format of Jenkins, what we write: element -> the attributes that it must have, and may have."""


def sarif(plan: Plan) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(plan_report_for("sarif").plan(plan))
    return log


def junit(plan: Plan) -> ElementTree.Element:
    return ElementTree.fromstring(plan_report_for("junit").plan(plan))


@pytest.fixture(scope="module")
def validator() -> Draft7Validator:
    """The schema of SARIF 2.1.0, which comes with a package in JavaScript."""
    file = SCHEMA / "sarif-2.1.0-rtm.5.json"
    if not file.exists():
        message = "make .venv/javascript installs the schema of SARIF"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)
    return Draft7Validator(json.loads(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("count", [0, 1, 50])
def test_sarif_is_valid(validator: Draft7Validator, count: int) -> None:
    """By the published schema, for findings too."""
    plan = plan_of_size(count)
    assert list(validator.iter_errors(sarif(plan))) == []


def test_sarif_has_what_is_refused_and_what_destroys() -> None:
    """Each with its rule, its level, its place if it has one, and the object."""
    (run,) = sarif(plan_of_size(12))["runs"]
    found = [(each["ruleId"], each["level"]) for each in run["results"]]
    assert found == [("budget", "error")] * 5 + [("planned-delete", "warning"), ("planned-replace", "warning")] * 2
    rules = [each["id"] for each in run["tool"]["driver"]["rules"]]
    assert [rules[each["ruleIndex"]] for each in run["results"]] == [rule for rule, _ in found]
    deleted, replaced = run["results"][5:7]
    assert "physicalLocation" not in deleted["locations"][0]
    assert replaced["locations"][0]["physicalLocation"]["region"] == {"startLine": 4, "startColumn": 3}
    assert deleted["message"]["text"].endswith("will be deleted: declared, and `````` many differs")
    (where,) = deleted["locations"][0]["logicalLocations"]
    assert where == {"fullyQualifiedName": "spotnodepool/cs-0/`````` many-2", "kind": "resource"}


def test_sarif_of_a_file_whose_name_is_no_text() -> None:
    """Its bytes are written with percent signs, as in any URI."""
    (run,) = sarif(plan_of_size(4, actions=(Action.REPLACE,)))["runs"]
    uri = run["results"][-1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "infra/%40octocat%20and%20%40octo/cats%FF.yaml"


@pytest.mark.parametrize("count", [0, 1, 50])
def test_junit_has_the_structure_of_jenkins(count: int) -> None:
    """The elements and attributes that its schema has, in the order that it has them."""
    for element in junit(plan_of_size(count)).iter():
        must, may = ATTRIBUTES[element.tag]
        assert must <= set(element.attrib) <= must | may
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
        order = [child.tag for child in element]
        assert order == sorted(order)


def test_junit_has_a_case_for_each_change_and_counts_them() -> None:
    """And one for each refusal that is about no single change."""
    (suite,) = junit(plan_of_size(50))
    assert len(suite) == 55 == int(suite.attrib["tests"])
    assert len(suite.findall("testcase/failure")) == 5 == int(suite.attrib["failures"])
    assert {each.attrib["classname"] for each in suite} == {"SpotNodePool", "guards"}


def test_junit_fails_the_change_that_is_refused() -> None:
    """All objections to one change are in one failure."""
    plan = plan_of_size(3, hostile=False)
    address = plan.changes[1].address
    refusals = (Problem(f"{address}: a bid of 9", None, "bid 8", "bid"), Problem(f"{address} would go", rule="limit"))
    (suite,) = junit(replace(plan, refusals=refusals))
    assert [len(case.findall("failure")) for case in suite] == [0, 1, 0]
    failure = suite[1][0]
    assert failure.attrib == {"message": f"{address}: a bid of 9", "type": "bid"}
    assert failure.text == f"{address}: a bid of 9\nhint: bid 8\n{address} would go"


def test_junit_has_every_hostile_text() -> None:
    """Escaped for XML, which has no control characters at all."""
    names = [case.attrib["name"] for case in junit(plan_of_size(len(HOSTILE)))[0]]
    assert [each for each in HOSTILE if not any(printable(each) in name for name in names)] == []
