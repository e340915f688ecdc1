"""Handing objects over is planned from one look at what lives."""

from __future__ import annotations

from pathlib import Path

from rsspot.client.async_client import AsyncSpotClient
from rsspot.constants import NAME_ANNOTATION
from rsspot.manifests.parse import load
from rsspot.resources.registry import kinds
from rsspot.testing import SimulatedSpot
from rsspot.workflows.ownership import plan_adopt, plan_detach
from rsspot.workflows.reconcile import apply_plan, make_plan

STACK = """\
{apiVersion: rsspot.dev/v1, kind: Stack, metadata: {name: mine}}
---
{apiVersion: ngpc.rxt.io/v1, kind: CloudSpace, metadata: {name: edge}, spec: {region: us-central-dfw-1}}
"""
CLONE = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
ORIGINAL = "11111111-1111-4111-8111-111111111111"
POOL = """\
---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {name: workers}
spec: {cloudSpace: edge, serverClass: gp.vs1.medium-dfw, desired: 1, bidPrice: 0.06}
"""


async def test_each_kind_is_listed_once(spot_client: AsyncSpotClient, spot_api: SimulatedSpot, tmp_path: Path) -> None:
    """Whose an object is comes from its label, and decides which records of the ledger count."""
    file = tmp_path / "stack.yaml"
    file.write_text(STACK)
    plan = await make_plan(spot_client, spot_client.ledger, load([file], environ={}))
    async for _ in apply_plan(spot_client, spot_client.ledger, plan):
        pass
    before = len(spot_api.requests())
    detached = await plan_detach(spot_client, spot_client.ledger, ["edge"])
    assert [change.address for change in detached.changes] == ["cloudspace/edge"]
    sent = spot_api.requests()[before:]
    assert sorted(sent) == sorted(set(sent)), sent


async def test_an_adopted_clone_gives_its_name_up(spot_client: AsyncSpotClient, tmp_path: Path) -> None:
    """As with `apply --adopt`. What was detached and comes back keeps its own."""
    file = tmp_path / "stack.yaml"
    file.write_text(STACK + POOL)
    plan = await make_plan(spot_client, spot_client.ledger, load([file], environ={}))
    async for _ in apply_plan(spot_client, spot_client.ledger, plan):
        pass
    pools = spot_client.documents(kinds()["SpotNodePool"])
    (original,) = await pools.list()
    metadata = {"name": CLONE, "annotations": {NAME_ANNOTATION: "workers"}}
    await pools.create({**original, "metadata": metadata})
    plan = await plan_adopt(spot_client, spot_client.ledger, [CLONE], "mine")
    assert [change.address for change in plan.changes] == [f"spotnodepool/edge/{CLONE}"]
    async for _ in apply_plan(spot_client, spot_client.ledger, plan):
        pass
    assert NAME_ANNOTATION not in (await pools.get(CLONE))["metadata"].get("annotations", {})
    for handing in (plan_detach(spot_client, spot_client.ledger, ["workers"]), None):
        plan = await (handing or plan_adopt(spot_client, spot_client.ledger, ["workers"], "mine"))
        async for _ in apply_plan(spot_client, spot_client.ledger, plan):
            pass
    kept = await pools.get(original["metadata"]["name"])
    assert kept["metadata"]["annotations"][NAME_ANNOTATION] == "workers"


async def test_a_clone_in_another_cloudspace_keeps_its_name(spot_client: AsyncSpotClient) -> None:
    """There it is taken for nothing else: a name stands for one object in each cloudspace."""
    pools = spot_client.documents(kinds()["SpotNodePool"])
    for space, wire in (("west", ORIGINAL), ("edge", CLONE)):
        await spot_client.cloudspaces.create(space, {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"})
        spec = {"cloudSpace": space, "serverClass": "gp.vs1.medium-dfw", "desired": 1, "bidPrice": "0.03"}
        metadata = {"name": wire, "annotations": {NAME_ANNOTATION: "workers"}}
        await pools.create(pools.framed({"metadata": metadata, "spec": spec}))
    (change,) = (await plan_adopt(spot_client, spot_client.ledger, [CLONE], "mine")).changes
    assert change.address == "spotnodepool/edge/workers"
    assert [edit.path[1] for edit in change.edits] == ["labels"]
