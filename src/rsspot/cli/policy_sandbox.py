"""Plans the manifests of a test of policies on a simulator that nobody else sees. Judges nothing."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rsspot.client.async_client import AsyncSpotClient
    from rsspot.manifests.manifest import ManifestSet
    from rsspot.planner.plan import Plan
    from rsspot.planner.policy import Policy
    from rsspot.policies.cases import FoundCase

MOST_DELETES = 10_000
"""A test is about policies, and not about how much a run may take away."""


def planned_alone(found: FoundCase, folder: Path) -> tuple[Plan, tuple[Policy, ...]]:
    """The plan of a test, and the policies of its Stack. folder: for the ledger"""
    from rsspot.policies.sources import policies_of

    manifests = _load(found, found.case.manifests or [])
    return asyncio.run(_planned(found, manifests, folder)), policies_of(manifests)


def _load(found: FoundCase, names: list[str]) -> ManifestSet:
    from rsspot.manifests.parse import load

    # Without variables of the environment: a test says the same everywhere.
    return load([found.path(each) for each in names], variables=found.case.variables, environ={})


async def _planned(found: FoundCase, manifests: ManifestSet, folder: Path) -> Plan:
    from dataclasses import replace

    from rsspot.planner.options import PlanOptions
    from rsspot.workflows.reconcile import read_and_plan

    options = PlanOptions(prune=found.case.command != "plan", most_deletes=MOST_DELETES)
    async with _client(folder) as client:
        if found.case.applied:
            await _apply(client, _load(found, found.case.applied), options)
        if found.case.command != "destroy":
            return (await read_and_plan(client, client.ledger, manifests, options=options))[0]
        gone = replace(options, destroy=True)
        return (await read_and_plan(client, client.ledger, None, options=gone, stack=manifests.stack))[0]


async def _apply(client: AsyncSpotClient, manifests: ManifestSet, options: object) -> None:
    from rsspot.applier.options import ApplyOptions
    from rsspot.planner.options import PlanOptions
    from rsspot.workflows.reconcile import apply_plan, read_and_plan

    assert isinstance(options, PlanOptions)
    plan, _ = await read_and_plan(client, client.ledger, manifests, options=options)
    async with aclosing(apply_plan(client, client.ledger, plan, ApplyOptions())) as events:
        async for _ in events:
            pass


def _client(folder: Path) -> AsyncSpotClient:
    from rsspot.cli.sandbox import sandbox_settings
    from rsspot.client.async_client import AsyncSpotClient
    from rsspot.simulator.api import Api
    from rsspot.simulator.clock import ManualClock
    from rsspot.simulator.front.inprocess import InProcessTransport
    from rsspot.simulator.world import World

    world = World(clock=ManualClock())
    settings = sandbox_settings()
    alone = type(settings)(settings.profile, settings.settings, folder / "state.db")
    return AsyncSpotClient(resolved=alone, transport=InProcessTransport(Api(world)), clock=world.clock, cache=False)
