"""Expressions against a plan: what they see, what comes of them, and that nothing they do hangs or gets through."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rsspot.errors import ManifestError, Origin
from rsspot.manifests.policies import PolicySeverity
from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Change, Edit
from rsspot.planner.codec import digest_of, dump_plan, load_plan
from rsspot.planner.plan import Plan
from rsspot.planner.policy import MOST_FINDINGS, Policy, PolicyResult
from rsspot.policies import evaluation
from rsspot.policies.evaluation import check, evaluate
from rsspot.policies.judgement import judged
from rsspot.policies.variables import variables_of
from support.plans import HOSTILE, SECRET, plan_of_size

WORKERS = Change(
    "spotnodepool/edge/workers",
    Action.UPDATE,
    Ref("SpotNodePool", "workers"),
    "declared otherwise",
    Origin("a.yaml", 7, 3),
    edits=(Edit(("spec", "bidPrice"), "0.05", "0.09"), Edit(("spec", "desired"), 1, 3)),
)
BASE = replace(WORKERS, address="spotnodepool/edge/base", edits=(Edit(("spec", "desired"), 3, 2),))
PLAN = Plan("scope", "org-tests", "production", "apply", (BASE, WORKERS), unchanged=2)


def policy(expression: str, severity: PolicySeverity = PolicySeverity.DENY, name: str = "mine") -> Policy:
    return Policy(name, severity, "It must not be so.", expression, Origin("stack.yaml", 4, 9))


def results(*expressions: str, plan: Plan = PLAN, **bounds: float) -> tuple[PolicyResult, ...]:
    policies = [policy(each, name=f"p{index}") for index, each in enumerate(expressions)]
    return evaluate(policies, variables_of(plan), plan.changes, **bounds)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expression", "addresses"),
    [
        ("!has(change.new.spec.bidPrice) || double(change.new.spec.bidPrice) <= 0.05", ["spotnodepool/edge/workers"]),
        ("change.old.spec.desired < change.new.spec.desired", ["spotnodepool/edge/base"]),
        ("change.action == 'update' && !change.destructive", []),
        ("change.address.endsWith('workers') || plan.scope.stack == 'staging'", ["spotnodepool/edge/base"]),
        ("money.perHour.ceiling.after == 0.0 && change.kind == 'SpotNodePool'", []),
        ("size(changes) == 1", [None]),
        ("plan.changes.all(c, c.kind == 'SpotNodePool') && plan.summary.unchanged == 2", []),
        ("changes.filter(c, has(c.new.spec.bidPrice)).size() == 1 && plan.command == 'apply'", []),
    ],
)
def test_an_expression_is_about_each_change_or_about_all(expression: str, addresses: list[str | None]) -> None:
    """As it names `change` or not."""
    (result,) = results(expression)
    assert (result.failure, [each.address for each in result.violations]) == (None, addresses)
    assert result.total == len(addresses)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("1 +", "Syntax error"),
        ("change.", "Syntax error"),
        ("change.nope == 1", "for spotnodepool/edge/base: there is no 'nope'; ask with has()"),
        ("nope > 1", "'nope'"),
        ("nope(1)", "'nope'"),
        ("size(changes)", "it is int, and not true or false"),
        ("change.address", "for spotnodepool/edge/base: it is str, and not true or false"),
        ("null", "it is NoneType, and not true or false"),
        ("1 / 0 == 1", "division by zero"),
        ("change.new.spec.desired > 'x'", "overload"),
        ("changes.exists(c, c.kind == change.kind)", "it names both change and changes"),
        ("(" * 3000 + "true" + ")" * 3000, ""),
    ],
)
def test_what_cannot_be_evaluated_refuses_the_plan(expression: str, said: str) -> None:
    """With its reason and place, whatever its severity."""
    plan = judged(PLAN, [policy(expression, PolicySeverity.INFO)])
    (result,) = plan.policies
    assert result.failure is not None and said in result.failure and result.refuses
    (problem,) = plan.refusals
    assert problem.rule == "policy/mine" and str(problem.origin) == "stack.yaml:4:9"
    assert "cannot be evaluated" in problem.message


def test_an_expression_that_does_not_end_is_ended() -> None:
    """It refuses the plan, and so does what could not be asked after it."""
    numbers = "[0,1,2,3,4,5,6,7,8,9]"
    endless = "true"
    for variable in "abcdefghijkl":
        endless = f"{numbers}.all({variable}, {endless})"
    first, second = results(endless, "true", seconds=3)
    assert first.failure == "it takes longer than 3 s"
    assert second.failure == "the policy 'p0' before it did not come to an end"


def test_an_expression_that_takes_all_memory_is_ended() -> None:
    """Of its own process alone."""
    numbers, long = "[0,1,2,3,4,5,6,7,8,9]", f"'{'x' * 10_000}'"
    huge = f"{long} + {long}"
    for variable in "abcde":
        huge = f"{numbers}.map({variable}, {huge})"
    first, second = results(f"size({huge}) > 0", "true", memory=300 * 1024**2)
    assert first.failure is not None and "memory" in first.failure and second.failure is not None


def test_a_library_that_is_missing_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not passed over, and says how to install it."""
    monkeypatch.setattr(evaluation, "library_folder", lambda: None)
    plan = judged(PLAN, [policy("true", PolicySeverity.INFO), policy("true", name="other")])
    assert len(plan.refusals) == 2 and "pip install 'rsspot[policy]'" in plan.refusals[0].message
    assert "pip install 'rsspot[policy]'" in str(check([policy("true")]))


def test_a_process_that_cannot_be_started_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation.sys, "executable", "/nowhere/python")
    assert "cannot be started" in str(results("true")[0].failure)


@pytest.mark.parametrize("severity", PolicySeverity)
def test_only_deny_refuses(severity: PolicySeverity) -> None:
    """The others are told."""
    plan = judged(PLAN, [policy("change.action == 'delete'", severity)])
    (result,) = plan.policies
    assert (result.total, bool(plan.refusals)) == (2, severity is PolicySeverity.DENY)
    if plan.refusals:
        assert str(plan.refusals[1]) == "a.yaml:7:3: spotnodepool/edge/workers: It must not be so."
        assert plan.refusals[1].hint == "this is the policy 'mine' at stack.yaml:4:9"


def test_a_plan_is_judged_anew() -> None:
    """What policies said of it before does not stay; what guards said does."""
    budget = replace(PLAN, refusals=(replace(judged(PLAN, [policy("false")]).refusals[0], rule="budget"),))
    twice = judged(judged(budget, [policy("false")]), [policy("true", name="other")])
    assert [each.rule for each in twice.refusals] == ["budget"]
    assert [(each.policy.name, each.holds) for each in twice.policies] == [("other", True)]
    assert judged(budget, []) is budget


def test_a_large_plan_is_judged_by_one_process_and_told_in_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many changes and policies there are."""
    plan = plan_of_size(10_000, hostile=False)
    started = []
    usual = evaluation.run_program
    monkeypatch.setattr(evaluation, "run_program", lambda *a, **k: started.append(a) or usual(*a, **k))
    policies = [policy(each, name=f"p{i}") for i, each in enumerate(("change.kind == ''", "size(changes) < 5", "true"))]
    found = judged(replace(plan, refusals=()), policies)
    assert len(started) == 1
    assert [(each.total, len(each.violations)) for each in found.policies] == [(10_000, MOST_FINDINGS), (1, 1), (0, 0)]
    assert len(found.refusals) == MOST_FINDINGS + 2
    assert found.refusals[MOST_FINDINGS].message == f"{10_000 - MOST_FINDINGS} more changes: It must not be so."


def test_hostile_values_are_values() -> None:
    """They reach an expression as they are, and come back as addresses of changes."""
    plan = replace(plan_of_size(60), refusals=())
    (result,) = results("change.kind != ''", plan=plan)
    assert result.failure is None
    (everything,) = results("change.kind == ''", plan=plan)
    assert everything.total == 60
    assert {each.address for each in everything.violations} <= {change.address for change in plan.changes}
    assert any(part in str(everything.violations) for part in ("@octocat", "<b>"))
    assert HOSTILE


def test_no_secret_reaches_an_expression() -> None:
    """Nor what is told of one: they are numbers, as in every plan."""
    plan = plan_of_size(60)
    assert SECRET not in json.dumps(variables_of(plan))
    hook = replace(WORKERS, edits=(Edit(("spec", "webhook"), "https://old/" + SECRET, SECRET, secret=True),))
    (result,) = results("double(change.new.spec.webhook) > 1.0", plan=replace(PLAN, changes=(hook,)))
    assert result.failure and SECRET not in result.failure


def test_what_came_of_policies_is_in_the_plan_and_what_decides_it_in_its_digest() -> None:
    """A saved plan whose policies were taken out is another plan; one whose prices moved is the same."""
    plan = judged(PLAN, [policy("size(changes) < 1", PolicySeverity.WARN)])
    document = dump_plan(plan)
    again = load_plan({**document, "changes": [], "digest": digest_of({**document, "changes": []})})
    assert again.policies == plan.policies
    assert "policies" not in dump_plan(PLAN)
    assert digest_of({key: value for key, value in document.items() if key != "policies"}) != document["digest"]
    (entry,) = document["policies"]
    assert (
        digest_of({**document, "policies": [{**entry, "outcome": "holds", "total": 0, "violations": []}]})
        == document["digest"]
    )
    assert digest_of({**document, "policies": [{**entry, "severity": "info"}]}) != document["digest"]


def test_policies_are_checked_without_a_plan() -> None:
    """What they would find is not asked, only whether they can be understood."""
    assert check([policy("change.nope == 1"), policy("plan.nope")]) is None
    assert check([]) is None
    with pytest.raises(ManifestError, match=r"stack\.yaml:4:9"):
        check([policy("1 +")])


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=20))
def test_any_text_comes_to_an_end(expressions: list[str]) -> None:
    """Each has one result, and what is no expression refuses."""
    found = results(*expressions, "true", seconds=30)
    assert [each.policy.expression for each in found] == [*expressions, "true"]
    assert all(each.holds != each.refuses for each in found)
    assert found[-1].holds


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(-5, 5), max_size=40), st.integers(-5, 5))
def test_a_bound_is_broken_by_exactly_those_above_it(values: list[int], most: int) -> None:
    changes = tuple(
        replace(WORKERS, address=f"spotnodepool/edge/{index}", edits=(Edit(("spec", "desired"), None, value),))
        for index, value in enumerate(values)
    )
    plan = replace(PLAN, changes=changes)
    (result,) = results(f"change.new.spec.desired <= {most}", plan=plan)
    above = [change.address for change, value in zip(changes, values, strict=True) if value > most]
    assert (result.failure, result.total) == (None, len(above))
    assert [each.address for each in result.violations] == above[:MOST_FINDINGS]
