"""The JSON form of what came of the policies of a plan."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from rsspot.errors import Origin
from rsspot.manifests.policies import PolicySeverity
from rsspot.planner.json_model import CONFIG
from rsspot.planner.policy import Policy, PolicyResult, Violation


class _Json(BaseModel):
    model_config = CONFIG


class PlanSource(_Json):
    """Where something was written: 1-based line and column of a file."""

    file: str
    line: int
    column: int


class PlanViolation(_Json):
    """A change for which a policy does not hold. address: null where that is the plan as a whole."""

    address: str | None
    source: PlanSource | None = None


class PlanPolicy(_Json):
    """A policy, and what came of it. total: for how many changes it does not hold; the first are in `violations`.

    failure: why it could not be evaluated, which refuses the plan
    """

    name: str
    severity: PolicySeverity
    message: str
    expression: str
    source: PlanSource | None = None
    outcome: Literal["holds", "violated", "failed"]
    total: int = 0
    violations: list[PlanViolation] = []
    failure: str | None = None


RESULT = ("source", "outcome", "total", "violations", "failure")
"""What the digest of a plan is not about: what it costs may decide it, and prices move."""


def dump_source(origin: Origin) -> PlanSource:
    """A place, for JSON."""
    return PlanSource(file=origin.file, line=origin.line, column=origin.column)


def load_source(saved: PlanSource | None) -> Origin | None:
    """A place, from JSON."""
    return Origin(saved.file, saved.line, saved.column) if saved else None


def dump_result(result: PolicyResult) -> PlanPolicy:
    """What came of a policy, for JSON."""
    policy = result.policy
    return PlanPolicy(
        name=policy.name,
        severity=policy.severity,
        message=policy.message,
        expression=policy.expression,
        source=dump_source(policy.origin) if policy.origin else None,
        outcome="failed" if result.failure is not None else "holds" if result.holds else "violated",
        total=result.total,
        violations=[
            PlanViolation(address=each.address, source=dump_source(each.origin) if each.origin else None)
            for each in result.violations
        ],
        failure=result.failure,
    )


def load_result(saved: PlanPolicy) -> PolicyResult:
    """What came of a policy, from JSON."""
    policy = Policy(saved.name, saved.severity, saved.message, saved.expression, load_source(saved.source))
    violations = tuple(Violation(each.address, load_source(each.source)) for each in saved.violations)
    return PolicyResult(policy, violations, saved.total, saved.failure)
