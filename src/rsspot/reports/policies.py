"""What came of the policies of a plan, in words that every format uses. Renders no report.

What denies a plan is among its refusals, and told with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rsspot.manifests.policies import PolicySeverity
from rsspot.planner.plan import Plan
from rsspot.planner.policy import PolicyResult

OUTCOMES = {
    "holds": "holds",
    "deny": "denied",
    "failed": "not evaluated: denied",
    "warn": "warning",
    "info": "mentioned",
}
"""Outcome -> words for people."""
LABELS = {PolicySeverity.WARN: "Warning", PolicySeverity.INFO: "Info"}


def outcome(result: PolicyResult) -> str:
    """What came of a policy: holds, failed, or its severity."""
    if result.failure is not None:
        return "failed"
    return "holds" if result.holds else result.policy.severity.value


def advising(plan: Plan) -> Iterator[PolicyResult]:
    """The policies that do not hold, and that refuse nothing: warnings first."""
    for severity in LABELS:
        yield from (each for each in plan.policies if _advises(each) and each.policy.severity is severity)


def _advises(result: PolicyResult) -> bool:
    return not result.holds and not result.refuses


def advice_lines(plan: Plan) -> list[str]:
    """A line for each thing that a policy warns of or mentions."""
    return [
        f"{LABELS[each.policy.severity]}: {problem.message} (policy {each.policy.name})"
        for each in advising(plan)
        for problem in each.problems
    ]


def told(result: PolicyResult) -> list[str]:
    """Which changes a policy does not hold for, and how many more; or why it could not be evaluated."""
    if result.failure is not None:
        return [result.failure]
    more = result.total - len(result.violations)
    named = [each.address for each in result.violations if each.address]
    return [*named, *([f"and {more} more"] if more else [])]


def outcome_lines(plan: Plan) -> list[str]:
    """A line for each policy: what it is called, what came of it, and what it says."""
    return [f"{each.policy.name}: {OUTCOMES[outcome(each)]}: {each.policy.message}" for each in plan.policies]


def policy_tally(plan: Plan) -> str:
    """How many policies there are, and what came of them: `3 policies: 1 denied, 2 hold`."""
    counted = Counter(outcome(each) for each in plan.policies)
    words = {"deny": "denied", "failed": "could not be evaluated", "warn": "warned", "info": "mentioned"}
    parts = [f"{counted[word]} {words[word]}" for word in words if counted[word]]
    parts += [f"{counted['holds']} held"] if counted["holds"] else []
    number = len(plan.policies)
    return f"{number} polic{'y' if number == 1 else 'ies'}: {', '.join(parts)}"
