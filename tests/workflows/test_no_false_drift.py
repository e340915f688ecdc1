"""A day of a market that moves: prices, lost servers, autoscalers and autopilots are never taken for drift."""

from __future__ import annotations

import json

from rsspot.planner.plan import Plan
from rsspot.resources.registry import kinds
from rsspot.state.ledger import open_ledger
from rsspot.testing import SimulatedSpot
from rsspot.workflows.drift import find_drift
from rsspot.workflows.reconcile import plan_refresh
from support.scenes import CLOUDSPACE, STACK, Scene, living, open_scene, scene

__all__ = ["open_scene", "scene"]
HOUR = 3600.0
AUTOSCALED = """
---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {name: elastic}
spec:
  cloudSpace: edge
  serverClass: gp.vs1.large-dfw
  bidPrice: 0.13
  autoscaling: {enabled: true, minNodes: 1, maxNodes: 6}
---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {name: cheap}
spec: {cloudSpace: edge, serverClass: ch.vs1.large-dfw, desired: 3, bidPrice: 0.01}
---
apiVersion: ngpc.rxt.io/v1
kind: AutopilotNodePool
metadata: {name: pilot}
spec: {cloudSpace: edge, region: us-central-dfw-1, vcpu: {total: 8}, budgetPerHour: 0.5}
"""
LOAD = (1, 4, 6, 2, 5, 3)
"""How many nodes the workloads need, one hour after another."""


async def test_a_day_without_drift(scene: Scene, spot_api: SimulatedSpot) -> None:
    """Every plan, refresh and report is empty, with a ledger and without, while nodes, prices and versions move."""
    text = STACK + AUTOSCALED
    await scene.apply(text)
    without_record = open_ledger(scene.folder / "empty.db")
    seen: set[str] = set()
    for hour in range(24):
        nodes = str(LOAD[hour % len(LOAD)])
        pools = scene.client.documents(kinds()["SpotNodePool"])
        elastic = await pools.wire_name("elastic")
        await pools.patch(elastic, {"metadata": {"annotations": {"simulator.rsspot.dev/nodes": nodes}}})
        spot_api.clock.advance(HOUR)
        plan = await scene.plan(text)
        assert plan.changes == (), (hour, plan.changes)
        assert plan.refusals == (), (hour, plan.refusals)
        assert _drift(await plan_refresh(scene.client, scene.ledger, plan.stack)) == [], hour
        for ledger in (scene.ledger, without_record):
            report = await find_drift(scene.client, ledger, scene.manifests(text))
            assert (report.drifted, report.changes, report.undeclared) == ((), (), ()), hour
        pools_now = living(spot_api.world, "spotnodepools")
        seen.add(json.dumps([(each["spec"].get("desired"), each.get("status")) for each in pools_now]))
    assert len(seen) > 5, "nothing moved, so nothing was tried"


async def test_what_does_drift_is_told(scene: Scene, spot_api: SimulatedSpot) -> None:
    """In the same world: one change by hand among all that moves by itself."""
    await scene.apply(CLOUDSPACE)
    spot_api.clock.advance(HOUR)
    await scene.client.documents(kinds()["CloudSpace"]).patch("edge", {"spec": {"webhook": "https://example.com/x"}})
    plan = await scene.plan(CLOUDSPACE)
    assert [(change.address, change.drift) for change in plan.changes] == [("cloudspace/edge", True)]
    assert _drift(await plan_refresh(scene.client, scene.ledger, plan.stack)) == ["cloudspace/edge"]


def _drift(plan: Plan) -> list[str]:
    return [change.address for change in plan.drifted]
