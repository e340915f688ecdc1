"""Policy: what has to hold for every plan of a stack, and what came of it for one plan. Evaluates nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rsspot.errors import Origin, Problem
from rsspot.manifests.policies import PolicySeverity

MOST_FINDINGS = 20
"""Of one policy; the others are counted."""


@dataclass(frozen=True)
class Policy:
    """expression: what has to hold, in the Common Expression Language · message: what is told where it does not."""

    name: str
    severity: PolicySeverity
    message: str
    expression: str
    origin: Origin | None = None

    @property
    def rule(self) -> str:
        """What stands for it in problems."""
        return f"policy/{self.name}"


@dataclass(frozen=True)
class Violation:
    """One change for which a policy does not hold. address: None where it does not hold for the plan as a whole."""

    address: str | None
    origin: Origin | None = None


@dataclass(frozen=True)
class PolicyResult:
    """What came of a policy. violations: the first of them · total: how many there are

    failure: why it could not be evaluated; such a policy refuses the plan, whatever its severity
    """

    policy: Policy
    violations: tuple[Violation, ...] = ()
    total: int = 0
    failure: str | None = None

    @property
    def holds(self) -> bool:
        return not self.total and self.failure is None

    @property
    def refuses(self) -> bool:
        """Whether the plan may not be applied."""
        return self.failure is not None or (bool(self.total) and self.policy.severity is PolicySeverity.DENY)

    @property
    def problems(self) -> Iterator[Problem]:
        """Each change for which it does not hold, and how many more there are; or why it could not be evaluated."""
        policy = self.policy
        where = f" at {policy.origin}" if policy.origin else ""
        if self.failure is not None:
            message = f"the policy {policy.name!r} cannot be evaluated: {self.failure}"
            yield Problem(message, policy.origin, "nothing is allowed that cannot be judged", policy.rule)
            return
        hint = f"this is the policy {policy.name!r}{where}"
        for each in self.violations:
            told = f"{each.address}: {policy.message}" if each.address else policy.message
            yield Problem(told, each.origin or policy.origin, hint, policy.rule)
        if self.total > len(self.violations):
            more = f"{self.total - len(self.violations)} more changes: {policy.message}"
            yield Problem(more, policy.origin, hint, policy.rule)
