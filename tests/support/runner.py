"""Runner: one process that plans and applies, within this one. It may be killed; then nothing of it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import replace

from rsspot.applier.events import Event, Recap
from rsspot.applier.options import ApplyOptions
from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import RsspotError
from rsspot.manifests.manifest import ManifestSet
from rsspot.planner.options import PlanOptions
from rsspot.planner.plan import Plan
from rsspot.testing import SimulatedSpot
from rsspot.utils.clock import Clock
from rsspot.wire import httpx
from rsspot.workflows.reconcile import apply_plan, make_plan
from support import ledger_places
from support.mortal import Life, MortalLedger, MortalTransport, bury

KILLED = "killed"


class Runner:
    """way: to the service · life: how long it lasts · approved: told of each plan before it is applied"""

    def __init__(
        self, spot: SimulatedSpot, way: httpx.AsyncBaseTransport, clock: Clock | None = None, life: Life | None = None
    ) -> None:
        config = spot.client().config
        config = replace(config, ledger=ledger_places.setting_of(config.state_path.parent))
        self.life, self._path = life or Life(), config.state_path
        self.client = AsyncSpotClient(
            resolved=config, transport=MortalTransport(way, self.life), clock=clock or spot.clock
        )
        self._opened = ledger_places.opened(self._path.parent)
        self.ledger = MortalLedger(self._opened, self.life)
        self.events: list[Event] = []

    async def plan(self, manifests: ManifestSet, stack: str, options: PlanOptions) -> Plan:
        return await make_plan(self.client, self.ledger, manifests, options=options, stack=stack, priced=False)

    async def apply(self, plan: Plan, manner: ApplyOptions | None = None) -> str:
        """Apply a plan; gives the outcome, or the name of the error that ended it, or KILLED."""
        others = asyncio.all_tasks()
        try:
            async with aclosing(apply_plan(self.client, self.ledger, plan, manner)) as events:
                self.events = [event async for event in events]
        except RsspotError as error:
            return type(error).__name__
        except BaseException:
            if not self.life.over:
                raise
            await _ended(asyncio.all_tasks() - others)
            return KILLED
        recap = self.events[-1]
        assert isinstance(recap, Recap)
        return recap.outcome.value

    async def close(self) -> None:
        """End, by itself or killed before."""
        await self.client.aclose()
        self._opened.close()
        if self.life.over:
            bury(self._path)


async def _ended(tasks: Iterable[asyncio.Task[object]]) -> None:
    """End what a killed process was still about."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
