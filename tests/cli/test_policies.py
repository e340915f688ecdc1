"""Policies on the command line: what they deny is not applied by any way, and every format tells what came of them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from rsspot.policies import evaluation
from support.shell import Command

STACK = """apiVersion: rsspot.dev/v1
kind: Stack
metadata: {name: mine}
spec:
  policies:
    - name: bid-ceiling
      message: A bid is at most MOST USD an hour.
      expression: "!has(change.new.spec.bidPrice) || double(change.new.spec.bidPrice) <= MOST"
    - {name: keep, message: Nothing goes., expression: "!change.destructive"}
    - {name: small, message: One change is enough., severity: warn, expression: size(changes) <= 1}
    - {name: told, message: It is not free., severity: info, expression: money.perHour.ceiling.after == 0.0}
---
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {region: us-central-dfw-1, kubernetesVersion: 1.32.0}
---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {name: workers}
spec: {cloudSpace: edge, serverClass: gp.vs1.medium-dfw, desired: 2, bidPrice: 0.06}
"""


def write(most: str = "0.10", text: str = STACK) -> None:
    Path("stack.yaml").write_text(text.replace("MOST", most))


def without_policies() -> str:
    head, _, rest = STACK.partition("spec:\n")
    return head + rest[rest.index("---") :]


def test_what_is_denied_is_not_applied(rsspot: Command) -> None:
    """Exit code 5, at the line of the change, and nothing is sent."""
    write("0.05")
    printed = rsspot("plan stack.yaml", 5)
    assert "spotnodepool/edge/workers: A bid is at most 0.05 USD an hour." in printed
    assert "this is the policy 'bid-ceiling' at stack.yaml:8:7" in printed
    assert "metadata: {name: workers}" in printed
    rsspot("apply stack.yaml --yes", 5)
    rsspot("plan stack.yaml --out plan.json", 5)
    assert not Path("plan.json").exists()
    assert json.loads(rsspot("cloudspaces list -o json")) == []


def test_warnings_are_told_and_do_not_stop_an_apply(rsspot: Command) -> None:
    write()
    printed = rsspot("plan stack.yaml")
    assert (
        "Warning: One change is enough. (policy small)" in printed and "Info: It is not free. (policy told)" in printed
    )
    assert "created=2" in rsspot("apply stack.yaml --yes --wait none")


def test_a_saved_plan_is_judged_by_the_policies_of_now(rsspot: Command) -> None:
    """Those of the manifests at hand."""
    write()
    rsspot("plan stack.yaml --out plan.json")
    write("0.05")
    assert "A bid is at most 0.05" in rsspot("apply --plan plan.json --yes", 5)
    write("0.07")
    assert "created=2" in rsspot("apply --plan plan.json --yes --wait none")


def test_a_saved_plan_without_its_manifests_is_judged_by_its_own(rsspot: Command) -> None:
    """And by those on record, which cannot be taken out of a file."""
    from rsspot.planner.codec import digest_of

    write("0.05", STACK.replace("bidPrice: 0.06", "bidPrice: 0.04"))
    rsspot("plan stack.yaml --out plan.json")
    document = json.loads(Path("plan.json").read_text())
    (Path("stack.yaml")).unlink()
    document["policies"][0]["expression"] = "false"
    document["digest"] = digest_of(document)
    Path("forged.json").write_text(json.dumps(document))
    assert "A bid is at most 0.05" in rsspot("apply --plan forged.json --yes", 5)
    rsspot("apply --plan plan.json --yes --wait none")
    Path("free.yaml").write_text(without_policies())
    rsspot("plan free.yaml --out free.json")
    Path("free.yaml").unlink()
    assert "A bid is at most 0.05" in rsspot("apply --plan free.json --yes", 5)


def test_an_undo_and_the_end_of_a_stack_are_judged_too(rsspot: Command) -> None:
    """By the policies of the manifests, or else by those of the last plan on record."""
    write()
    rsspot("apply stack.yaml --yes --wait none")
    for line in ("plan --undo 1", "apply --undo 1 --yes", "destroy stack.yaml --yes", "destroy --stack mine --yes"):
        assert "Nothing goes." in rsspot(line, 5), line
    write(text=without_policies())
    assert "deleted=2" in rsspot("destroy stack.yaml --yes --wait none")


def test_giving_objects_away_is_not_judged(rsspot: Command) -> None:
    """It changes nothing of them but whose they are."""
    write()
    rsspot("apply stack.yaml --yes --wait none")
    rsspot("detach spotnodepool/edge/workers --yes")


def test_drift_is_not_judged(rsspot: Command) -> None:
    """It changes nothing."""
    write()
    rsspot("apply stack.yaml --yes --wait none")
    write("0.05")
    assert "No drift." in rsspot("drift stack.yaml")


def test_every_format_tells_what_came_of_policies(rsspot: Command) -> None:
    write("0.05")
    formats = {"text": "txt", "markdown": "md", "html": "html", "sarif": "sarif", "junit": "xml", "json": "json"}
    rsspot("plan stack.yaml " + " ".join(f"--report {name}=r.{end}" for name, end in formats.items()), 5)
    read = {end: Path(f"r.{end}").read_text() for end in formats.values()}
    for end in ("txt", "md", "html", "xml", "sarif", "json"):
        assert "A bid is at most 0.05 USD an hour." in read[end], end
        assert "One change is enough." in read[end] and "It is not free." in read[end], end
    assert "4 policies: 1 denied, 1 warned, 1 mentioned, 1 held" in read["md"]
    assert "4 policies: 1 denied, 1 warned, 1 mentioned, 1 held" in read["html"]
    outcomes = {each["name"]: each["outcome"] for each in json.loads(read["json"])["policies"]}
    assert outcomes == {"bid-ceiling": "violated", "keep": "holds", "small": "violated", "told": "violated"}
    found = {each["ruleId"]: each["level"] for each in json.loads(read["sarif"])["runs"][0]["results"]}
    assert found == {"policy/bid-ceiling": "error", "policy/small": "warning", "policy/told": "note"}
    suite = ET.fromstring(read["xml"])
    assert [each.get("name") for each in suite.iter("testcase") if each.get("classname") == "policies"] == [
        "bid-ceiling",
        "keep",
        "small",
        "told",
    ]
    assert suite.get("failures") == "1"
    annotated = rsspot("plan stack.yaml -o github", 5)
    assert "::error file=stack.yaml,line=20" in annotated and "title=policy/bid-ceiling" in annotated


def test_without_the_library_nothing_is_allowed(rsspot: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is said how to install it."""
    write()
    monkeypatch.setattr(evaluation, "library_folder", lambda: None)
    for line in ("plan stack.yaml", "apply stack.yaml --yes"):
        assert "run: pip install 'rsspot[policy]'" in rsspot(line, 5)
    assert "the policies are not checked" in rsspot("validate stack.yaml")
    assert "pip install 'rsspot[policy]'" in rsspot("policy test .", 3)
    write(text=without_policies())
    rsspot("plan stack.yaml")


def test_policies_are_validated_without_a_service(rsspot: Command) -> None:
    """Files that are not there, and expressions that are none, each where it stands."""
    write()
    rsspot("validate stack.yaml")
    write(text=STACK.replace("size(changes) <= 1", "size(changes <="))
    assert "stack.yaml:10:" in rsspot("validate stack.yaml", 3)
    write(text=STACK.replace("expression: size(changes) <= 1", "file: nowhere.cel"))
    assert "nowhere.cel: there is no such file" in rsspot("validate stack.yaml", 3)
    assert "nowhere.cel: there is no such file" in rsspot("plan stack.yaml", 3)


TESTS = """tests:
  - name: cheap
    changes: [{address: a, new: {spec: {bidPrice: "0.05"}}}]
  - name: dear
    changes: [{address: a, new: {spec: {bidPrice: "0.50"}}}]
    expect: EXPECTED
"""
POLICY = """policies:
  - name: ceiling
    message: Too much.
    expression: "!has(change.new.spec.bidPrice) || double(change.new.spec.bidPrice) <= 0.1"
"""


@pytest.mark.parametrize(
    ("expected", "code", "said"),
    [
        ("{ceiling: violated}", 0, "2 passed, 0 failed"),
        ("{ceiling: [a]}", 0, "2 passed, 0 failed"),
        ("{}", 1, "ceiling does not hold for a"),
        ("{ceiling: [b]}", 1, "ceiling does not hold for a"),
        ("{ceiling: failed}", 1, "ceiling can be evaluated"),
        ("{other: violated, ceiling: violated}", 1, "there is no policy 'other'"),
        ("{ceiling: maybe}", 3, "must be violated, failed, or a list of addresses"),
    ],
)
def test_tests_of_policies(rsspot: Command, expected: str, code: int, said: str) -> None:
    Path("rules").mkdir()
    Path("rules/bids.yaml").write_text(POLICY)
    Path("rules/bids.test.yaml").write_text(TESTS.replace("EXPECTED", expected))
    printed = rsspot("policy test rules --junit results.xml", code)
    assert said in printed
    if code != 3:
        suite = ET.parse("results.xml").getroot()
        assert (suite.get("tests"), suite.get("failures")) == ("2", str(code))
        rows = json.loads(rsspot("policy test rules -o json", code))
        assert [each["passed"] for each in rows] == [True, not code]


def test_a_case_that_cannot_be_evaluated_fails_unless_expected(rsspot: Command) -> None:
    Path("p.yaml").write_text(POLICY.replace("!has(change.new.spec.bidPrice) || ", ""))
    Path("p.test.yaml").write_text("tests: [{name: x, changes: [{address: a}]}]")
    assert "cannot be evaluated: for a: there is no 'bidPrice'" in rsspot("policy test .", 1)
    Path("p.test.yaml").write_text("tests: [{name: x, changes: [{address: a}], expect: {ceiling: failed}}]")
    rsspot("policy test .")


def test_a_case_is_a_plan_or_manifests_too(rsspot: Command) -> None:
    """Planned on a simulator of their own: nothing of the sandbox is seen or changed."""
    write()
    rsspot("plan stack.yaml --report json=given.json")
    Path("mine.test.yaml").write_text(
        """tests:
  - {name: given, plan: given.json, expect: {small: violated, told: violated}}
  - {name: planned, manifests: [stack.yaml], expect: {small: violated, told: violated}}
  - {name: changed, manifests: [changed.yaml], applied: [stack.yaml], command: prune, expect: {told: violated}}
  - name: gone
    manifests: [stack.yaml]
    applied: [stack.yaml]
    command: destroy
    expect: {keep: [cloudspace/edge, spotnodepool/edge/workers], small: violated}
"""
    )
    Path("changed.yaml").write_text(STACK.replace("MOST", "0.1").replace("desired: 2", "desired: 3"))
    assert "4 passed, 0 failed" in rsspot("policy test mine.test.yaml")
    assert json.loads(rsspot("cloudspaces list -o json")) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tests: [{name: a}]", "must have one of changes, plan and manifests"),
        ("tests: [{name: a, changes: [{action: explode}]}]", "must be one of create"),
        ("tests: [{name: a, changes: [{address: 3}]}]", "must be texts"),
        ("tests: [{name: a, changes: [{new: 3}]}]", "must be mappings"),
        ("tests: [{name: a, changes: [], plan: x.json}]", "must have one of changes"),
        ("tests: [{nam: a, changes: []}]", "unknown field 'nam'"),
        ("tests: [{name: a, changes: []}]\npolicies: [nowhere.yaml]", "nowhere.yaml: there is no such file"),
        ("tests: [{name: a, plan: nowhere.json}]\npolicies: [p.yaml]", "cannot read nowhere.json"),
    ],
)
def test_a_test_that_cannot_be_understood_is_refused(rsspot: Command, text: str, said: str) -> None:
    Path("p.yaml").write_text(POLICY)
    Path("p.test.yaml").write_text(text)
    assert said in rsspot("policy test p.test.yaml", 3)


def test_a_folder_without_tests_is_no_success(rsspot: Command) -> None:
    Path("empty").mkdir()
    assert "no tests of policies here" in rsspot("policy test empty", 3)
    assert "no tests given" in rsspot("policy test", 3)
