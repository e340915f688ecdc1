"""What moves between a plan and its apply is looked at again before each write, and nothing of others is touched."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from rsspot.applier.events import StepEnded
from rsspot.constants import STACK_LABEL
from rsspot.errors import StalePlan
from rsspot.models.refs import Ref
from rsspot.planner.change import Action
from rsspot.planner.codec import dump_plan
from rsspot.planner.plan import Plan
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import StepState
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from rsspot.workflows.saved_plan import check_fresh, read_plan, touched_by, with_secrets
from support.scenes import CHANGED, CLOUDSPACE, STACK, WORKERS, OpenScene, Scene, births, living

ANOTHER = CLOUDSPACE.replace("edge", "another")
ELSEWHERE = CLOUDSPACE.replace("us-central-dfw-1", "us-east-iad-1")
NEWER = CLOUDSPACE.replace("1.31.1", "1.32.0")
VMS = """
---
apiVersion: ngpc.rxt.io/v1
kind: VMSSHKey
metadata: {name: operators}
spec:
  publicKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA7cpFqXSm1nXqFvUoKPBRHdJVWEJ+RbM0AEEI5vs0PT operators@example.com
"""
PLAIN = {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"}
VISITOR = {"cloudSpace": "edge", "serverClass": "gp.vs1.medium-dfw", "desired": 1}


async def as_planned(scene: Scene, plan: Plan, *, from_a_file: bool, text: str | None = None) -> Plan:
    """The plan itself, or what its file says once it was looked over."""
    if not from_a_file:
        return plan
    file = scene.folder / "plan.json"
    file.write_text(json.dumps(dump_plan(plan)))
    saved = read_plan(file)
    plan = with_secrets(saved, scene.manifests(text)) if text else saved
    return check_fresh(scene.client, plan, await touched_by(scene.client, plan))


def relabelled(spot_api: SimulatedSpot, plural: str, stack: str) -> None:
    """Hand every object of a plural over to another stack."""
    for live in living(spot_api.world, plural):
        live["metadata"]["labels"][STACK_LABEL] = stack
        spot_api.world.store.put(plural, live)


def ended(scene: Scene) -> list[StepState]:
    """How the steps ended."""
    return [event.state for event in scene.of(StepEnded)]


# Bystanders


@pytest.mark.parametrize("from_a_file", [False, True], ids=["plan", "saved plan"])
@pytest.mark.parametrize("text", [ANOTHER, ELSEWHERE], ids=["delete", "replace"])
async def test_nothing_is_deleted_under_somebody_who_moved_in(
    spot_api: SimulatedSpot, scene: Scene, text: str, from_a_file: bool
) -> None:
    """A pool of nobody's that came after the plan keeps everything of the cloudspace it is in."""
    await scene.apply(CLOUDSPACE + WORKERS)
    plan = await scene.plan(text if text == ANOTHER else text + WORKERS.replace("-dfw", "-iad"))
    visitor = str(uuid.uuid4())
    await scene.client.ondemand_nodepools.create(visitor, VISITOR)
    with pytest.raises(StalePlan, match=visitor):
        await scene.run(await as_planned(scene, plan, from_a_file=from_a_file))
    assert not spot_api.requests("DELETE")


async def test_somebody_who_moves_in_at_the_last_moment_is_seen_too(
    spot_api: SimulatedSpot, scene: Scene, open_scene: OpenScene
) -> None:
    """After the pools are gone and before the cloudspace is asked to go."""
    await scene.apply(CLOUDSPACE + WORKERS)
    plan = await scene.plan(ANOTHER)
    visitor = str(uuid.uuid4())

    async def move_in(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "DELETE" and "spotnodepools" in request.url.path:
            await spot_api.client().ondemand_nodepools.create(visitor, VISITOR)

    crowded = open_scene(move_in)
    recap = await crowded.run(plan)
    assert recap.counts["refused"] == 1
    assert any(visitor in event.detail for event in crowded.of(StepEnded))
    assert [live["metadata"]["name"] for live in living(spot_api.world, "cloudspaces")] == ["another", "edge"]


async def test_somebody_who_is_leaving_is_no_bystander(spot_api: SimulatedSpot, scene: Scene) -> None:
    """A visitor on its way out holds nothing up."""
    await scene.apply(CLOUDSPACE)
    plan = await scene.plan(ANOTHER)
    visitor = str(uuid.uuid4())
    await scene.client.ondemand_nodepools.create(visitor, VISITOR)
    await scene.client.ondemand_nodepools.delete(visitor)
    assert (await scene.run(plan)).outcome == "ok"
    assert [live["metadata"]["name"] for live in living(spot_api.world, "cloudspaces")] == ["another"]


# Owners


async def test_an_object_of_another_stack_by_now_is_not_deleted(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Whose it was when the plan was made does not count any more."""
    await scene.apply(CLOUDSPACE + WORKERS)
    plan = await scene.plan(CLOUDSPACE)
    relabelled(spot_api, "spotnodepools", "theirs")
    recap = await scene.run(plan)
    assert (recap.outcome, ended(scene)) == ("stale", [StepState.REFUSED])
    assert "belongs to the stack 'theirs' now" in scene.of(StepEnded)[0].detail
    assert not spot_api.requests("DELETE")


async def test_an_object_of_another_stack_by_now_is_not_patched(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Nor is it changed."""
    await scene.apply(CLOUDSPACE)
    plan = await scene.plan(NEWER)
    relabelled(spot_api, "cloudspaces", "theirs")
    recap = await scene.run(plan)
    assert (recap.outcome, ended(scene)) == ("stale", [StepState.REFUSED])
    assert not spot_api.requests("PATCH")


@pytest.mark.parametrize("text", [ANOTHER, NEWER, ELSEWHERE], ids=["delete", "update", "replace"])
async def test_a_saved_plan_of_an_object_of_another_stack_is_stale(
    spot_api: SimulatedSpot, scene: Scene, text: str
) -> None:
    """That is known before anything is sent."""
    await scene.apply(CLOUDSPACE)
    plan = await scene.plan(text)
    relabelled(spot_api, "cloudspaces", "theirs")
    with pytest.raises(StalePlan, match="cloudspace/edge"):
        await as_planned(scene, plan, from_a_file=True)


async def test_of_two_adoptions_at_once_the_second_is_refused(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Two stacks planned to take over one object of nobody's; it goes to the first that comes."""
    await scene.client.cloudspaces.create("edge", PLAIN)
    first, second = [await scene.plan(CLOUDSPACE, stack=stack, adopt=True) for stack in ("one", "two")]
    assert [change.action for plan in (first, second) for change in plan.changes] == [Action.ADOPT, Action.ADOPT]
    assert (await scene.run(first)).outcome == "ok"
    assert (await scene.run(second)).outcome == "stale"
    (live,) = living(spot_api.world, "cloudspaces")
    assert live["metadata"]["labels"][STACK_LABEL] == "one"
    assert not scene.ledger.owned(second.scope)


async def test_what_the_service_left_without_its_label_is_ours(spot_api: SimulatedSpot, open_scene: OpenScene) -> None:
    """A create that was accepted is owned by the word of the ledger, and the next plan finds nothing to do."""

    async def strip(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response | None:
        if not (request.method == "POST" and "/namespaces/" in request.url.path):
            return None
        body: dict[str, Any] = json.loads(request.content)
        del body["metadata"]["labels"]
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        return await inner.handle_async_request(httpx.Request("POST", request.url, headers=headers, json=body))

    scene = open_scene(strip)
    recap = await scene.apply()
    assert (recap.outcome, recap.counts["created"]) == ("ok", 3)
    assert not any(STACK_LABEL in live["metadata"].get("labels", {}) for live in living(spot_api.world, "cloudspaces"))
    plan = await scene.plan()
    assert plan.empty
    assert not plan.refusals
    assert len(scene.ledger.owned(plan.scope)) == 3


async def test_marks_that_a_manifest_holds_are_not_sent(spot_api: SimulatedSpot, scene: Scene) -> None:
    """An object that is made from the output of another stack is ours and has the name its author gave it."""
    marks = "labels: {rsspot.dev/stack: theirs, team: infra}, annotations: {rsspot.dev/name: other}"
    assert (await scene.apply(CLOUDSPACE.replace("{name: edge}", f"{{name: edge, {marks}}}"))).outcome == "ok"
    (live,) = living(spot_api.world, "cloudspaces")
    assert live["metadata"]["labels"] == {"team": "infra", STACK_LABEL: "default"}
    assert not live["metadata"].get("annotations")


# Made by hand


@pytest.mark.parametrize("fault", ["status", "reset-before"])
@pytest.mark.parametrize("plural", ["cloudspaces", "spotnodepools"])
async def test_what_somebody_made_is_not_ours_because_an_answer_failed(
    spot_api: SimulatedSpot, open_scene: OpenScene, plural: str, fault: str
) -> None:
    """A 503, or no answer, to a create that was never carried out: the object that stands there is somebody else's."""

    async def be_faster(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "POST" and request.url.path.endswith(plural) and not births(spot_api.world, plural):
            body = json.loads(request.content)
            body["metadata"] = {"name": body["metadata"]["name"]}
            await spot_api.client().documents(kinds()[body["kind"]]).create(body)
            spot_api.faults.add(fault, "POST", f"/{plural}$")

    scene = open_scene(be_faster)
    recap = await scene.apply(CLOUDSPACE + WORKERS)
    assert recap.counts["refused"] == 1
    assert any("belongs to no stack" in event.detail for event in scene.of(StepEnded))
    await assert_left_alone(scene, spot_api, plural)


async def assert_left_alone(scene: Scene, spot_api: SimulatedSpot, plural: str) -> None:
    """Pruning everything does not take somebody's object away, and a plan that declares it asks for --adopt."""
    plan = await scene.plan(CLOUDSPACE + WORKERS)
    assert [problem.rule for problem in plan.refusals] == ["ownership"]
    await scene.apply(VMS if plural == "cloudspaces" else CLOUDSPACE + VMS)
    assert len(living(spot_api.world, plural)) == 1


@pytest.mark.parametrize("plural", ["cloudspaces", "spotnodepools"])
async def test_what_somebody_made_after_an_unknown_create_is_not_ours(
    spot_api: SimulatedSpot, scene: Scene, plural: str
) -> None:
    """The run ended not knowing; when the next one looks, somebody has made an object of that name by hand."""
    if plural == "spotnodepools":
        await scene.apply(CLOUDSPACE)
    plan = await scene.plan(CLOUDSPACE + WORKERS)
    (change,) = [each for each in plan.changes if scene.client.documents(kinds()[each.ref.kind]).kind.plural == plural]
    spot_api.faults.add("reset-before", "POST", f"/{plural}$")
    spot_api.faults.add("status", "GET", f"/{plural}/", status=503, times=1000)
    assert (await scene.run(plan)).outcome == "unknown"
    spot_api.faults.script.clear()
    spec = change.body["spec"] if change.body else {}
    await scene.client.collection(kinds()[change.ref.kind]).create(change.ref.name, spec)
    await scene.apply(CLOUDSPACE.replace("edge", "other") + VMS, prune=False)
    assert not scene.ledger.open_steps(plan.scope)
    await assert_left_alone(scene, spot_api, plural)


async def test_a_successor_is_never_what_it_replaces(spot_api: SimulatedSpot, scene: Scene) -> None:
    """A saved plan that was tampered with, or made by a defect, deletes nothing that it has just counted as made."""
    await scene.apply(CLOUDSPACE + WORKERS)
    plan = await scene.plan(CLOUDSPACE + WORKERS.replace("gp.vs1.medium", "gp.vs1.large"))
    (change,) = plan.changes
    assert change.base is not None
    assert change.body is not None
    (live,) = living(spot_api.world, "spotnodepools")
    body = {**live, "metadata": {**change.body["metadata"], "name": change.base.name}}
    same = replace(change, ref=Ref("SpotNodePool", change.base.name), body=body)
    recap = await scene.run(replace(plan, changes=(same,)))
    assert recap.counts["deleted"] == 0
    assert not spot_api.requests("DELETE")


# Replacements


async def test_a_replacement_in_place_of_what_moved_is_refused(spot_api: SimulatedSpot, scene: Scene) -> None:
    """A managed field changed since the plan: the object stays as it is, and no other is made."""
    await scene.apply(CLOUDSPACE)
    plan = await scene.plan(ELSEWHERE)
    await scene.client.cloudspaces.patch("edge", {"kubernetesVersion": "1.32.0"})
    recap = await scene.run(plan)
    assert (recap.counts["refused"], recap.counts["skipped"]) == (1, 1)
    assert not spot_api.requests("DELETE")
    assert births(spot_api.world, "cloudspaces") == {"edge": 1}


async def test_a_predecessor_that_moved_is_not_taken_away(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Of a replacement that makes the new one first, the old one stays."""
    await scene.apply(CLOUDSPACE + WORKERS)
    plan = await scene.plan(CHANGED)
    (pool,) = living(spot_api.world, "spotnodepools")
    await scene.client.spot_nodepools.patch(pool["metadata"]["name"], {"desired": 3})
    recap = await scene.run(plan)
    assert recap.counts["refused"] == 1
    assert not spot_api.requests("DELETE")
    assert list(births(spot_api.world, "spotnodepools").values()) == [1]


@pytest.mark.parametrize(("text", "spec"), [(ELSEWHERE, {"kubernetesVersion": "1.32.0"}), (CHANGED, {"desired": 3})])
async def test_a_saved_replacement_of_what_moved_is_stale(
    spot_api: SimulatedSpot, scene: Scene, text: str, spec: dict[str, Any]
) -> None:
    """Whichever of the two comes first."""
    await scene.apply(STACK if text is CHANGED else CLOUDSPACE)
    plan = await scene.plan(text)
    pools = scene.client.spot_nodepools if text is CHANGED else scene.client.cloudspaces
    (live,) = living(spot_api.world, pools.kind.plural)
    await pools.patch(live["metadata"]["name"], spec)
    with pytest.raises(StalePlan, match="it changed since"):
        await as_planned(scene, plan, from_a_file=True)


async def test_a_saved_replacement_in_place_goes_on_when_the_old_one_is_gone(
    spot_api: SimulatedSpot, scene: Scene
) -> None:
    """An earlier apply of the plan was stopped half way: what is left to do is to make the new one."""
    await scene.apply(CLOUDSPACE)
    plan = await scene.plan(ELSEWHERE)
    await scene.client.cloudspaces.delete("edge")
    spot_api.advance(300)
    recap = await scene.run(await as_planned(scene, plan, from_a_file=True, text=ELSEWHERE))
    assert (recap.outcome, recap.counts["created"], recap.counts["deleted"]) == ("ok", 1, 0)
    (live,) = living(spot_api.world, "cloudspaces")
    assert live["spec"]["region"] == "us-east-iad-1"
