"""find_drift(): what somebody else did to a stack since it was applied. Sends only GETs and writes nothing."""

from __future__ import annotations

from dataclasses import replace

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import PlanRefused, not_found
from rsspot.manifests.manifest import ManifestSet
from rsspot.planner.case import Rule
from rsspot.planner.drift import with_drift
from rsspot.planner.options import PlanOptions
from rsspot.planner.plan import DRIFT, Plan
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import Ledger
from rsspot.utils.process import collector_paused
from rsspot.workflows.reconcile import plan_refresh, read_and_plan


async def find_drift(
    client: AsyncSpotClient, ledger: Ledger, manifests: ManifestSet, *, options: PlanOptions | None = None
) -> Plan:
    """How a stack differs from what was applied, and what is declared and not applied yet: see `planner.drift`.

    options: which objects to look at. Raises PlanRefused where a kind of the stack could not be read.
    """
    with collector_paused():
        plan, state = await read_and_plan(client, ledger, manifests, options=options, priced=False)
        unread = [problem for problem in plan.refusals if problem.rule == Rule.INCOMPLETE_READ]
        if unread:
            raise PlanRefused(unread, hint="try again")
        return with_drift(plan, state, kinds())


async def find_recorded_drift(client: AsyncSpotClient, ledger: Ledger, stack: str) -> Plan:
    """The same for a stack whose manifests are not at hand: by the ledger alone.

    Raises NotFound if the ledger has nothing of such a stack on record, PlanRefused as above.
    """
    plan = await plan_refresh(client, ledger, stack)
    if not ledger.owned(plan.scope):
        message = f"the ledger has no object of the stack {stack!r} on record"
        raise not_found(message, hint="give its manifests: what was not applied from here is compared with those")
    return replace(plan, command=DRIFT)
