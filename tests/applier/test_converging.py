"""An edit that the service answers in its own spelling is done, and is not planned again."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest

from rsspot.applier.events import StepEnded
from rsspot.applier.options import ApplyOptions, CancelToken
from rsspot.resources.registry import kinds
from rsspot.workflows.reconcile import apply_plan
from support.scenes import CLOUDSPACE, WORKERS, Scene

ACCEPTED = ApplyOptions(wait="none")
POOL = CLOUDSPACE + WORKERS
AUTOSCALED = POOL.replace("desired: 2", "autoscaling: {enabled: true, minNodes: 2, maxNodes: 6}")
TAINTED = POOL.replace("desired: 2", "desired: 2, customTaints: [{key: spot, effect: NoSchedule}]")


@pytest.mark.parametrize(
    ("before", "by_others", "after"),
    [
        (AUTOSCALED, {}, POOL.replace("desired: 2", "desired: 2, autoscaling: null")),
        (AUTOSCALED, {"desired": 5}, POOL.replace("desired: 2", "desired: 2, autoscaling: null")),
        (AUTOSCALED, {"desired": 5}, POOL.replace("desired: 2", "autoscaling: null")),
        (AUTOSCALED, {}, POOL.replace("desired: 2", "desired: 2, autoscaling: {enabled: false, minNodes: 0}")),
        (POOL, {"autoscaling": {"enabled": False, "minNodes": 1, "maxNodes": 3}}, AUTOSCALED),
        (TAINTED, {}, POOL.replace("desired: 2", "desired: 2, customTaints: null")),
        (TAINTED, {}, POOL.replace("desired: 2", "desired: 2, customTaints: []")),
        (POOL, {"customTaints": [{"key": "spot", "effect": "NoSchedule", "value": ""}]}, TAINTED),
        (
            POOL,
            {"customTaints": [{"key": "spot", "effect": "NoSchedule", "timeAdded": "2026-01-01T00:00:00Z"}]},
            TAINTED,
        ),
        (TAINTED, {"customTaints": [{"key": "other", "effect": "NoExecute", "value": ""}]}, TAINTED),
    ],
)
async def test_the_next_plan_is_empty(scene: Scene, before: str, by_others: dict[str, Any], after: str) -> None:
    """However the fields came to be: applied by us, and then changed by somebody else."""
    await scene.apply(before, ACCEPTED)
    pools = scene.client.documents(kinds()["SpotNodePool"])
    if by_others:
        await pools.patch(await pools.wire_name("workers"), {"spec": by_others})
    recap = await scene.apply(after, ACCEPTED)
    assert recap.outcome == "ok"
    again = await scene.plan(after)
    assert (again.changes, again.refusals) == ((), ())


async def test_a_rename_with_another_class_is_finished_by_the_next_apply(scene: Scene) -> None:
    """Also without --prune, when the first one was stopped between the new pool and the end of the old one."""
    await scene.apply(POOL)
    renamed = POOL.replace("name: workers", "name: web, annotations: {rsspot.dev/previous-name: workers}")
    renamed = renamed.replace("gp.vs1.medium-dfw", "gp.vs1.large-dfw")
    stop = CancelToken()
    plan = await scene.plan(renamed, prune=False)
    async with aclosing(apply_plan(scene.client, scene.ledger, plan, ApplyOptions(stop=stop))) as events:
        async for event in events:
            if isinstance(event, StepEnded) and event.verb == "create":
                stop.ask()
    pools = scene.client.documents(kinds()["SpotNodePool"])
    assert len(await pools.list()) == 2
    recap = await scene.apply(renamed, prune=False)
    assert recap.outcome == "ok"
    assert [live["spec"]["serverClass"] for live in await pools.list()] == ["gp.vs1.large-dfw"]
    assert (await scene.plan(renamed, prune=False)).changes == ()
