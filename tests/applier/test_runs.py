"""A run: intent before sending, one applier at a time, order, stopping, and what a failure takes with it."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rsspot.applier.events import Recap, Settled, StepEnded, StepStarted, Waiting
from rsspot.applier.options import ApplyOptions, CancelToken
from rsspot.applier.recover import recover
from rsspot.errors import AuthError, Locked, StateError
from rsspot.models.refs import Ref
from rsspot.planner.codec import dump_plan
from rsspot.resources.registry import kinds
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Holder, Ledger, StepRecord, StepState
from rsspot.testing import SimulatedSpot
from rsspot.utils.clock import utc_now
from rsspot.wire import httpx
from rsspot.workflows.reconcile import apply_context
from support.holders import holder_that_ended
from support.scenes import BASE, CHANGED, CLOUDSPACE, NAMESPACE, STACK, WORKERS, OpenScene, Scene, births, living

NEWER = STACK.replace("1.31.1", "1.32.0")
RICH = WORKERS.replace("workers", "rich").replace("desired: 2", "desired: 100").replace("0.06", "0.52")
"""A pool that outbids the others and has most of the 120 servers of its class."""


class Intercepted:
    """A ledger that does something of its own before one of its methods."""

    def __init__(self, ledger: Ledger, name: str, before: Callable[[], None]) -> None:
        self._ledger, self._name, self._before = ledger, name, before

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._ledger, name)
        if name != self._name:
            return method

        def intercepted(*args: Any, **kwargs: Any) -> Any:
            self._before()
            return method(*args, **kwargs)

        return intercepted


def deletes(spot_api: SimulatedSpot) -> list[str]:
    """The plurals of the DELETE requests in their order."""
    return [path.split("/")[-2] for _, path in spot_api.requests("DELETE")]


# Intent


async def test_nothing_is_sent_before_its_intent_is_in_the_ledger(
    spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """A ledger that cannot be written ends the run before its first mutation."""

    def full() -> None:
        raise StateError("the disk is full")

    scene = open_scene(wrap=lambda ledger: Intercepted(ledger, "intend", full))
    with pytest.raises(StateError, match="full"):
        await scene.apply()
    assert not spot_api.requests("POST", "PATCH", "DELETE")


async def test_every_mutation_finds_its_step_intended(spot_api: SimulatedSpot, open_scene: OpenScene) -> None:
    """Another reader of the file sees the intent at the moment when the request is on its way."""
    seen: list[tuple[str, StepState]] = []

    async def look(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "GET" or request.url.path.startswith("/oauth"):
            return
        reader = open_ledger(spot_api.folder / "state.db")
        plural = request.url.path.split("/namespaces/")[1].split("/")[1]
        run = reader.runs()[0].id
        seen.extend((plural, step.state) for step in reader.steps(run) if plural.startswith(step.ref.kind.lower()))
        reader.close()

    scene = open_scene(look)
    await scene.apply()
    await scene.apply(NEWER)
    assert [plural for plural, _ in seen].count("cloudspaces") == 2
    assert {state for _, state in seen} == {StepState.INTENT}


# Leases


async def test_a_lost_lease_stops_the_run_before_the_next_mutation(
    spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """Somebody took over after the first create: no further one is sent, and the run says why."""
    thief: Ledger | None = None

    async def take_over(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        nonlocal thief
        if request.method == "POST" and request.url.path.endswith("/cloudspaces"):
            thief = open_ledger(spot_api.folder / "state.db")
            (scope,) = {run.scope for run in thief.runs()}
            thief.acquire(scope, Holder("thief", "elsewhere", 1), utc_now() + timedelta(hours=1), 60)

    scene = open_scene(take_over)
    with pytest.raises(Locked, match="lost"):
        await scene.apply()
    assert len(spot_api.requests("POST")) == 1
    assert thief is not None
    thief.close()


async def test_a_create_in_doubt_when_the_lease_is_lost_stays_open(
    spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """A step that was sent and never answered is not closed as failed only because it may not be sent again."""

    async def take_over(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "POST" and request.url.path.endswith("/cloudspaces"):
            thief = open_ledger(spot_api.folder / "state.db")
            (scope,) = {run.scope for run in thief.runs()}
            thief.acquire(scope, Holder("thief", "elsewhere", 1), utc_now() + timedelta(hours=1), 60)
            thief.close()
            raise httpx.ReadError("reset", request=request)

    scene = open_scene(take_over)
    plan = await scene.plan(CLOUDSPACE)
    with pytest.raises(Locked):
        await scene.run(plan)
    assert [left.step.address for left in scene.ledger.open_steps(plan.scope)] == ["cloudspace/edge"]


async def test_a_second_apply_of_the_same_stack_is_locked_out(spot_api: SimulatedSpot, scene: Scene) -> None:
    """And sends nothing; another stack of the same ledger is free."""
    plan = await scene.plan()
    lease = scene.ledger.acquire(plan.scope, Holder("first", socket.gethostname(), os.getpid()), utc_now(), 60)
    with pytest.raises(Locked, match="another apply"):
        await scene.run(plan)
    assert not spot_api.requests("POST")
    scene.ledger.release(lease)
    assert (await scene.run(plan)).outcome == "ok"


async def test_a_dead_holders_lease_is_taken_over_at_once(scene: Scene) -> None:
    """On the same machine nobody waits for the lease of a process that is gone."""
    plan = await scene.plan()
    scene.ledger.acquire(plan.scope, holder_that_ended(), utc_now(), 3600)
    assert (await scene.run(plan)).outcome == "ok"


async def test_the_lease_is_given_back_when_a_run_is_over(scene: Scene) -> None:
    """Whether it went well or not."""
    plan = await scene.plan()
    await scene.run(plan)
    lease = scene.ledger.acquire(plan.scope, Holder("next", "elsewhere", 1), utc_now(), 60)
    assert lease.fence == 2


# Stopping


async def test_a_stop_starts_no_further_mutation(spot_api: SimulatedSpot, open_scene: OpenScene) -> None:
    """What is on its way is finished and written down; the next run goes on with no question."""
    stop = CancelToken()

    async def ask(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "POST" and request.url.path.endswith("/cloudspaces"):
            stop.ask()

    scene = open_scene(ask)
    recap = await scene.apply(manner=ApplyOptions(stop=stop))
    assert (recap.outcome, recap.exit_code) == ("cancelled", 8)
    assert len(spot_api.requests("POST")) == 1
    assert (recap.counts["created"], recap.counts["skipped"]) == (1, 2)
    assert not scene.ledger.unfinished_runs(scene.ledger.runs()[0].scope)
    assert (await open_scene().apply()).outcome == "ok"


async def test_a_stop_ends_the_waiting(spot_api: SimulatedSpot, open_scene: OpenScene) -> None:
    """Nobody who asked for an end has to wait twenty minutes for it."""
    stop = CancelToken()

    async def ask(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "POST" and request.url.path.endswith("/cloudspaces"):
            stop.ask()

    began = spot_api.clock.time()
    await open_scene(ask).apply(CLOUDSPACE, ApplyOptions(stop=stop))
    assert spot_api.clock.time() - began <= 30


# Failures


async def test_a_failed_step_skips_only_what_depends_on_it(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Its siblings go on, and the run ends as partial."""
    spot_api.faults.add("status", "POST", "/spotnodepools$", status=422, times=9)
    recap = await scene.apply()
    assert (recap.outcome, recap.exit_code) == ("partial", 7)
    assert (recap.counts["created"], recap.counts["failed"], recap.counts["skipped"]) == (2, 1, 0)


async def test_a_failed_parent_skips_its_children_and_not_its_neighbors(spot_api: SimulatedSpot, scene: Scene) -> None:
    """The other cloudspace and its pool are made."""
    other = ("---" + CLOUDSPACE + WORKERS).replace("edge", "core").replace("name: workers", "name: others")
    spot_api.faults.add("status", "POST", "/cloudspaces$", status=422)
    recap = await scene.apply(CLOUDSPACE + WORKERS + other)
    assert recap.outcome == "partial"
    ended = {event.address: event.state for event in scene.of(StepEnded)}
    failed = next(address for address, state in ended.items() if state is StepState.FAILED)
    name = failed.removeprefix("cloudspace/")
    assert {a for a, state in ended.items() if state is StepState.SKIPPED} == {a for a in ended if f"/{name}/" in a}
    assert len(living(spot_api.world, "spotnodepools")) == 1


async def test_a_refusal_names_the_fields_that_the_service_named(scene: Scene) -> None:
    """The service's own causes are in the detail of the step."""
    plan = await scene.plan(CLOUDSPACE)
    (change,) = plan.changes
    assert change.body
    # Planned by somebody who does not know the rule that the service has.
    change.body["spec"]["HAControlPlane"] = True
    recap = await scene.run(plan)
    assert recap.counts["failed"] == 1
    assert "HAControlPlane requires" in scene.of(StepEnded)[0].detail


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_secret_that_the_service_quotes_is_hidden(
    spot_api: SimulatedSpot, open_scene: OpenScene, method: str
) -> None:
    """Neither the events nor any file of the ledger hold it, whether it was refused in a create or in a patch."""
    quoted = "spec.webhook: Invalid value: https://example.com/second-secret"

    async def quote(request: httpx.Request, _: httpx.AsyncBaseTransport) -> httpx.Response | None:
        if request.method != method or b"second-secret" not in request.content:
            return None
        causes = [{"field": "spec.webhook", "message": quoted}]
        body = {"kind": "Status", "code": 422, "message": quoted, "details": {"causes": causes}}
        return httpx.Response(422, json=body, request=request)

    scene = open_scene(quote)
    if method == "PATCH":
        await scene.apply(CLOUDSPACE)
    recap = await scene.apply(CLOUDSPACE.replace("first", "second"))
    assert recap.outcome == "failed"
    (ended,) = scene.of(StepEnded)
    (step,) = scene.ledger.steps(recap.run)
    (attempt,) = scene.ledger.attempts(recap.run)
    for said in (ended.detail, step.detail, str(attempt.outcome)):
        assert "(secret)" in said
        assert "-secret" not in said
    assert "-secret" not in repr(scene.events)
    assert not any(b"-secret" in file.read_bytes() for file in spot_api.folder.glob("state.db*"))


async def test_a_fatal_error_ends_with_a_recap_and_then_is_raised(spot_api: SimulatedSpot, scene: Scene) -> None:
    """A token that is refused in mid-run leaves a finished run behind, and whoever listens hears what was done."""
    plan = await scene.plan()
    spot_api.faults.add("status", "POST", "nodepools$", status=401, times=100)
    with pytest.raises(AuthError):
        await scene.run(plan)
    recap = scene.events[-1]
    assert isinstance(recap, Recap)
    assert (recap.outcome, recap.exit_code, recap.counts["created"]) == ("unauthenticated", 4, 1)
    (run,) = scene.ledger.runs()
    assert (run.id, run.outcome) == (recap.run, "unauthenticated")
    assert run.ended_at
    assert not scene.ledger.unfinished_runs(plan.scope)


# Order


async def test_a_replacement_is_ready_before_its_predecessor_goes(
    spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """At the moment of the DELETE the successor has won all its servers."""
    won: list[int] = []

    async def look(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "DELETE" and "/spotnodepools/" in request.url.path:
            doomed = request.url.path.rsplit("/", 1)[1]
            pools = living(spot_api.world, "spotnodepools")
            won.extend(p["status"]["wonCount"] for p in pools if p["metadata"]["name"] != doomed)

    scene = open_scene(look)
    await scene.apply()
    assert (await scene.apply(CHANGED, ApplyOptions(wait="none"))).outcome == "ok"
    assert won == [2]


async def test_a_predecessor_stays_when_its_replacement_does_not_get_ready(
    spot_api: SimulatedSpot, scene: Scene
) -> None:
    """Nothing that works is taken away for something that does not."""
    rich = RICH.replace("gp.vs1.medium", "gp.vs1.large")
    await scene.apply(CLOUDSPACE + WORKERS + rich)
    many = WORKERS.replace("gp.vs1.medium", "gp.vs1.large").replace("desired: 2", "desired: 120")
    recap = await scene.apply(CLOUDSPACE + many + rich, ApplyOptions(wait_timeout=120))
    assert (recap.outcome, recap.counts["deleted"]) == ("partial", 0)
    assert not spot_api.requests("DELETE")


async def test_children_are_deleted_before_their_parents(spot_api: SimulatedSpot, scene: Scene) -> None:
    """A cloudspace goes last."""
    await scene.apply()
    plan = await scene.plan()
    empty = CLOUDSPACE.replace("edge", "another")
    assert (await scene.apply(empty)).outcome == "ok"
    assert sorted(deletes(spot_api)[:2]) == ["ondemandnodepools", "spotnodepools"]
    assert deletes(spot_api)[2:] == ["cloudspaces"]
    assert [each.ref.name for each in scene.ledger.owned(plan.scope).values()] == ["another"]


async def test_independent_steps_run_side_by_side_within_the_limit(
    spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """Eight cloudspaces, never more than three writes at once, and more than one."""
    under_way, most = 0, 0

    async def count(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response | None:
        nonlocal under_way, most
        if not (request.method == "POST" and "/namespaces/" in request.url.path):
            return None
        under_way += 1
        most = max(most, under_way)
        await spot_api.clock.sleep(0.01)
        response = await inner.handle_async_request(request)
        under_way -= 1
        return response

    text = "---".join(CLOUDSPACE.replace("edge", f"edge-{number}") for number in range(8))
    assert (await open_scene(count).apply(text, ApplyOptions(parallel=3))).outcome == "ok"
    assert 1 < most <= 3


# Waiting


async def test_a_pool_that_gets_only_some_servers_is_told_as_partial(scene: Scene) -> None:
    """There are 120 of the class, of which another pool has 100."""
    await scene.apply(CLOUDSPACE + RICH)
    recap = await scene.apply(
        CLOUDSPACE + RICH + WORKERS.replace("desired: 2", "desired: 120"), ApplyOptions(wait_timeout=300)
    )
    ended = next(event for event in scene.of(StepEnded) if event.address.endswith("/workers"))
    assert (ended.state, ended.readiness) == (StepState.DONE, "partial")
    assert "won 20 of 120" in ended.detail
    assert (recap.outcome, recap.counts["waiting"]) == ("partial", 1)


async def test_a_pool_that_loses_the_auction_is_told_as_outbid(spot_api: SimulatedSpot, scene: Scene) -> None:
    """And soon: hope is given up long before the time is."""
    rich = RICH.replace("desired: 100", "desired: 120")
    began = spot_api.clock.time()
    await scene.apply(CLOUDSPACE + rich)
    await scene.apply(CLOUDSPACE + WORKERS + rich, ApplyOptions(wait_timeout=5000))
    ended = next(event for event in scene.of(StepEnded) if event.address.endswith("/workers"))
    assert (ended.state, ended.readiness) == (StepState.DONE, "outbid")
    assert spot_api.clock.time() - began > 60


async def test_a_wait_that_runs_out_says_how_long_it_was(scene: Scene) -> None:
    """A cloudspace needs longer than ten seconds."""
    recap = await scene.apply(CLOUDSPACE, ApplyOptions(wait_timeout=10))
    (ended,) = scene.of(StepEnded)
    assert (ended.state, ended.readiness) == (StepState.DONE, "timeout")
    assert "not ready in 10 s" in ended.detail
    assert (recap.outcome, recap.exit_code, recap.counts["waiting"]) == ("deadline", 9, 1)


@pytest.mark.parametrize("wait", ["none", "accepted"])
async def test_without_waiting_a_run_ends_when_everything_is_accepted(
    spot_api: SimulatedSpot, scene: Scene, wait: str
) -> None:
    """No time passes and nothing is looked at again."""
    began = spot_api.clock.time()
    recap = await scene.apply(manner=ApplyOptions(wait=wait))
    assert (recap.outcome, recap.counts["created"], recap.counts["waiting"]) == ("ok", 3, 0)
    assert not scene.of(Waiting)
    assert spot_api.clock.time() == began


# Recovery


def interrupted(scene: Scene, plan: Any, verb: str, ref: Ref, address: str) -> int:
    """Leave behind what a killed run would: one step that may have been sent, and one that was not."""
    lease = scene.ledger.acquire(plan.scope, Holder("killed", "elsewhere", 1), utc_now(), 60)
    steps = [StepRecord(0, address, ref, verb), StepRecord(1, "cloudspace/later", Ref("CloudSpace", "later"), "create")]
    run = scene.ledger.begin(lease, "apply", dump_plan(plan), steps)
    scene.ledger.intend(run, 0)
    scene.ledger.release(lease)
    return run


async def recovered(scene: Scene, plan: Any) -> list[Settled]:
    """What recovery found."""
    return [each async for each in recover(apply_context(scene.client, scene.ledger, plan, ApplyOptions()), plan.scope)]


async def test_recovery_run_twice_gives_the_same_rows(spot_api: SimulatedSpot, scene: Scene) -> None:
    """The second time there is nothing left to do, and neither time anything is sent but GETs."""
    plan = await scene.plan(CLOUDSPACE)
    run = interrupted(scene, plan, "create", Ref("CloudSpace", "edge"), "cloudspace/edge")
    assert [each.detail for each in await recovered(scene, plan)] == ["it never arrived"]
    rows = scene.ledger.steps(run), scene.ledger.runs(), scene.ledger.attempts(run), scene.ledger.owned(plan.scope)
    assert await recovered(scene, plan) == []
    again = scene.ledger.steps(run), scene.ledger.runs(), scene.ledger.attempts(run), scene.ledger.owned(plan.scope)
    assert again == rows
    assert [step.state for step in rows[0]] == [StepState.FAILED, StepState.SKIPPED]
    assert not spot_api.requests("POST", "PATCH", "DELETE")


@pytest.mark.parametrize(
    ("executed", "secret", "state"),
    [
        (True, False, StepState.DONE),
        (False, False, StepState.FAILED),
        (True, True, StepState.FAILED),
    ],
)
async def test_recovery_calls_a_patch_done_only_if_it_sees_it(
    scene: Scene, executed: bool, secret: bool, state: StepState
) -> None:
    """A secret is not in the ledger, so nothing tells; the plan that follows does."""
    changed = STACK.replace("first-secret", "second-secret") if secret else NEWER
    await scene.apply()
    plan = await scene.plan(changed)
    run = interrupted(scene, plan, "patch", Ref("CloudSpace", "edge"), "cloudspace/edge")
    if executed:
        documents = scene.client.documents(kinds()["CloudSpace"])
        await documents.patch("edge", plan.changes[0].merge_patch)
    await recovered(scene, plan)
    assert scene.ledger.steps(run)[0].state is state
    assert (await scene.plan(changed)).empty is executed


async def test_recovery_does_not_claim_another_stacks_object(scene: Scene) -> None:
    """That an object of the name is there does not make it ours."""
    await scene.apply(CLOUDSPACE, stack="theirs")
    plan = await scene.plan(CLOUDSPACE, stack="ours")
    interrupted(scene, plan, "create", Ref("CloudSpace", "edge"), "cloudspace/edge")
    await recovered(scene, plan)
    assert not scene.ledger.owned(plan.scope)


async def test_recovery_closes_a_delete_of_what_is_still_there_as_failed(spot_api: SimulatedSpot, scene: Scene) -> None:
    """It was not done, whatever was meant; the object stays ours and nothing is sent."""
    await scene.apply(CLOUDSPACE)
    plan = await scene.plan(CLOUDSPACE)
    run = interrupted(scene, plan, "delete", Ref("CloudSpace", "edge"), "cloudspace/edge")
    assert [each.detail for each in await recovered(scene, plan)] == ["it is still there"]
    assert [step.state for step in scene.ledger.steps(run)] == [StepState.FAILED, StepState.SKIPPED]
    assert Ref("CloudSpace", "edge") in scene.ledger.owned(plan.scope)
    assert not spot_api.requests("DELETE")


async def test_recovery_closes_a_delete_of_what_is_on_its_way_out_as_done(scene: Scene) -> None:
    """The request arrived, and the rest takes its time."""
    await scene.apply(CLOUDSPACE)
    plan = await scene.plan(CLOUDSPACE)
    await scene.client.cloudspaces.delete("edge")
    run = interrupted(scene, plan, "delete", Ref("CloudSpace", "edge"), "cloudspace/edge")
    await recovered(scene, plan)
    assert scene.ledger.steps(run)[0].state is StepState.DONE


async def test_recovery_does_not_claim_a_plain_name_without_a_label(scene: Scene) -> None:
    """Somebody may have made a cloudspace of that name by hand; the plan that follows refuses it too."""
    plan = await scene.plan(CLOUDSPACE)
    await scene.client.cloudspaces.create("edge", {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"})
    run = interrupted(scene, plan, "create", Ref("CloudSpace", "edge"), "cloudspace/edge")
    await recovered(scene, plan)
    assert scene.ledger.steps(run)[0].state is StepState.REFUSED
    assert not scene.ledger.owned(plan.scope)
    (refusal,) = (await scene.plan(CLOUDSPACE)).refusals
    assert "belongs to no stack" in refusal.message


# What is sent


async def test_a_patch_holds_what_changed_and_what_it_was_read_at(
    spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """One field of the spec, resourceVersion and uid, and nothing else."""
    bodies: list[Any] = []

    async def keep(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "PATCH":
            bodies.append(json.loads(request.content))

    scene = open_scene(keep)
    await scene.apply()
    live = spot_api.world.store.get("cloudspaces", NAMESPACE, "edge")
    assert live is not None
    await scene.apply(NEWER)
    marks = {key: live["metadata"][key] for key in ("resourceVersion", "uid")}
    assert bodies == [{"spec": {"kubernetesVersion": "1.32.0"}, "metadata": marks}]


async def test_a_plan_sends_only_reads_and_makes_no_ledger(spot_api: SimulatedSpot, open_scene: OpenScene) -> None:
    """One list of each kind and the token; no file appears."""
    scene = open_scene(wrap=lambda _: open_ledger(spot_api.folder / "absent.db", create=False))
    await scene.plan()
    others = [each for each in spot_api.transport.carried if each[0] != "GET"]
    assert others == [("POST", "/oauth/token")]
    assert len(spot_api.requests("GET")) == len(set(spot_api.requests("GET")))
    assert not (spot_api.folder / "absent.db").exists()


async def test_a_plan_leaves_the_ledger_as_it_was(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Byte for byte."""
    await scene.apply()
    scene.ledger.close()
    file = spot_api.folder / "state.db"
    before = hashlib.sha256(file.read_bytes()).digest()
    scene.ledger = open_ledger(file, create=False)
    await scene.plan(CHANGED)
    scene.ledger.close()
    assert hashlib.sha256(file.read_bytes()).digest() == before


async def test_an_empty_plan_sends_no_mutation(spot_api: SimulatedSpot, scene: Scene) -> None:
    """The second apply of the same text changes nothing, drift of controllers notwithstanding."""
    await scene.apply()
    sent = len(spot_api.requests("POST", "PATCH", "DELETE"))
    spot_api.advance(5000)
    recap = await scene.apply()
    assert (recap.outcome, set(recap.counts.values())) == ("ok", {0})
    assert len(spot_api.requests("POST", "PATCH", "DELETE")) == sent


async def test_events_tell_of_a_step_before_and_after(scene: Scene) -> None:
    """Every step that started ended."""
    await scene.apply(CLOUDSPACE + BASE)
    started = [event.address for event in scene.of(StepStarted)]
    assert sorted(started) == sorted(event.address for event in scene.of(StepEnded))
    assert started[0] == "cloudspace/edge"
    assert scene.of(Waiting)


async def test_an_object_deleted_by_hand_is_made_again(spot_api: SimulatedSpot, scene: Scene) -> None:
    """The live world is the truth, whatever the ledger remembers."""
    await scene.apply()
    await scene.client.ondemand_nodepools.delete(living(spot_api.world, "ondemandnodepools")[0]["metadata"]["name"])
    spot_api.advance(120)
    recap = await scene.apply()
    assert (recap.outcome, recap.counts["created"]) == ("ok", 1)
    assert list(births(spot_api.world, "ondemandnodepools").values()) == [2]


async def test_a_deadline_ends_the_run_under_its_own_name(spot_api: SimulatedSpot, open_scene: OpenScene) -> None:
    """So that a pipeline can tell it from somebody's Ctrl-C."""
    stop = CancelToken()

    async def ask(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "POST" and request.url.path.endswith("/cloudspaces"):
            stop.ask("deadline")
            stop.ask()

    recap = await open_scene(ask).apply(CLOUDSPACE, ApplyOptions(stop=stop))
    assert (recap.outcome, recap.exit_code) == ("deadline", 9)


async def test_a_second_apply_waits_for_what_the_first_one_did_not(spot_api: SimulatedSpot, scene: Scene) -> None:
    """A retry in CI stays red until everything that is declared is ready, changed or not."""
    spot_api.faults.say("spotnodepools: stuck always")
    text, patience = CLOUDSPACE + WORKERS, ApplyOptions(wait_timeout=900)
    first = await scene.apply(text, patience)
    assert (first.outcome, first.counts["waiting"]) == ("deadline", 1)
    plan = await scene.plan(text)
    assert plan.empty
    assert [each.address for each in plan.pending] == ["spotnodepool/edge/workers"]
    second = await scene.run(plan, patience)
    assert (second.outcome, second.exit_code, second.counts["waiting"]) == ("deadline", 9, 1)
    spot_api.faults.clear()
    third = await scene.run(plan)
    assert (third.outcome, third.counts["waiting"]) == ("ok", 0)
    assert (await scene.run(plan, ApplyOptions(wait="accepted"))).outcome == "ok"


async def test_many_waits_share_their_reads(spot_api: SimulatedSpot, scene: Scene) -> None:
    """One list a look instead of a read for each object."""
    text = CLOUDSPACE + "".join(WORKERS.replace("name: workers", f"name: pool-{number}") for number in range(30))
    spot_api.faults.say("spotnodepools: stuck always")
    before = len(spot_api.requests("GET"))
    recap = await scene.apply(text, ApplyOptions(wait_timeout=900))
    assert recap.counts["waiting"] == 30
    # More than a hundred looks at thirty pools would be thousands of reads.
    assert len(spot_api.requests("GET")) - before < 400


async def test_the_children_of_what_is_deleted_are_listed_once_a_wave(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Not twice for each parent."""
    spaces = "---\n".join(CLOUDSPACE.replace("name: edge", f"name: edge-{number}") for number in range(12))
    await scene.apply(spaces, ApplyOptions(wait="accepted"))
    plan = await scene.plan(CLOUDSPACE)
    before = len(spot_api.requests("GET"))
    recap = await scene.run(plan, ApplyOptions(wait="accepted", parallel=12))
    assert recap.counts["deleted"] == 12
    lists = [path for _, path in spot_api.requests("GET")[before:] if path.endswith("nodepools")]
    # A wave is three lists; one cloudspace has to wait for its turn, and meanwhile a controller changes it.
    assert len(lists) <= 12
