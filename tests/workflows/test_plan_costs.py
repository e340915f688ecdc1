"""What an object costs a plan: calls, which are as many on a busy machine as on an idle one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from rsspot.applier.options import ApplyOptions
from rsspot.manifests.parse import load
from rsspot.testing import SimulatedSpot
from rsspot.utils.yaml_scalars import Loader
from rsspot.workflows.reconcile import make_plan
from support.counting_calls import calls_counted
from support.scenes import CLOUDSPACE, WORKERS, Scene

FEW, MANY = 10, 40
MOST_READING = 480
"""Calls for a manifest of a pool, in Python and in C: it has 20 nodes."""
MOST_UNCHANGED = 620
"""The same for planning a pool that is as declared: reading it, pricing it, and every guard."""
ONCE = (
    "rsspot.planner.diff.managed",
    "rsspot.planner.diff.edits",
    "rsspot.services.billing.won_at_auction",
    "rsspot.state.ledger.rows.Rows.owned",
)
"""What is done once for an object that is as declared."""
NEVER = (
    "rsspot.planner.diff.managed_digest",
    "rsspot.planner.decisions.base_of",
    "rsspot.planner.diff._edit",
    "rsspot.manifests.places._composed",
    "rsspot.resources.field.fields_of",
)
"""What only an object that differs needs."""


def text(pools: int) -> str:
    """A cloudspace with pools."""
    return CLOUDSPACE + "".join(
        WORKERS.replace("name: workers", f"name: pool-{number}").replace("desired: 2", "desired: 1")
        for number in range(pools)
    )


def difference(few: Counter[str], many: Counter[str]) -> Counter[str]:
    """How many calls the objects cost that only one of the two has."""
    many.subtract(few)
    return many


def test_a_manifest_is_read_with_few_calls(tmp_path: Path) -> None:
    counted = []
    for pools in (FEW, FEW, MANY):
        (tmp_path / "stack.yaml").write_text(text(pools))
        with calls_counted() as counts:
            load([tmp_path / "stack.yaml"])
        counted.append(counts)
    calls = difference(*counted[1:])
    assert calls.total() / (MANY - FEW) <= MOST_READING
    assert calls["rsspot.manifests.nodes.Builder.build"] > 0
    assert calls["rsspot.manifests.places._composed"] == 0


async def test_an_unchanged_object_is_set_aside_by_its_values(scene: Scene) -> None:
    counted = []
    await scene.apply(text(FEW), ApplyOptions(wait="none"))
    for pools in (FEW, FEW, MANY):
        if pools == MANY:
            await scene.apply(text(MANY), ApplyOptions(wait="none"))
        declared = scene.manifests(text(pools))
        with calls_counted() as counts:
            plan = await make_plan(scene.client, scene.ledger, declared)
        assert plan.empty
        counted.append(counts)
    calls = difference(*counted[1:])
    more = MANY - FEW
    for name in ONCE:
        assert calls[name] == more, name
    for name in NEVER:
        assert calls[name] == 0, name
    assert calls["rsspot.resources.kind.Kind.wire_name"] <= 2 * more
    planner = sum(number for name, number in calls.items() if not name.startswith(("rsspot.simulator", "rsspot.http")))
    assert planner / more <= MOST_UNCHANGED, planner / more


@pytest.mark.parametrize("pools", [FEW, MANY])
async def test_a_plan_costs_requests_by_kinds_not_by_objects(spot_api: SimulatedSpot, scene: Scene, pools: int) -> None:
    await scene.apply(text(pools), ApplyOptions(wait="none"))
    before = len(spot_api.requests())
    assert (await scene.plan(text(pools))).empty
    assert len(spot_api.requests()) - before <= 14


def test_only_a_problem_has_its_document_composed_again(tmp_path: Path) -> None:
    (tmp_path / "stack.yaml").write_text(text(3))
    declared = load([tmp_path / "stack.yaml"])
    with calls_counted() as counts:
        assert str(declared.manifests[2].where("spec", "desired")).endswith("stack.yaml:17:58")
    assert sum(number for name, number in counts.items() if name.endswith(f"{Loader.__name__}.__init__")) <= 1
