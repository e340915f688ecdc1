"""judged(): a plan with what its policies say of it. What denies it is a refusal like those of the guards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rsspot.planner.plan import Plan
from rsspot.planner.policy import Policy
from rsspot.policies.evaluation import evaluate
from rsspot.policies.variables import variables_of


def judged(plan: Plan, policies: Sequence[Policy]) -> Plan:
    """The plan with the result of every policy, and refused by those that deny it or cannot be evaluated."""
    if not policies:
        return plan
    others = tuple(each for each in plan.refusals if not each.rule.startswith("policy/"))
    plan = replace(plan, policies=(), refusals=others)
    results = evaluate(policies, variables_of(plan), plan.changes)
    refusals = (problem for each in results if each.refuses for problem in each.problems)
    return replace(plan, policies=results, refusals=(*others, *refusals))
