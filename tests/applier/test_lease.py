"""The lease of a stack: kept through busy loops and clocks that are set, and lost only when somebody else has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rsspot.applier.events import Recap, RunOutcome
from rsspot.applier.lease import RENEW_EVERY, TTL, WATCH, hold
from rsspot.applier.options import ApplyOptions
from rsspot.applier.recover import recover
from rsspot.errors import AuthError, Locked, StateError
from rsspot.http.hooks import Hooks, Wait
from rsspot.models.refs import Ref
from rsspot.planner.codec import dump_plan
from rsspot.simulator.clock import ManualClock
from rsspot.state.database import Database
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Holder, Ledger, StepRecord, StepState
from rsspot.testing import SimulatedSpot
from rsspot.utils.provenance import JOBS
from rsspot.wire import httpx
from rsspot.workflows.reconcile import apply_context, plan_destroy
from support.holders import holder_that_ended, this_holder
from support.paced import Paced
from support.scenes import CLOUDSPACE, STACK, OpenScene, Scene

HOUR = 3600.0
SOMEBODY = Holder("somebody", "elsewhere", 1)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    with closing(open_ledger(tmp_path / "state.db")) as opened:
        yield opened


def seconds_left(ledger: Ledger, clock: ManualClock) -> float:
    """What another process with the same clock reads in the ledger."""
    lease = ledger.current_lease("scope")
    assert lease is not None
    return (lease.expires_at - clock.now()).total_seconds()


# The holder


async def test_a_busy_event_loop_does_not_lose_the_lease(ledger: Ledger) -> None:
    """The background never comes to its turn, so the writes renew the lease."""
    clock = Paced()
    async with hold(ledger, "scope", clock) as held:
        for _ in range(100):
            clock.advance(7)
            held.check()
            assert seconds_left(ledger, clock) > TTL / 2
    assert ledger.current_lease("scope") is None


async def test_writes_in_quick_succession_renew_once(ledger: Ledger) -> None:
    """A renewal is a write of the ledger, and not every request is worth one."""
    clock = Paced()
    async with hold(ledger, "scope", clock) as held:
        for passed in (RENEW_EVERY, 1, RENEW_EVERY - 2):
            clock.advance(passed)
            held.check()
        assert seconds_left(ledger, clock) == TTL - RENEW_EVERY + 1


def test_a_lease_outlasts_a_missed_renewal() -> None:
    """And whoever watches one that has expired sees a renewal if there is any."""
    assert TTL > 2 * RENEW_EVERY
    assert WATCH > RENEW_EVERY


async def test_the_background_renews_while_nothing_is_written(ledger: Ledger) -> None:
    """Such as during a wait of half an hour."""
    clock = Paced()
    async with hold(ledger, "scope", clock):
        for _ in range(100):
            await clock.let_pass(20)
            assert seconds_left(ledger, clock) >= TTL - RENEW_EVERY


@pytest.mark.parametrize("step", [-HOUR, HOUR])
async def test_a_clock_that_is_set_does_not_lose_the_lease(ledger: Ledger, step: float) -> None:
    """Set right by an hour during an apply. The next renewal writes the right time for others."""
    clock = Paced()
    async with hold(ledger, "scope", clock) as held:
        clock.step(step)
        held.check()
        await clock.let_pass(RENEW_EVERY)
        assert seconds_left(ledger, clock) == TTL
        held.check()


async def test_a_suspended_holder_goes_on_if_nobody_took_over(ledger: Ledger) -> None:
    """It expired a day ago, but its fence is still the latest."""
    clock = Paced()
    async with hold(ledger, "scope", clock) as held:
        clock.advance(24 * HOUR)
        held.check()
        assert (held.lease.fence, held.lost) == (1, False)
        assert seconds_left(ledger, clock) == TTL


@pytest.mark.parametrize("passed", [0.0, RENEW_EVERY, 24 * HOUR])
@pytest.mark.parametrize("released", [True, False], ids=["and ended", "and goes on"])
async def test_a_lease_that_was_taken_over_stays_lost(ledger: Ledger, passed: float, released: bool) -> None:
    """Whether it is time to renew it or not, and also when the other run has ended since."""
    clock = Paced()
    async with hold(ledger, "scope", clock) as held:
        other = ledger.acquire("scope", SOMEBODY, LATER, TTL)
        if released:
            ledger.release(other)
        clock.advance(passed)
        with pytest.raises(Locked, match="lost") as caught:
            held.check()
        assert held.lost
        assert "another apply took over" in str(caught.value.hint)
        await clock.let_pass(60)
    assert (ledger.current_lease("scope") is None) is released


async def test_a_ledger_that_cannot_be_written_for_a_while_is_outlasted(ledger: Ledger) -> None:
    """The background tries again; only a write that is to start now fails."""
    clock = Paced()
    broken = Broken(ledger)
    async with hold(broken, "scope", clock) as held:
        broken.is_broken = True
        await clock.let_pass(2 * RENEW_EVERY)
        with pytest.raises(StateError):
            held.check()
        broken.is_broken = False
        await clock.let_pass(RENEW_EVERY)
        assert seconds_left(ledger, clock) == TTL
        held.check()


class Broken:
    """A ledger whose leases cannot be renewed at times."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.is_broken = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def renew(self, *args: Any) -> Any:
        if self.is_broken:
            raise StateError("the disk is full")
        return self._ledger.renew(*args)


async def test_nothing_goes_on_once_the_lease_is_given_back(ledger: Ledger) -> None:
    """No task is left that would renew it."""
    before = asyncio.all_tasks()
    async with hold(ledger, "scope", Paced()):
        assert asyncio.all_tasks() > before
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize(("variable", "job"), [("https://ci.example.com/7", "https://ci.example.com/7"), ("", "")])
async def test_the_lease_names_the_job_that_holds_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, variable: str, job: str
) -> None:
    """Where there is one: whoever is locked out reads whom to ask."""
    for name in (*JOBS, "GITHUB_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(JOBS[0], variable)
    async with hold(ledger, "scope", Paced()) as held:
        assert held.lease.holder.job == job


# Others


class Watcher(ManualClock):
    """The clock of a process that waits. Something happens meanwhile."""

    def __init__(self, off: float, happens: Callable[[float], None] = lambda _: None) -> None:
        super().__init__()
        self.step(off)
        self._happens = happens

    async def sleep(self, seconds: float) -> None:
        if seconds >= RENEW_EVERY:
            # The renewal in the background, once the lease is ours.
            await asyncio.Event().wait()
        await super().sleep(seconds)
        self._happens(self.monotonic())


@pytest.mark.parametrize("off", [TTL, HOUR, 24 * HOUR])
async def test_a_renewed_lease_is_not_taken_by_a_process_whose_clock_is_ahead(ledger: Ledger, off: float) -> None:
    """By its clock, every renewal has expired before it was made."""
    clock = ManualClock()
    lease = ledger.acquire("scope", SOMEBODY, clock.now(), TTL)

    def renew(passed: float) -> None:
        nonlocal lease
        if passed == RENEW_EVERY - 1:
            lease = ledger.renew(lease, clock.now() + timedelta(seconds=passed), TTL)

    waiting = Watcher(off, renew)
    with pytest.raises(Locked, match="process 1 on elsewhere"):
        async with hold(ledger, "scope", waiting):
            pytest.fail("two runs have the lease")
    assert ledger.holds(lease)
    assert waiting.monotonic() < WATCH


@pytest.mark.parametrize("off", [-24 * HOUR, TTL, HOUR], ids=str)
async def test_a_lease_that_is_not_renewed_is_taken_over(
    ledger: Ledger, off: float, caplog: pytest.LogCaptureFixture
) -> None:
    """After two renewals' time, whichever of the clocks was wrong. The user is told what is waited for."""
    ledger.acquire("scope", SOMEBODY, ManualClock().now(), TTL)
    clock = Watcher(off)
    async with hold(ledger, "scope", clock) as held:
        assert held.lease.fence == 2
        assert clock.monotonic() == WATCH
    assert "still renews it" in caplog.text


async def test_watching_a_lease_is_a_wait(ledger: Ledger) -> None:
    """That names the stack and whose lease it may be, and is over when the lease is taken."""
    ledger.acquire("scope", SOMEBODY, ManualClock().now(), TTL)
    waits: list[Wait] = []
    async with hold(ledger, "scope", Watcher(HOUR), Hooks(waits=[waits.append])):
        assert [(wait.what, wait.over) for wait in waits] == [
            ("the lease of scope, which process 1 on elsewhere may hold", True)
        ]


async def test_a_lease_that_is_released_meanwhile_is_taken_at_once(ledger: Ledger) -> None:
    """Its holder's run is over."""
    lease = ledger.acquire("scope", SOMEBODY, ManualClock().now(), TTL)
    clock = Watcher(HOUR, lambda _: ledger.release(lease))
    async with hold(ledger, "scope", clock):
        assert clock.monotonic() == 1


async def test_of_two_that_watch_only_one_takes_over(ledger: Ledger) -> None:
    """The other sees that the lease is not the one it watched."""
    ledger.acquire("scope", SOMEBODY, ManualClock().now(), TTL)

    def overtake(passed: float) -> None:
        if passed == WATCH:
            ledger.acquire("scope", Holder("third", "elsewhere", 3), LATER, TTL)

    with pytest.raises(Locked, match="process 3 on elsewhere"):
        async with hold(ledger, "scope", Watcher(HOUR, overtake)):
            pytest.fail("two runs have the lease")


async def test_a_held_lease_is_not_watched(ledger: Ledger) -> None:
    """Nobody waits when the clock can tell."""
    clock = Watcher(0.0)
    ledger.acquire("scope", SOMEBODY, clock.now(), TTL)
    with pytest.raises(Locked):
        async with hold(ledger, "scope", clock):
            pytest.fail("two runs have the lease")
    assert clock.monotonic() == 0


async def test_the_expired_lease_of_a_dead_process_is_not_watched(ledger: Ledger) -> None:
    """After a kill, the next run on this machine goes on at once."""
    clock = Watcher(HOUR)
    ledger.acquire("scope", holder_that_ended(), ManualClock().now(), TTL)
    async with hold(ledger, "scope", clock):
        assert clock.monotonic() == 0


async def test_a_living_process_of_this_machine_is_watched_too(ledger: Ledger) -> None:
    """It may be suspended, and then wakes to a lost lease; or the clock was set, and it renews."""
    clock = Watcher(HOUR)
    ledger.acquire("scope", this_holder(), ManualClock().now(), TTL)
    async with hold(ledger, "scope", clock):
        assert clock.monotonic() == WATCH


# Runs


def in_state_db(spot_api: SimulatedSpot, act: Callable[[Ledger, str], Any]) -> None:
    """Do something in the ledger as another process would."""
    with closing(open_ledger(spot_api.folder / "state.db")) as other:
        act(other, other.runs()[0].scope)


def take_over(ledger: Ledger, scope: str) -> None:
    """As another run does once the lease has expired."""
    ledger.acquire(scope, SOMEBODY, LATER, TTL)


async def test_a_run_whose_lease_expired_goes_on(spot_api: SimulatedSpot, open_scene: OpenScene) -> None:
    """By the time of day it expired before every single request, and nobody took it."""

    async def expire(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "POST" and not request.url.path.startswith("/oauth"):
            with closing(Database(spot_api.folder / "state.db")) as database, database.transaction() as db:
                db.execute("UPDATE leases SET expires_at = '2000-01-01T00:00:00+00:00'")

    recap = await open_scene(expire).apply()
    assert (recap.outcome, recap.counts["created"]) == ("ok", 3)


def last_recap(scene: Scene) -> Recap:
    """The recap that the user is shown."""
    recap = scene.events[-1]
    assert isinstance(recap, Recap)
    return recap


async def test_a_woken_run_ends_locked_with_a_recap(spot_api: SimulatedSpot, open_scene: OpenScene) -> None:
    """Meanwhile another run took over, closed its steps, and is still at work."""

    async def meanwhile(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "POST" and request.url.path.endswith("/cloudspaces"):
            in_state_db(spot_api, take_over)
            other = open_scene()
            context = apply_context(other.client, other.ledger, plan, ApplyOptions())
            assert [each async for each in recover(context, plan.scope)]

    scene = open_scene(meanwhile)
    plan = await scene.plan()
    with pytest.raises(Locked, match="lost"):
        await scene.run(plan)
    assert (last_recap(scene).outcome, last_recap(scene).exit_code) == (RunOutcome.LOCKED, 10)


def left_open(scene: Scene, plan: Any) -> None:
    """What a killed run left: one step that may have been sent."""
    lease = scene.ledger.acquire(plan.scope, Holder("killed", "elsewhere", 1), ManualClock().now(), TTL)
    step = StepRecord(0, "cloudspace/edge", Ref("CloudSpace", "edge"), "create")
    scene.ledger.intend(scene.ledger.begin(lease, "apply", dump_plan(plan), [step]), 0)
    scene.ledger.release(lease)


async def test_a_run_that_was_overtaken_while_it_looked_up_closes_nothing(
    spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """The run that took over has begun. Its steps are open too, and not those of a killed run."""
    begun: list[int] = []

    def overtake(ledger: Ledger, scope: str) -> None:
        take_over(ledger, scope)
        lease = ledger.current_lease(scope)
        assert lease is not None
        steps = [StepRecord(0, "cloudspace/edge", Ref("CloudSpace", "edge"), "create")]
        begun.append(ledger.begin(lease, "apply", dump_plan(plan), steps))

    async def meanwhile(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "GET" and request.url.path.endswith("/cloudspaces/edge") and not begun:
            in_state_db(spot_api, overtake)

    scene = open_scene(meanwhile)
    plan = await scene.plan(CLOUDSPACE)
    left_open(scene, plan)
    with pytest.raises(Locked, match="lost"):
        await scene.run(plan)
    assert last_recap(scene).outcome is RunOutcome.LOCKED
    assert not spot_api.requests("POST", "PATCH", "DELETE")
    assert [step.state for step in scene.ledger.steps(begun[0])] == [StepState.PENDING]
    assert begun[0] in scene.ledger.unfinished_runs(plan.scope)


async def test_a_run_that_was_overtaken_before_its_first_step_ends_locked(
    spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """Whatever goes wrong with the last look at what it is about to delete: the other run may have caused it."""
    scene = open_scene()
    await scene.apply(STACK)
    armed = False

    async def meanwhile(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response | None:
        nonlocal armed
        if not armed or request.method != "GET":
            return None
        armed = False
        in_state_db(spot_api, take_over)
        return httpx.Response(403, json={"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no"})

    second = open_scene(meanwhile)
    plan = await plan_destroy(second.client, second.ledger, "default")
    armed = True
    with pytest.raises(Locked, match="lost"):
        await second.run(plan)
    assert last_recap(second).outcome is RunOutcome.LOCKED
    assert not spot_api.requests("DELETE")


async def test_a_run_that_cannot_be_closed_has_a_recap_all_the_same(open_scene: OpenScene) -> None:
    """Everything was done; only the last line of the ledger is missing."""

    scene = open_scene(wrap=Unfinishable)
    with pytest.raises(StateError, match="full"):
        await scene.apply()
    assert last_recap(scene).counts["created"] == 3


class Unfinishable(Broken):
    """A ledger in which no run can be closed."""

    def finish(self, *_: Any, **__: Any) -> None:
        raise StateError("the disk is full")


async def test_an_error_while_waiting_for_what_was_there_ends_the_run_with_its_name(open_scene: OpenScene) -> None:
    """A token that is refused in the middle of the wait is not a success, and the recap says so."""
    scene = open_scene()
    await scene.apply(STACK, ApplyOptions(wait="none"))
    armed = False

    async def refuse(request: httpx.Request, _: httpx.AsyncBaseTransport) -> httpx.Response | None:
        return httpx.Response(401, json={"error": "access_denied"}) if armed else None

    second = open_scene(refuse)
    plan = await second.plan(STACK)
    assert plan.empty and plan.pending
    armed = True
    with pytest.raises(AuthError):
        await second.run(plan)
    assert last_recap(second).outcome is RunOutcome.UNAUTHENTICATED
