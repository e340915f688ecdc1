"""Which policies judge a plan: those of its manifests or, without those, of the last plan on record."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from threading import Event

from rsspot.concurrency import running_loop
from rsspot.manifests.manifest import ManifestSet
from rsspot.planner.plan import Plan
from rsspot.planner.policy import Policy
from rsspot.planner.policy_codec import PlanPolicy, load_result
from rsspot.policies.judgement import judged
from rsspot.policies.sources import policies_of
from rsspot.state.ledger.protocol import Ledger

WITH_POLICIES = ("apply", "destroy", "undo")
"""The commands whose plans are judged. Those that only say whose an object is have none."""


async def judged_by_manifests(plan: Plan, manifests: ManifestSet | None) -> Plan:
    """The plan with what the policies of its manifests say. Raises ManifestError for policies that cannot be read."""
    return await _judged(plan, policies_of(manifests)) if manifests is not None else plan


async def judged_by_record(plan: Plan, ledger: Ledger) -> Plan:
    """The same where no manifests are at hand: by the policies that the plan was made with, and those on record."""
    own = [each.policy for each in plan.policies]
    names = {each.name for each in own}
    return await _judged(plan, [*own, *(each for each in recorded(ledger, plan.scope) if each.name not in names)])


async def _judged(plan: Plan, policies: Sequence[Policy]) -> Plan:
    """The plan with what policies say. Where a loop runs, in a thread, so that nothing else has to wait for it."""
    if not policies or running_loop() is None:
        return judged(plan, policies)
    stop = Event()
    try:
        return await asyncio.to_thread(judged, plan, policies, stop)
    finally:
        # Whoever is cancelled here leaves no process behind.
        stop.set()


def recorded(ledger: Ledger, scope: str) -> tuple[Policy, ...]:
    """The policies of the last plan of a stack that was applied from here; none if there is no such plan."""
    last = next((run for run in ledger.runs(scope) if run.command in WITH_POLICIES), None)
    entries = ledger.plan(last.id).get("policies", []) if last else []
    return tuple(load_result(PlanPolicy.model_validate(each, by_alias=True)).policy for each in entries)
