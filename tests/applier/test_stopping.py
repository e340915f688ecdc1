"""A run that ends early: by a wish in its grades, at the first failure, in too much doubt, or when its time is up."""

from __future__ import annotations

import asyncio

import pytest

from rsspot.applier.events import RunOutcome, StepEnded
from rsspot.applier.execution import MOST_DOUBTS
from rsspot.applier.options import ApplyOptions, CancelToken
from rsspot.errors import UsageError
from rsspot.state.ledger.protocol import StepState
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from rsspot.workflows.reconcile import apply_plan
from rsspot.workflows.saved_plan import plan_to_resume, prepare_saved_plan
from support.scenes import BASE, CLOUDSPACE, STACK, WORKERS, Act, OpenScene, Scene, births, living

POOLS = "".join(WORKERS.replace("name: workers", f"name: pool-{number}") for number in range(12))
MANY = CLOUDSPACE + POOLS


def creates(request: httpx.Request, plural: str) -> bool:
    """Whether a request is to make an object of a plural."""
    return request.method == "POST" and request.url.path.endswith(f"/{plural}")


def states(scene: Scene) -> list[StepState]:
    """How the steps of the last run are on record."""
    return [step.state for step in scene.ledger.steps(scene.ledger.runs()[0].id)]


def hanging(plural: str, hung: asyncio.Event, *, executed: bool) -> Act:
    """Lets the creates of a plural go without an answer for ever. hung: set once the first one does"""

    async def act(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response | None:
        if creates(request, plural):
            if executed:
                await inner.handle_async_request(request)
            hung.set()
            await asyncio.Event().wait()
        return None

    return act


# Abandoned


@pytest.mark.parametrize("executed", [False, True])
@pytest.mark.parametrize("how", ["second wish", "grace is over"])
async def test_a_write_that_is_abandoned_is_unknown_until_the_next_run(
    spot_api: SimulatedSpot, open_scene: OpenScene, how: str, executed: bool
) -> None:
    """It ends soon, and says with its code that something may have arrived."""
    stop, hung = CancelToken(), asyncio.Event()
    scene = open_scene(hanging("cloudspaces", hung, executed=executed))
    options = ApplyOptions(stop=stop, grace=0.0 if how == "grace is over" else 3600.0)
    running = asyncio.create_task(scene.apply(manner=options))
    await hung.wait()
    stop.ask()
    if how == "second wish":
        stop.abandon()
    recap = await running
    assert (recap.outcome, recap.exit_code) == (RunOutcome.UNKNOWN, 11)
    assert (recap.counts["unknown"], recap.counts["skipped"]) == (1, 2)
    assert recap.reasons == (RunOutcome.UNKNOWN, RunOutcome.CANCELLED)
    assert sorted(states(scene)) == [StepState.SKIPPED, StepState.SKIPPED, StepState.UNKNOWN]
    assert (await open_scene().apply()).outcome == "ok"
    assert set(births(spot_api.world, "cloudspaces").values()) == {1}


async def test_a_wait_that_is_abandoned_leaves_what_was_done(spot_api: SimulatedSpot, open_scene: OpenScene) -> None:
    """Its step is done; only nobody waits for the object any more."""
    stop, looked = CancelToken(), asyncio.Event()

    async def hang(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "GET" and spot_api.requests("POST"):
            looked.set()
            await asyncio.Event().wait()

    scene = open_scene(hang)
    running = asyncio.create_task(scene.apply(CLOUDSPACE, ApplyOptions(stop=stop)))
    await looked.wait()
    stop.abandon()
    recap = await running
    assert (recap.outcome, recap.counts["created"], recap.counts["waiting"]) == ("cancelled", 1, 1)
    assert states(scene) == [StepState.DONE]


@pytest.mark.parametrize(("outcome", "code"), [("cancelled", 8), ("deadline", 9)])
async def test_a_deletion_that_is_no_longer_waited_for_has_not_failed(
    spot_api: SimulatedSpot, open_scene: OpenScene, outcome: str, code: int
) -> None:
    """It was accepted, and the run was stopped: nothing went wrong."""
    stop = CancelToken()
    await open_scene().apply()
    spot_api.faults.say("ondemandnodepools: stuck always")

    async def ask(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "DELETE":
            stop.ask(outcome)

    scene = open_scene(ask)
    recap = await scene.apply(CLOUDSPACE + WORKERS, ApplyOptions(stop=stop))
    assert (recap.outcome, recap.exit_code) == (outcome, code)
    assert (recap.counts["deleted"], recap.counts["failed"], recap.counts["waiting"]) == (1, 0, 1)
    assert states(scene) == [StepState.DONE]
    spot_api.faults.clear()
    assert (await open_scene().apply(CLOUDSPACE + WORKERS)).outcome == "ok"


async def test_a_stop_writes_down_all_that_was_not_begun_at_once(open_scene: OpenScene) -> None:
    """However many steps there are, skipping them is one write."""
    stop = CancelToken()
    commits = 0

    async def ask(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if creates(request, "cloudspaces"):
            stop.ask()

    scene = open_scene(ask)
    skip = scene.ledger.skip

    class Counted:
        def __getattr__(self, name: str) -> object:
            return getattr(ledger, name)

        def skip(self, run: int, reasons: dict[int, str]) -> None:
            nonlocal commits
            commits += 1
            skip(run, reasons)

    ledger = scene.ledger
    scene.ledger = Counted()  # type: ignore[assignment]
    recap = await scene.apply(MANY, ApplyOptions(stop=stop))
    assert (recap.counts["created"], recap.counts["skipped"], commits) == (1, 12, 1)
    assert states(scene).count(StepState.SKIPPED) == 12


@pytest.mark.parametrize("how", ["ask", "abandon"])
async def test_a_wish_before_the_first_step_sends_nothing(spot_api: SimulatedSpot, scene: Scene, how: str) -> None:
    """Such as a deadline that is over already."""
    stop = CancelToken()
    plan = await scene.plan()
    if how == "ask":
        stop.ask()
    else:
        stop.abandon()
    recap = await scene.run(plan, ApplyOptions(stop=stop))
    assert (recap.outcome, recap.counts["skipped"]) == ("cancelled", 3)
    assert not spot_api.requests("POST")


# Failures


@pytest.mark.parametrize(("fail_fast", "sent"), [(False, 12), (True, 1)])
async def test_a_failure_ends_the_run_only_if_that_was_asked_for(
    spot_api: SimulatedSpot, scene: Scene, fail_fast: bool, sent: int
) -> None:
    """By default, what does not depend on it goes on."""
    spot_api.faults.say("POST spotnodepools: 422 x1")
    recap = await scene.apply(MANY, ApplyOptions(fail_fast=fail_fast, parallel=1))
    assert (recap.outcome, recap.exit_code) == ("partial", 7)
    assert len(spot_api.requests("POST")) == 1 + sent
    skipped = {event.detail for event in scene.of(StepEnded) if event.state is StepState.SKIPPED}
    assert skipped == ({"an earlier step failed"} if fail_fast else set())
    assert recap.counts["skipped"] == 12 - sent


async def test_writes_that_stay_in_doubt_one_after_the_other_end_the_run(spot_api: SimulatedSpot, scene: Scene) -> None:
    """The service is broken: what is open is looked up, nothing further is sent, and the next run goes on."""
    await scene.apply(CLOUDSPACE)
    before = len(spot_api.requests("POST"))
    spot_api.faults.say("POST spotnodepools: 502 always")
    recap = await scene.apply(MANY, ApplyOptions(parallel=2))
    assert (recap.outcome, recap.exit_code) == ("unknown", 11)
    assert MOST_DOUBTS <= len(spot_api.requests("POST")) - before <= MOST_DOUBTS + 1
    assert recap.counts["unknown"] + recap.counts["skipped"] == 12
    spot_api.faults.clear()
    assert (await scene.apply(MANY)).outcome == "ok"
    assert set(births(spot_api.world, "spotnodepools").values()) == {1}


async def test_a_doubt_now_and_then_ends_nothing(spot_api: SimulatedSpot, scene: Scene) -> None:
    """One answer is enough to begin to count anew."""
    spot_api.faults.say("POST spotnodepools: reset-after always p 0.5")
    recap = await scene.apply(MANY, ApplyOptions(parallel=1))
    assert recap.outcome == "ok"
    assert len(living(spot_api.world, "spotnodepools")) == 12


@pytest.mark.parametrize(("fault", "state", "code"), [("502 always", "unknown", 11), ("409 always", "failed", 1)])
async def test_a_step_is_given_up_when_its_time_is_over(
    spot_api: SimulatedSpot, scene: Scene, fault: str, state: str, code: int
) -> None:
    """It is unknown if something may have arrived, and failed if not."""
    await scene.apply(CLOUDSPACE)
    spot_api.faults.say(f"PATCH cloudspaces: {fault}")
    recap = await scene.apply(CLOUDSPACE.replace("1.31.1", "1.32.0"), ApplyOptions(step_timeout=0))
    (ended,) = scene.of(StepEnded)
    assert (ended.state, recap.exit_code) == (state, code)
    assert "could not be written in 0 s" in ended.detail


# Resuming


async def test_a_run_that_was_stopped_is_resumed_as_it_was_approved(
    spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """Nobody is asked again: what is done counts as done, the rest is done now."""
    stop = CancelToken()

    async def ask(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if creates(request, "cloudspaces"):
            stop.ask()

    scene = open_scene(ask)
    assert (await scene.apply(manner=ApplyOptions(stop=stop))).outcome == "cancelled"
    again = open_scene()
    plan = plan_to_resume(again.ledger)
    assert plan is not None
    ready = await prepare_saved_plan(again.client, plan, again.manifests(STACK), again.ledger)
    recap = await again.run(ready)
    assert (recap.outcome, recap.counts["created"], recap.counts["satisfied"]) == ("ok", 2, 1)
    assert plan_to_resume(again.ledger) is None


async def test_a_run_whose_secrets_are_not_at_hand_is_not_resumed(open_scene: OpenScene) -> None:
    """The ledger has none."""
    stop = CancelToken()
    stop.ask()
    scene = open_scene()
    await scene.apply(manner=ApplyOptions(stop=stop))
    plan = plan_to_resume(scene.ledger)
    assert plan is not None
    with pytest.raises(UsageError, match="only in the manifests"):
        await prepare_saved_plan(scene.client, plan, None, scene.ledger)


async def test_only_the_last_run_of_the_stack_is_resumed(scene: Scene) -> None:
    """A later one has done what was left, or has changed it."""
    assert plan_to_resume(scene.ledger) is None
    stop = CancelToken()
    stop.ask()
    await scene.apply(CLOUDSPACE, ApplyOptions(stop=stop), stack="one")
    await scene.apply(CLOUDSPACE + BASE, stack="two")
    assert plan_to_resume(scene.ledger) is None
    resumed = plan_to_resume(scene.ledger, "one")
    assert resumed is not None and resumed.stack == "one"


async def test_an_apply_that_is_cancelled_from_outside_gives_its_lease_back(scene: Scene) -> None:
    """As a script does that gives up: the next run looks up what is open."""
    plan = await scene.plan()

    async def consume() -> None:
        async for _ in apply_plan(scene.client, scene.ledger, plan):
            await asyncio.Event().wait()

    task = asyncio.create_task(consume())
    while not scene.ledger.runs():
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (await scene.apply()).outcome == "ok"


async def test_a_write_that_is_cancelled_from_outside_stays_open(
    spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """Nobody is told what became of it; the next run finds it made, once."""
    hung = asyncio.Event()
    scene = open_scene(hanging("cloudspaces", hung, executed=True))
    running = asyncio.create_task(scene.apply(CLOUDSPACE))
    await hung.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert states(scene) == [StepState.INTENT]
    assert (await open_scene().apply(CLOUDSPACE)).outcome == "ok"
    assert set(births(spot_api.world, "cloudspaces").values()) == {1}
