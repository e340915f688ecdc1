"""A controller on the simulator: what each round comes to, who leads, and how it ends."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing, closing, suppress
from pathlib import Path
from typing import Any

import pytest

from rsspot.applier.options import ApplyOptions
from rsspot.client.async_client import AsyncSpotClient
from rsspot.controller.interval import FIRST_RETRY, Interval
from rsspot.controller.loop import SUFFIX, Controller, ControllerOptions
from rsspot.controller.reconciler import RoundOptions
from rsspot.controller.rounds import DesiredState, Round, RoundOutcome
from rsspot.controller.stop import Stop
from rsspot.errors import StateError
from rsspot.manifests.parse import load
from rsspot.planner.options import PlanOptions
from rsspot.resources.registry import kinds
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Holder, Ledger
from rsspot.testing import SimulatedSpot
from support.scenes import CLOUDSPACE, STACK, living

HOUR = 3600.0
NAMED = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: watched}\n---\n"


class Bench:
    """A controller and the folder that it reads."""

    def __init__(self, spot: SimulatedSpot, folder: Path) -> None:
        self.spot, self.file = spot, folder / "stack.yaml"
        self.client: AsyncSpotClient = spot.client()
        self.state = spot.folder / "state.db"
        self.reads = 0
        self.write(STACK)

    def write(self, text: str, head: str = NAMED) -> None:
        """Replace the manifests."""
        self.file.write_text(head + text)

    async def read(self) -> DesiredState:
        self.reads += 1
        return DesiredState(load([self.file], environ={}))

    def controller(self, *, ledger: Callable[[], Ledger] | None = None, **options: Any) -> Controller:
        most = options.pop("most_rounds", None)
        wanted = RoundOptions(**{"run": ApplyOptions(wait="none"), **options})
        opened = ledger or (lambda: open_ledger(self.state))
        chosen = ControllerOptions(wanted, Interval(300.0, 0.0), most)
        return Controller(self.client, opened, self.read, chosen, chance=random.Random(1))

    async def rounds(self, most: int, **options: Any) -> list[Round]:
        """What that many rounds came to."""
        async with aclosing(self.controller(most_rounds=most, **options).rounds()) as rounds:
            return [each async for each in rounds]

    async def patch(self, body: dict[str, Any]) -> None:
        """Change the cloudspace by hand."""
        await self.spot.client().documents(kinds()["CloudSpace"]).patch("edge", body)


@pytest.fixture
def bench(spot_api: SimulatedSpot, tmp_path: Path) -> Bench:
    return Bench(spot_api, tmp_path)


def outcomes(rounds: list[Round]) -> list[str]:
    return [each.outcome.value for each in rounds]


async def test_looking_alone_sends_no_write(bench: Bench) -> None:
    rounds = await bench.rounds(3)
    assert outcomes(rounds) == ["out-of-sync"] * 3
    assert bench.spot.requests("POST", "PATCH", "PUT", "DELETE") == []
    assert [each.number for each in rounds] == [1, 2, 3]
    assert rounds[1].began.timestamp() - rounds[0].began.timestamp() == pytest.approx(300, abs=1)


async def test_what_differs_is_applied_once(bench: Bench) -> None:
    rounds = await bench.rounds(3, apply=True)
    assert outcomes(rounds) == ["applied", "in-sync", "in-sync"]
    assert rounds[0].recap is not None and rounds[0].recap.counts["created"] == 3
    assert len(bench.spot.requests("POST")) == 3


async def test_a_run_that_was_killed_at_its_end_is_closed(bench: Bench) -> None:
    """Nothing is left to do, and its record is open: a round that may apply looks up what it sent, once."""
    [first] = await bench.rounds(1, apply=True)
    assert first.recap is not None
    with closing(sqlite3.connect(bench.state)) as ledger, ledger:
        ledger.execute("UPDATE runs SET ended_at = NULL, outcome = NULL")
        ledger.execute("UPDATE steps SET state = 'intent' WHERE seq = 1")
    assert outcomes(await bench.rounds(1)) == ["in-sync"]
    assert outcomes(await bench.rounds(2, apply=True)) == ["applied", "in-sync"]
    with closing(open_ledger(bench.state)) as opened:
        assert [run for run in opened.runs() if run.outcome is None] == []


async def test_drift_is_told_and_healed(bench: Bench) -> None:
    await bench.rounds(1, apply=True)
    await bench.patch({"spec": {"webhook": "https://example.com/moved"}})
    told = await bench.rounds(1)
    assert (outcomes(told), told[0].drifted) == (["out-of-sync"], ("cloudspace/edge",))
    assert outcomes(await bench.rounds(2, apply=True)) == ["applied", "in-sync"]
    edge = living(bench.spot.world, "cloudspaces")[0]
    assert edge["spec"]["webhook"] == "https://example.com/first-secret"


async def test_manifests_are_read_again_each_round(bench: Bench) -> None:
    """A mistake in them fails the round; its correction is applied by the next one."""
    texts = iter([CLOUDSPACE + "---\nkind: Nothing\n", STACK.replace("desired: 2", "desired: 3"), STACK, STACK])
    controller = bench.controller(apply=True, most_rounds=4)
    seen = []
    async with aclosing(controller.rounds()) as rounds:
        async for each in rounds:
            seen.append(each)
            bench.write(next(texts))
    assert outcomes(seen) == ["applied", "failed", "applied", "applied"]
    assert "Nothing" in seen[1].reason
    assert seen[1].wait == FIRST_RETRY


async def test_a_pause_is_obeyed_until_it_ends(bench: Bench) -> None:
    until = f"{bench.spot.clock.now():%Y-%m-%d}T23:59:59Z"
    head = NAMED.replace("---", f"spec: {{pause: {{reason: a release, until: {until}}}}}\n---")
    bench.write(STACK, head)
    first = await bench.rounds(1, apply=True)
    assert (outcomes(first), bench.spot.requests("POST")) == (["paused"], [])
    assert "a release" in first[0].reason
    bench.spot.advance(24 * HOUR)
    assert outcomes(await bench.rounds(1, apply=True)) == ["applied"]


async def test_guards_refuse_as_in_any_apply(bench: Bench) -> None:
    await bench.rounds(1, apply=True)
    bench.write(CLOUDSPACE)
    options = PlanOptions(prune=True, most_deletes=1)
    refused = await bench.rounds(2, apply=True, plan=options)
    assert outcomes(refused) == ["refused", "refused"]
    assert refused[0].wait == 300.0, "a refused plan is not tried again earlier than any other"
    assert bench.spot.requests("DELETE") == []


async def test_a_stack_that_somebody_keeps_is_told_and_left(bench: Bench) -> None:
    await bench.rounds(1)
    ledger = open_ledger(bench.state)
    scope = await _scope(bench)
    lease = ledger.acquire(scope, Holder("anna", "there", 1), bench.spot.clock.now(), 0.0, reason="looking into it")
    assert outcomes(await bench.rounds(1, apply=True)) == ["locked"]
    ledger.release(lease)
    ledger.close()
    assert outcomes(await bench.rounds(1, apply=True)) == ["applied"]


async def _scope(bench: Bench) -> str:
    [only] = await bench.rounds(1)
    assert only.plan is not None
    return only.plan.scope


async def test_a_second_controller_stands_by_and_takes_over(bench: Bench) -> None:
    """By its lease: the second one begins to look once the first has ended."""
    leading, following = bench.controller(), bench.controller(most_rounds=2)
    seen = []
    async with aclosing(leading.rounds()) as first:
        await anext(first)
        async with aclosing(following.rounds()) as second:
            seen.append(await anext(second))
            await first.aclose()
            seen += [each async for each in second]
    assert outcomes(seen) == ["standby", "out-of-sync"]
    assert seen[0].plan is None


async def test_a_controller_that_lost_its_lease_plans_no_more(bench: Bench) -> None:
    controller = bench.controller(apply=True, most_rounds=2)
    seen = []
    async with aclosing(controller.rounds()) as rounds:
        seen.append(await anext(rounds))
        ledger = open_ledger(bench.state)
        [lease] = [each for each in ledger.leases() if each.scope.endswith(SUFFIX)]
        ledger.release(lease)
        other = ledger.acquire(lease.scope, Holder("b", "there", 1), bench.spot.clock.now(), 0.0, reason="mine now")
        reads = len(bench.spot.requests())
        seen += [each async for each in rounds]
        ledger.release(other)
        ledger.close()
    assert outcomes(seen) == ["applied", "standby"]
    assert len(bench.spot.requests()) == reads


async def test_an_outage_is_waited_out(bench: Bench) -> None:
    """It looks again soon, then later and later, and goes on once the service answers."""
    await bench.rounds(1, apply=True)
    bench.spot.faults.say("GET: 503 always")
    controller = bench.controller(apply=True, most_rounds=8)
    seen = []
    async with aclosing(controller.rounds()) as rounds:
        async for each in rounds:
            seen.append(each)
            if len(seen) == 6:
                bench.spot.faults.clear()
    assert outcomes(seen) == ["failed"] * 6 + ["in-sync"] * 2
    assert [each.wait for each in seen] == [10, 20, 40, 80, 160, 300, 300, 300]


async def test_a_ledger_that_fails_is_opened_again(bench: Bench) -> None:
    opened: list[Ledger] = []

    def ledger() -> Ledger:
        if len(opened) == 1:
            opened.append(open_ledger(bench.state))
            raise StateError("the server went away")
        opened.append(open_ledger(bench.state))
        return opened[-1]

    controller = bench.controller(ledger=ledger, apply=True, most_rounds=3)
    seen = []
    async with aclosing(controller.rounds()) as rounds:
        async for each in rounds:
            seen.append(each)
            if len(seen) == 1:
                # Under the feet of the one that is open.
                bench.state.rename(bench.state.with_suffix(".moved"))
    assert outcomes(seen)[0] == "applied"
    assert "failed" in outcomes(seen)
    assert len(opened) >= 2


async def test_manifests_of_another_stack_are_refused(bench: Bench) -> None:
    controller = bench.controller(apply=True, most_rounds=2)
    seen = []
    async with aclosing(controller.rounds()) as rounds:
        async for each in rounds:
            seen.append(each)
            bench.write(STACK, NAMED.replace("watched", "another"))
    assert outcomes(seen) == ["applied", "refused"]
    assert "another" in seen[1].reason


async def test_the_wish_to_end_is_heard_while_it_waits(bench: Bench) -> None:
    stop = Stop()

    class Endless:
        """A clock that lets no time pass."""

        def __getattr__(self, name: str) -> Any:
            return getattr(bench.spot.clock, name)

        async def sleep(self, _: float) -> None:
            stop.ask()
            await asyncio.Event().wait()

    waited = asyncio.create_task(stop.wait(3600.0, Endless()))
    await asyncio.wait_for(waited, 60)
    assert stop.asked


async def test_a_run_that_is_told_to_end_starts_no_further_write(bench: Bench) -> None:
    stop = Stop()
    controller = Controller(
        bench.client,
        lambda: open_ledger(bench.state),
        bench.read,
        ControllerOptions(RoundOptions(apply=True, run=ApplyOptions(wait="none", parallel=1))),
        stop=stop,
        on_event=lambda event: stop.ask() if type(event).__name__ == "StepEnded" else None,
    )
    async with aclosing(controller.rounds()) as rounds:
        seen = [each async for each in rounds]
    assert outcomes(seen) == ["failed"]
    assert len(bench.spot.requests("POST")) == 1
    assert not stop.is_heard


async def test_a_day_with_faults_shows_no_drift_that_is_not_there(bench: Bench) -> None:
    """24 virtual hours, a read in ten failing, prices and servers moving: what is healed is what somebody changed."""
    await bench.rounds(1, apply=True)
    bench.spot.faults.say("GET: 503 always p 0.1")
    bench.spot.faults.say("GET: reset-before always p 0.05")
    controller = bench.controller(apply=True, most_rounds=10_000)
    ends, by_hand = bench.spot.clock.time() + 24 * HOUR, 0
    seen: Counter[str] = Counter()
    healed: list[str] = []
    async with aclosing(controller.rounds()) as rounds:
        async for each in rounds:
            seen[each.outcome.value] += 1
            if each.outcome is RoundOutcome.APPLIED:
                healed += [change.address for change in each.plan.changes] if each.plan else []
            if sum(seen.values()) % 60 == 0:
                by_hand += 1
                with suppress(Exception):
                    await bench.patch({"spec": {"webhook": f"https://example.com/{by_hand}"}})
            if bench.spot.clock.time() > ends:
                break
    assert healed == ["cloudspace/edge"] * by_hand
    assert by_hand >= 4
    assert seen["applied"] == by_hand
    assert set(seen) <= {"applied", "in-sync", "failed"}
    assert sum(seen.values()) >= 288


@pytest.mark.parametrize(
    "failures, expected", [(0, 300.0), (1, 10.0), (2, 20.0), (5, 160.0), (6, 300.0), (5000, 300.0)]
)
def test_pauses_grow_up_to_the_interval(failures: int, expected: float) -> None:
    assert Interval(300.0, 0.0).wait(failures, random.Random(0)) == expected


def test_controllers_that_began_together_spread_out() -> None:
    chance = random.Random(7)
    waits = [Interval(300.0, 0.2).wait(0, chance) for _ in range(500)]
    assert 240 <= min(waits) < 250 and 350 < max(waits) <= 360
