"""What policies say, and what others did, in every format: whatever the names and messages hold."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from rsspot.errors import Origin
from rsspot.manifests.policies import PolicySeverity
from rsspot.planner.change import Action
from rsspot.planner.codec import dump_plan, load_plan
from rsspot.planner.plan import DRIFT, Plan
from rsspot.planner.policy import MOST_FINDINGS, Policy, PolicyResult, Violation
from rsspot.reports.markdown import BUDGET
from rsspot.reports.registry import PLAN_FORMATS, plan_report_for
from support.browser import browser
from support.plans import HOSTILE, SECRET, plan_of_size

__all__ = ["browser"]


def judged_plan(count: int) -> Plan:
    """A plan with a policy for each hostile text and severity, and one that failed with it."""
    plan = plan_of_size(count)
    violations = tuple(Violation(change.address, change.origin) for change in plan.changes[:MOST_FINDINGS])
    results = []
    for index, text in enumerate(HOSTILE):
        severity = [*PolicySeverity][index % 3]
        policy = Policy(f"p{index}", severity, text, f"'{text}' == ''", Origin(text, 3, 1))
        results.append(PolicyResult(policy, violations, len(plan.changes)))
        results.append(PolicyResult(replace(policy, name=f"failed-{index}"), failure=text))
    refusals = [problem for each in results if each.refuses for problem in each.problems]
    return replace(plan, policies=tuple(results), refusals=(*plan.refusals, *refusals))


def drift_report(count: int) -> Plan:
    """A report of drift with things of every sort, and what is not applied yet."""
    plan = plan_of_size(count)
    did = (Action.CREATE, Action.UPDATE, Action.DELETE, Action.REPLACE)
    found = []
    for index, change in enumerate(plan.changes):
        edits = tuple(replace(edit, by=HOSTILE[index % len(HOSTILE)], since="2026") for edit in change.edits)
        found.append(replace(change, action=did[index % len(did)], edits=edits))
    return replace(plan, command=DRIFT, drifted=tuple(found), refusals=(), programs={}, cost=None)


@pytest.mark.parametrize("make", [judged_plan, drift_report])
@pytest.mark.parametrize("count", [1, 50])
@pytest.mark.parametrize("name", PLAN_FORMATS)
def test_every_format_takes_whatever_there_is(name: str, count: int, make) -> None:
    """It holds no secret, is what its format has to be, and says the same of a plan that was saved."""
    plan = make(count)
    text = plan_report_for(name).plan(plan)
    assert SECRET not in text
    if name == "junit":
        ET.fromstring(text)
    if name == "sarif":
        assert json.loads(text)["runs"][0]["results"]
    if name == "markdown":
        assert len(text) <= BUDGET
    if name == "html":
        assert "<script>window.ran" not in text and "</details></summary></pre>" not in text


@pytest.mark.parametrize("make", [judged_plan, drift_report])
def test_a_report_is_read_back_as_it_was(make) -> None:
    document = dump_plan(make(50))
    assert dump_plan(load_plan(document)) == document


@pytest.mark.parametrize("make", [judged_plan, drift_report])
def test_ten_thousand_changes_find_room(make) -> None:
    """A comment stays within its budget, and says how much it left out; a policy is told in few lines."""
    plan = make(10_000)
    text = plan_report_for("markdown").plan(plan)
    assert len(text) <= BUDGET and "found no room here" in text
    assert len(plan.refusals) < 500


def test_what_policies_say_is_never_markup(make_page) -> None:
    """In a real browser: no text of others runs, and the table is complete."""
    plan = judged_plan(3)
    page = make_page(plan)
    assert page.locator("section.policies tbody tr").count() == len(plan.policies)
    assert page.evaluate("window.ran") is None
    report = make_page(drift_report(8))
    assert report.locator("h1").inner_text() == "Drift of demo"
    assert report.locator("details.change .action").first.inner_text() in ("made", "changed", "deleted", "made again")


@pytest.fixture
def make_page(browser, tmp_path):
    """Opens the page of a plan."""
    contexts = []

    def opened(plan: Plan):
        file = tmp_path / "plan.html"
        file.write_text(plan_report_for("html").plan(plan), encoding="utf-8")
        contexts.append(browser.new_context())
        page = contexts[-1].new_page()
        page.goto(file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
