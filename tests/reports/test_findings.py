"""Findings as SARIF and as commands of a workflow: valid, complete, and harmless whatever they quote."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rsspot.errors import Origin, Problem
from rsspot.manifests.rules import ManifestRule
from rsspot.planner.case import Rule
from rsspot.reports.registry import FINDINGS, findings_report_for

PROBLEMS = [
    Problem("unknown field 'desird'", Origin("infra/a b.yaml", 3, 7), "did you mean 'desired'?", "unknown-field"),
    Problem("the live regions could not be read", rule=Rule.INCOMPLETE_READ),
    Problem("invalid YAML", Origin("-", 1, 2), rule=ManifestRule.YAML),
]


def test_sarif_has_a_result_for_each_finding_with_its_rule_and_place() -> None:
    """The members that SARIF 2.1.0 requires, and those that code scanning goes by."""
    log = json.loads(findings_report_for("sarif").findings(PROBLEMS))
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert run["tool"]["driver"]["name"] == "rsspot"
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [each.rule for each in PROBLEMS]
    assert all(result["ruleId"] in rules and result["message"]["text"] for result in run["results"])
    (place,) = run["results"][0]["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "infra/a%20b.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3, "startColumn": 7},
    }
    assert all("locations" not in result for result in run["results"][1:])


def test_sarif_without_findings_says_so() -> None:
    """An upload of an empty log closes what an earlier one opened."""
    (run,) = json.loads(findings_report_for("sarif").findings([]))["runs"]
    assert run["results"] == [] and run["tool"]["driver"]["rules"] == []


def test_a_file_below_the_working_directory_is_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it was given; one elsewhere is absolute."""
    monkeypatch.chdir(tmp_path)
    elsewhere = os.path.join(os.sep, "elsewhere", "a.yaml")  # noqa: PTH118
    for given, uri in (
        (str(tmp_path / "x" / "a.yaml"), "x/a.yaml"),
        ("./x/a.yaml", "x/a.yaml"),
        (elsewhere, "file:///elsewhere/a.yaml"),
    ):
        (run,) = json.loads(findings_report_for("sarif").findings([Problem("m", Origin(given))]))["runs"]
        (place,) = run["results"][0]["locations"]
        assert place["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_a_workflow_is_told_of_each_finding_in_a_line() -> None:
    """With what a command may not hold as it is, escaped."""
    nasty = Problem("50% of\r\n::set-output name=x::y", Origin("a,b:c%.yaml", 2, 4), rule="value")
    assert findings_report_for("github").findings([*PROBLEMS[:2], nasty]).split("\n") == [
        "::error file=infra/a b.yaml,line=3,col=7,title=unknown-field"
        "::unknown field 'desird' (did you mean 'desired'?)",
        "::error title=incomplete-read::the live regions could not be read",
        "::error file=a%2Cb%3Ac%25.yaml,line=2,col=4,title=value::50%25 of%0D%0A::set-output name=x::y",
    ]
    assert findings_report_for("github").findings([]) == ""


def test_no_rule_of_a_manifest_is_called_like_one_of_a_plan() -> None:
    """One word, one meaning, in one list of rules."""
    assert not {*map(str, ManifestRule)} & {*map(str, Rule)}
    assert set(FINDINGS) == {"sarif", "github"}
