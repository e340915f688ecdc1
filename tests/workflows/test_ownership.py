"""Handing objects over is planned from one look at what lives."""

from __future__ import annotations

from pathlib import Path

from rsspot.client.async_client import AsyncSpotClient
from rsspot.manifests.parse import load
from rsspot.testing import SimulatedSpot
from rsspot.workflows.ownership import plan_detach
from rsspot.workflows.reconcile import apply_plan, make_plan

STACK = """\
{apiVersion: rsspot.dev/v1, kind: Stack, metadata: {name: mine}}
---
{apiVersion: ngpc.rxt.io/v1, kind: CloudSpace, metadata: {name: edge}, spec: {region: us-central-dfw-1}}
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
