"""Stacks side by side on the simulator: what they share, what they do not, and how they end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rsspot.applier.options import ApplyOptions
from rsspot.client.async_client import AsyncSpotClient
from rsspot.controller.reconciler import RoundOptions
from rsspot.controller.rounds import Round, RoundOutcome
from rsspot.controller.stop import Stop
from rsspot.fleet.members import Member
from rsspot.fleet.shared_clients import SharedClients
from rsspot.fleet.work import FleetWork, StackResult, side_by_side
from rsspot.resources.registry import kinds
from rsspot.settings import Setting
from rsspot.state.ledger import open_ledger
from rsspot.testing import SimulatedSpot
from support.scenes import STACK, births, living

NAMED = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: NAME}\n---\n"


def member(folder: Path, name: str, text: str = STACK) -> Member:
    """A stack in a folder of its own, with a cloudspace of its name."""
    place = folder / name
    place.mkdir()
    (place / "stack.yaml").write_text(NAMED.replace("NAME", name) + text.replace("edge", name))
    return Member(name, (place,))


@pytest.fixture
def work(spot_api: SimulatedSpot) -> FleetWork:
    """Work that waits for nothing, with a new client for each account."""
    accounts = SharedClients(lambda *_: spot_api.client())
    return FleetWork(accounts, lambda _: open_ledger(spot_api.folder / "state.db"), options())


def options() -> RoundOptions:
    return RoundOptions(run=ApplyOptions(wait="none"))


Results = dict[str, StackResult]


async def gathered(happening: AsyncGenerator[StackResult, None]) -> Results:
    async with aclosing(happening) as results:
        return {each.member.name: each async for each in results}


async def plan_all(work: FleetWork, members: list[Member]) -> Results:
    return await gathered(work.plan_all(members, 4))


def outcomes(results: Results) -> dict[str, str]:
    return {name: each.round.outcome.value for name, each in sorted(results.items())}


async def test_stacks_are_planned_and_applied_side_by_side(
    work: FleetWork, spot_api: SimulatedSpot, tmp_path: Path
) -> None:
    members = [member(tmp_path, f"s{number}") for number in range(5)]
    planned = await plan_all(work, members)
    assert set(outcomes(planned).values()) == {"out-of-sync"}
    assert spot_api.requests("POST") == []
    applied = await gathered(work.apply_all([*planned.values()], 4))
    assert set(outcomes(applied).values()) == {"applied"}
    assert set(births(spot_api.world, "cloudspaces").values()) == {1}
    assert len(living(spot_api.world, "ondemandnodepools")) == 5
    runs = [each.last_run for each in applied.values()]
    assert sorted(run.id for run in runs if run) == [1, 2, 3, 4, 5]
    assert set(outcomes(await plan_all(work, members)).values()) == {"in-sync"}


async def test_a_stack_that_fails_holds_no_other_one_up(
    work: FleetWork, spot_api: SimulatedSpot, tmp_path: Path
) -> None:
    members = [member(tmp_path, "good"), member(tmp_path, "bad", "kind: Nothing\n"), member(tmp_path, "worse")]
    (tmp_path / "worse/stack.yaml").write_text("[")
    results = await gathered(side_by_side(members, work.apply, 4, work.stop))
    assert outcomes(results) == {"bad": "failed", "good": "applied", "worse": "failed"}
    assert "Nothing" in results["bad"].round.reason
    assert len(living(spot_api.world, "cloudspaces")) == 1


async def test_what_moved_since_it_was_shown_is_not_applied(
    work: FleetWork, spot_api: SimulatedSpot, tmp_path: Path
) -> None:
    one = member(tmp_path, "edge")
    await work.apply(one)
    (tmp_path / "edge/stack.yaml").write_text(NAMED.replace("NAME", "edge") + STACK.replace("desired: 2", "desired: 3"))
    shown = (await work.plan(one)).round
    pool = living(spot_api.world, "spotnodepools")[0]
    pools = spot_api.client().documents(kinds()["SpotNodePool"])
    await pools.patch(pool["metadata"]["name"], {"spec": {"desired": 7}})
    ended = (await work.apply(one, shown)).round
    assert ended.outcome is RoundOutcome.FAILED
    assert ended.recap is not None and ended.recap.exit_code == 6
    assert living(spot_api.world, "spotnodepools")[0]["spec"]["desired"] == 7


async def test_stacks_of_an_account_share_one_client_and_one_read_of_each_kind(
    spot_api: SimulatedSpot, tmp_path: Path
) -> None:
    """One token serves them, and each kind is listed once while they are planned; afterwards it is listed anew."""
    made: list[tuple[str | None, str | None]] = []

    def cached(profile: str | None, organization: str | None) -> AsyncSpotClient:
        made.append((profile, organization))
        plain = spot_api.client().config
        resolved = replace(plain, settings={**plain.settings, "cache.enabled": Setting(True, "test")})
        return AsyncSpotClient(resolved=resolved, transport=spot_api.transport, clock=spot_api.clock)

    accounts = SharedClients(cached)
    work = FleetWork(accounts, lambda _: open_ledger(spot_api.folder / "state.db"), options())
    members = [member(tmp_path, f"s{number}") for number in range(6)]
    await plan_all(work, members)
    await accounts.aclose()
    paths = Counter(path.partition("?")[0].rpartition("/")[2] for _, path in spot_api.requests("GET"))
    assert made == [(None, None)]
    assert max(paths.values()) == 1, paths
    assert paths["spotnodepools"] == 1
    assert sum(path.startswith("/oauth") for _, path in spot_api.transport.carried) == 1


async def test_no_more_stacks_at_a_time_than_are_allowed(tmp_path: Path) -> None:
    now = most = 0

    async def job(each: Member) -> StackResult:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        now -= 1
        return StackResult(each, _quiet(each))

    members = [Member(f"s{number}", ()) for number in range(9)]
    async with aclosing(side_by_side(members, job, 3, Stop())) as results:
        assert len([each async for each in results]) == 9
    assert most == 3


async def test_once_it_is_to_end_no_further_stack_begins() -> None:
    stop, began = Stop(), []

    async def job(each: Member) -> StackResult:
        began.append(each.name)
        stop.ask()
        return StackResult(each, _quiet(each))

    async with aclosing(side_by_side([Member(f"s{n}", ()) for n in range(5)], job, 1, stop)) as results:
        assert len([each async for each in results]) == 1
    assert began == ["s0"]


def _quiet(each: Member) -> Round:
    return Round(1, each.name, datetime(2026, 1, 1, tzinfo=UTC), RoundOutcome.IN_SYNC)


async def test_a_list_that_fails_is_asked_for_again_by_the_next_plan(
    work: FleetWork, spot_api: SimulatedSpot, tmp_path: Path
) -> None:
    spot_api.faults.say("GET spotnodepools: 403 x1")
    members = [member(tmp_path, f"s{number}") for number in range(3)]
    results = await gathered(work.plan_all(members, 1))
    assert sorted(outcomes(results).values()) == ["failed", "out-of-sync", "out-of-sync"]
