"""Lists that answer 200 and do not show all that there is: no plan creates or deletes anything on their word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rsspot.errors import PlanRefused, RsspotError
from rsspot.planner.case import Rule
from rsspot.planner.plan import Plan
from rsspot.resources.registry import kinds
from rsspot.state.ledger import open_ledger
from rsspot.testing import SimulatedSpot
from rsspot.utils.serialization import Document
from rsspot.wire import httpx
from rsspot.workflows.deletion import require_unprotected
from rsspot.workflows.export import read_live_objects
from rsspot.workflows.reconcile import make_plan, plan_destroy, plan_refresh
from support.scenes import CLOUDSPACE, STACK, WORKERS, Act, OpenScene, Scene, open_scene, scene

__all__ = ["open_scene", "scene"]
EMPTY = {"kind": "SpotNodePoolList", "items": [], "metadata": {"resourceVersion": "7"}}
LIES = [
    EMPTY,
    {},
    {"items": None},
    {"kind": "SpotNodePoolList", "items": None, "metadata": {"resourceVersion": "7"}},
    {"metadata": {"resourceVersion": "7"}},
    {"kind": "CloudSpaceList", "items": []},
    {"items": [], "metadata": {"remainingItemCount": 1}},
    {"items": [], "metadata": {"continue": 7}},
]
PROTECTED = WORKERS.replace("{name: workers}", "{name: workers, annotations: {rsspot.dev/on-remove: protect}}")


def lying(plural: str, answer: Document, *, times: int = 1000) -> Act:
    """Answers lists of a plural with something else, as often as said."""
    left = times

    async def act(request: httpx.Request, _: httpx.AsyncBaseTransport) -> httpx.Response | None:
        nonlocal left
        if request.method != "GET" or not request.url.path.endswith(f"/{plural}") or not left:
            return None
        left -= 1
        return httpx.Response(200, json=answer)

    return act


def gets(spot_api: SimulatedSpot) -> list[str]:
    """The paths of single objects that were read so far, without what follows a write."""
    return [path for _, path in spot_api.requests("GET") if path.count("/") == 7]


def refused_unread(plan: Plan) -> bool:
    return bool(plan.refusals) and {problem.rule for problem in plan.refusals} == {Rule.INCOMPLETE_READ}


@pytest.mark.parametrize("lie", LIES, ids=str)
async def test_nothing_is_made_or_deleted(scene: Scene, open_scene: OpenScene, lie: Document) -> None:
    """Not by a plan that declares the objects, nor by one that prunes them, nor by a destroy."""
    await scene.apply(STACK)
    misled = open_scene(lying("spotnodepools", lie))
    for text in (STACK, CLOUDSPACE):
        plan = await misled.plan(text, prune=True)
        assert refused_unread(plan)
        assert not any(change.ref.kind == "SpotNodePool" for change in plan.changes)
    assert refused_unread(await plan_destroy(misled.client, misled.ledger, "default"))
    with pytest.raises(PlanRefused, match="spotnodepools could not be read"):
        await plan_refresh(misled.client, misled.ledger, "default")
    with pytest.raises(RsspotError, match="spotnodepools could not be read"):
        await read_live_objects(misled.client, misled.ledger)


async def test_the_sentence_names_what_is_there(scene: Scene, open_scene: OpenScene) -> None:
    """So that whoever reads it can look for himself."""
    await scene.apply(STACK)
    plan = await open_scene(lying("spotnodepools", EMPTY)).plan(STACK)
    assert [problem.message for problem in plan.refusals] == [
        "the live spotnodepools could not be read: the list does not show edge/workers, which is there"
    ]


async def test_a_list_that_is_late_is_read_again(scene: Scene, open_scene: OpenScene) -> None:
    """A cache that lags behind a write is no reason to refuse."""
    await scene.apply(STACK)
    plan = await open_scene(lying("spotnodepools", EMPTY, times=1)).plan(STACK)
    assert (plan.changes, plan.refusals) == ((), ())


async def test_what_was_really_deleted_is_made_again(scene: Scene, spot_api: SimulatedSpot) -> None:
    """With a few requests for each kind, however many objects there were."""
    many = CLOUDSPACE + "".join(WORKERS.replace("name: workers", f"name: workers-{number}") for number in range(7))
    await scene.apply(many)
    cloudspace = kinds()["CloudSpace"]
    await scene.client.documents(cloudspace).delete("edge")
    spot_api.advance(300)
    before = len(gets(spot_api))
    plan = await scene.plan(many)
    assert plan.refusals == ()
    assert {change.reason for change in plan.changes} == {"deleted by somebody else"}
    assert len(plan.changes) == 8
    assert len(gets(spot_api)) - before == 3 + 1


async def test_an_empty_ledger_is_no_reason_to_believe(scene: Scene, open_scene: OpenScene, tmp_path: Path) -> None:
    """Pools say which cloudspace they live in, so a list without it does not show all."""
    await scene.apply(STACK)
    misled = open_scene(lying("cloudspaces", {"items": []}))
    with_nothing = open_ledger(tmp_path / "other.db")
    plan = await make_plan(misled.client, with_nothing, misled.manifests(STACK))
    with_nothing.close()
    assert refused_unread(plan)


async def test_what_was_there_a_moment_ago_is_asked_for(open_scene: OpenScene, tmp_path: Path) -> None:
    """A client holds a list against the one before, also where no ledger has the objects on record."""
    await open_scene().apply(STACK)
    lies: list[Act] = []

    async def act(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response | None:
        return await lies[0](request, inner) if lies else None

    misled, with_nothing = open_scene(act), open_ledger(tmp_path / "other.db")
    plan = await make_plan(misled.client, with_nothing, misled.manifests(STACK))
    assert (plan.changes, plan.refusals) == ((), ())
    lies.append(lying("spotnodepools", EMPTY))
    plan = await make_plan(misled.client, with_nothing, misled.manifests(STACK))
    with_nothing.close()
    assert refused_unread(plan)


async def test_a_kind_may_be_left_out_where_nothing_is_declared_of_it(scene: Scene, open_scene: OpenScene) -> None:
    """Its objects are then neither made nor pruned."""
    await scene.apply(STACK)
    misled = open_scene(lying("spotnodepools", EMPTY))
    plan = await misled.plan(CLOUDSPACE, prune=True, allow_incomplete=frozenset({"SpotNodePool"}))
    assert plan.refusals == ()
    assert {change.ref.kind for change in plan.changes} == {"OnDemandNodePool"}


async def test_protection_is_not_lifted_by_a_list(scene: Scene, open_scene: OpenScene) -> None:
    """A cloudspace does not go by hand while the list of what lives in it lacks a protected pool."""
    await scene.apply(CLOUDSPACE + PROTECTED)
    misled = open_scene(lying("spotnodepools", EMPTY))
    with pytest.raises(PlanRefused, match="could not be read"):
        await require_unprotected(misled.client, misled.ledger, kinds()["CloudSpace"], "edge")


@pytest.mark.parametrize("answer", [httpx.Response(500), httpx.Response(403), httpx.Response(200, json={})])
async def test_what_cannot_be_asked_for_is_not_taken_for_gone(scene: Scene, open_scene: OpenScene, answer: Any) -> None:
    """Only 404 says that an object is gone."""
    await scene.apply(STACK)
    empty = lying("spotnodepools", EMPTY)

    async def act(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response | None:
        if "/spotnodepools/" in request.url.path:
            return httpx.Response(answer.status_code, content=answer.content)
        return await empty(request, inner)

    assert refused_unread(await open_scene(act).plan(STACK))
