"""A field that is left blank is never a reason to rebuild: manifests with nulls anywhere, version after version."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from rsspot.planner.change import Action
from support.amount import amount
from support.histories import Stage, has_to_go, text, versions

HISTORIES = amount(12, 2000)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A world."""
    stage = Stage(tmp_path_factory.mktemp("nulls"))
    yield stage
    asyncio.run(stage.client.aclose())
    stage.spot.close()


@pytest.mark.timeout(3000)
@settings(max_examples=HISTORIES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(history=versions())
def test_nothing_is_rebuilt_for_a_blank_field(stage: Stage, history: list[dict[str, Any]]) -> None:
    """An apply leaves nothing to plan, and whatever had no immutable field changed is the object it was."""
    asyncio.run(lived(stage, history))


async def lived(stage: Stage, history: list[dict[str, Any]]) -> None:
    scene = stage.scene()
    before: dict[str, Any] = {}
    for version in history:
        written = text(version)
        plan = await scene.plan(written)
        assert not plan.refusals, (written, plan.refusals)
        assert not [change for change in plan.changes if change.action is Action.DELETE], written
        recap = await scene.run(plan)
        assert recap.outcome == "ok", (written, recap, scene.events)
        again = await scene.plan(written)
        assert again.empty, (written, again.changes)
        after = stage.live()
        assert set(after) == set(version)
        for kind, live in before.items():
            if not has_to_go(kind, version, before):
                assert after[kind]["metadata"]["uid"] == live["metadata"]["uid"], (kind, written)
        before = after
