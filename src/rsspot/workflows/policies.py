"""Which policies judge a plan: those of its manifests or, without those, of the last plan on record."""

from __future__ import annotations

from rsspot.manifests.manifest import ManifestSet
from rsspot.planner.plan import Plan
from rsspot.planner.policy import Policy
from rsspot.planner.policy_codec import PlanPolicy, load_result
from rsspot.policies.judgement import judged
from rsspot.policies.sources import policies_of
from rsspot.state.ledger.protocol import Ledger

WITH_POLICIES = ("apply", "destroy", "undo")
"""The commands whose plans are judged. Those that only say whose an object is have none."""


def judged_by_manifests(plan: Plan, manifests: ManifestSet | None) -> Plan:
    """The plan with what the policies of its manifests say. Raises ManifestError for policies that cannot be read."""
    return judged(plan, policies_of(manifests)) if manifests is not None else plan


def judged_by_record(plan: Plan, ledger: Ledger) -> Plan:
    """The same where no manifests are at hand: by the policies that the plan was made with, and those on record."""
    own = [each.policy for each in plan.policies]
    names = {each.name for each in own}
    return judged(plan, [*own, *(each for each in recorded(ledger, plan.scope) if each.name not in names)])


def recorded(ledger: Ledger, scope: str) -> tuple[Policy, ...]:
    """The policies of the last plan of a stack that was applied from here; none if there is no such plan."""
    last = next((run for run in ledger.runs(scope) if run.command in WITH_POLICIES), None)
    entries = ledger.plan(last.id).get("policies", []) if last else []
    return tuple(load_result(PlanPolicy.model_validate(each, by_alias=True)).policy for each in entries)
