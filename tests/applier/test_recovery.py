"""What a killed run left open is closed by reading: each verb, and each thing that may be found in its place."""

from __future__ import annotations

import pytest

from rsspot.applier.events import Settled
from rsspot.applier.options import ApplyOptions
from rsspot.applier.recover import recover
from rsspot.constants import STACK_LABEL
from rsspot.errors import Locked, StateError
from rsspot.models.refs import Ref
from rsspot.planner.codec import dump_plan
from rsspot.planner.plan import Plan
from rsspot.simulator.clock import ManualClock
from rsspot.state.ledger.protocol import Holder, Lease, OwnedObject, StepRecord, StepState
from rsspot.testing import SimulatedSpot
from rsspot.workflows.reconcile import apply_context
from support.scenes import CLOUDSPACE, Scene

EDGE = Ref("CloudSpace", "edge")
OURS, THEIRS = {STACK_LABEL: "default"}, {STACK_LABEL: "theirs"}
NEWER = CLOUDSPACE.replace("1.31.1", "1.32.0")
BEFORE = CLOUDSPACE.replace("edge", "before")
SPEC = {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"}
DONE, FAILED, REFUSED, SKIPPED = StepState.DONE, StepState.FAILED, StepState.REFUSED, StepState.SKIPPED


def left_open(scene: Scene, plan: Plan, *steps: StepRecord) -> tuple[int, Lease]:
    """A run whose first step may have been sent when it was killed, and whose others were not.

    Another version of rsspot made its plan, whose digest covers something else.
    """
    lease = scene.ledger.acquire(plan.scope, Holder("killed", "elsewhere", 1), ManualClock().now(), 60)
    run = scene.ledger.begin(lease, "apply", {**dump_plan(plan), "digest": "another"}, list(steps))
    scene.ledger.intend(run, 0)
    scene.ledger.release(lease)
    return run, lease


async def recovered(scene: Scene, plan: Plan, lease: Lease | None = None) -> list[Settled]:
    """What recovery says."""
    context = apply_context(scene.client, scene.ledger, plan, ApplyOptions())
    return [each async for each in recover(context, plan.scope, lease)]


async def make(scene: Scene, labels: dict[str, str] | None) -> None:
    """The object that is found. labels: None for no object"""
    if labels is not None:
        await scene.client.cloudspaces.create("edge", SPEC, labels=labels)


@pytest.mark.parametrize(
    ("verb", "labels", "state", "said"),
    [
        ("create", None, FAILED, "it never arrived"),
        ("create", OURS, DONE, "its create was looked up"),
        ("create", THEIRS, REFUSED, "its name is held by an object of the stack 'theirs'"),
        ("create", {}, REFUSED, "an object of its name is there and belongs to no stack"),
        ("patch", None, FAILED, "it never arrived"),
        ("patch", THEIRS, REFUSED, "its name is held by an object of the stack 'theirs'"),
        ("patch", OURS, FAILED, "whether it was changed cannot be told; the next plan sees what is left"),
        ("detach", None, DONE, "it is gone"),
        ("detach", OURS, FAILED, "it is still of this stack"),
        ("detach", THEIRS, DONE, "it is detached"),
        ("detach", {}, DONE, "it is detached"),
        ("delete", None, DONE, "it is gone"),
        ("delete", OURS, FAILED, "it is still there"),
        ("delete", THEIRS, REFUSED, "its name is held by an object of the stack 'theirs'"),
    ],
)
async def test_how_an_open_step_is_closed(
    scene: Scene, verb: str, labels: dict[str, str] | None, state: StepState, said: str
) -> None:
    """By what is found in its place; the ledger then owns what was made, and nothing that is gone or went elsewhere."""
    plan = await scene.plan(CLOUDSPACE)
    await make(scene, labels)
    run, _ = left_open(scene, plan, StepRecord(0, "cloudspace/edge", EDGE, verb), StepRecord(1, "b", EDGE, "create"))
    assert await recovered(scene, plan) == [Settled("cloudspace/edge", said)]
    assert [(step.state, step.detail) for step in scene.ledger.steps(run)] == [
        (state, said),
        (SKIPPED, "the run was killed"),
    ]
    assert (EDGE in scene.ledger.owned(plan.scope)) is (verb == "create" and state is DONE)
    assert scene.ledger.unfinished_runs(plan.scope) == []
    assert [each.outcome for each in scene.ledger.runs(plan.scope)] == ["interrupted"]


@pytest.mark.parametrize(
    ("verb", "arrived", "state"),
    [
        ("patch", True, DONE),
        ("patch", False, FAILED),
        ("detach", True, DONE),
        ("detach", False, FAILED),
        ("delete", True, DONE),
    ],
)
async def test_what_the_ledger_has_on_record_follows(scene: Scene, verb: str, arrived: bool, state: StepState) -> None:
    """A patched object keeps what was applied to it; one that was detached or is gone is forgotten.

    Whatever else the run was to do: it is the change of this very object that is looked at.
    """
    await scene.apply(CLOUDSPACE)
    plan = await scene.plan(f"{BEFORE}---{NEWER}")
    assert [change.address for change in plan.changes] == ["cloudspace/before", "cloudspace/edge"]
    before = scene.ledger.owned(plan.scope)[EDGE]
    documents = scene.client.documents(scene.client.cloudspaces.kind)
    if verb == "delete":
        await scene.client.cloudspaces.delete("edge")
        await scene.client.cloudspaces.wait_gone("edge")
    elif verb == "detach" and arrived:
        await documents.patch("edge", {"metadata": {"labels": {STACK_LABEL: None}}})
    elif arrived:
        await documents.patch("edge", plan.changes[1].merge_patch)
    run, _ = left_open(scene, plan, StepRecord(0, "cloudspace/edge", EDGE, verb))
    (said,) = await recovered(scene, plan)
    assert scene.ledger.steps(run)[0].state is state
    kept = verb == "patch" or not arrived
    assert scene.ledger.owned(plan.scope) == ({EDGE: before} if kept else {})
    if verb == "patch":
        changed = "it is not as it was to be: spec/kubernetesVersion"
        assert said.detail == ("its patch arrived" if arrived else changed)


async def test_an_object_that_is_on_its_way_out_is_not_owned_again(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Its delete arrived; when it is gone nothing is left to be done about it."""
    plan = await scene.plan(CLOUDSPACE)
    await make(scene, OURS)
    spot_api.faults.say("cloudspaces: stuck always")
    await scene.client.cloudspaces.delete("edge")
    left_open(scene, plan, StepRecord(0, "cloudspace/edge", EDGE, "delete"))
    assert await recovered(scene, plan) == [Settled("cloudspace/edge", "it is being deleted")]
    assert scene.ledger.owned(plan.scope) == {}


async def test_a_patched_object_that_is_not_on_record_is_owned_from_then_on(scene: Scene) -> None:
    """By its label it is of this stack, and an empty ledger learns of it."""
    await make(scene, OURS)
    plan = await scene.plan(NEWER)
    live = await scene.client.documents(scene.client.cloudspaces.kind).patch("edge", plan.changes[0].merge_patch)
    left_open(scene, plan, StepRecord(0, "cloudspace/edge", EDGE, "patch"))
    await recovered(scene, plan)
    assert scene.ledger.owned(plan.scope) == {EDGE: OwnedObject(EDGE, "cloudspace/edge", live["metadata"]["uid"])}


async def test_a_step_of_an_unknown_kind_is_left_to_the_version_that_knows_it(scene: Scene) -> None:
    """It stays open, and so does its run."""
    plan = await scene.plan(CLOUDSPACE)
    run, _ = left_open(scene, plan, StepRecord(0, "moon/edge", Ref("Moon", "edge"), "create"))
    with pytest.raises(StateError, match=f"run {run} left moon/edge open, which is of an unknown kind: 'Moon'"):
        await recovered(scene, plan)
    assert scene.ledger.unfinished_runs(plan.scope) == [run]


async def test_a_step_that_registers_machines_is_taken_up_by_the_next_plan(scene: Scene) -> None:
    """What was registered is in the ledger; nothing is looked up."""
    plan = await scene.plan(CLOUDSPACE)
    run, _ = left_open(scene, plan, StepRecord(0, "registration/omni", Ref("Registration", "omni"), "expand"))
    (said,) = await recovered(scene, plan)
    assert said.detail == "was being worked on; the next plan takes it up"
    (step,) = scene.ledger.steps(run)
    assert (step.state, step.detail) == (SKIPPED, "the run was killed")


async def test_whoever_has_lost_the_lease_closes_no_step(scene: Scene) -> None:
    """Nor the run that it belongs to."""
    plan = await scene.plan(CLOUDSPACE)
    run, lost = left_open(scene, plan, StepRecord(0, "cloudspace/edge", EDGE, "create"))
    with pytest.raises(Locked, match="was lost"):
        await recovered(scene, plan, lost)
    assert scene.ledger.unfinished_runs(plan.scope) == [run]


@pytest.mark.parametrize("pending", [True, False])
async def test_the_run_of_whoever_took_over_is_not_closed(scene: Scene, pending: bool) -> None:
    """It has begun, and nothing of it may have been sent yet, or all of it is done."""
    plan = await scene.plan(CLOUDSPACE)
    run, _ = left_open(scene, plan, StepRecord(0, "a", EDGE, "create"), StepRecord(1, "b", EDGE, "create"))
    lost = scene.ledger.acquire(plan.scope, Holder("suspended", "elsewhere", 1), ManualClock().now(), 60)
    scene.ledger.acquire(plan.scope, Holder("next", "elsewhere", 2), ManualClock().now(), 60, abandoned=lost)
    for seq in (0,) if pending else (0, 1):
        scene.ledger.settle(run, seq, FAILED)
    with pytest.raises(Locked, match="was lost"):
        await recovered(scene, plan, lost)
    assert scene.ledger.steps(run)[1].state is (StepState.PENDING if pending else FAILED)
    assert scene.ledger.unfinished_runs(plan.scope) == [run]
