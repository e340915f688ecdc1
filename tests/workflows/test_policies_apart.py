"""Policies are evaluated beside everything else that a loop does, and not longer than somebody waits for them."""

from __future__ import annotations

import asyncio

import pytest

from rsspot.concurrency import drive
from rsspot.manifests.manifest import ManifestSet
from rsspot.manifests.policies import PolicySeverity
from rsspot.planner.plan import Plan
from rsspot.planner.policy import Policy
from rsspot.policies import evaluation
from rsspot.utils.children import ProgramEnd, run_program
from rsspot.workflows import policies

PLAN = Plan("scope", "org-tests", "mine", "apply", ())
NUMBERS = "[0,1,2,3,4,5,6,7,8,9]"


def endless() -> str:
    expression = "true"
    for variable in "abcdefghijkl":
        expression = f"{NUMBERS}.all({variable}, {expression})"
    return expression


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> list[Policy]:
    """The policies of the manifests."""
    found: list[Policy] = []
    monkeypatch.setattr(policies, "policies_of", lambda _: tuple(found))
    return found


async def test_whoever_is_cancelled_leaves_no_process(declared: list[Policy], monkeypatch: pytest.MonkeyPatch) -> None:
    """And the loop goes on meanwhile."""
    declared.append(Policy("endless", PolicySeverity.DENY, "M.", endless()))
    ended: list[ProgramEnd] = []
    began, over = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def watched(*given, **options):
        loop.call_soon_threadsafe(began.set)
        try:
            ended.append(run_program(*given, **options))
            return ended[-1]
        finally:
            loop.call_soon_threadsafe(over.set)

    monkeypatch.setattr(evaluation, "run_program", watched)
    judging = asyncio.create_task(policies.judged_by_manifests(PLAN, ManifestSet("mine", (), ())))
    await began.wait()
    judging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await judging
    await over.wait()
    assert [each.code for each in ended] == [None]


def test_without_a_loop_it_is_done_here(declared: list[Policy]) -> None:
    declared.append(Policy("whole", PolicySeverity.DENY, "M.", "size(changes) == 0"))
    plan = drive(policies.judged_by_manifests(PLAN, ManifestSet("mine", (), ())))
    assert [each.holds for each in plan.policies] == [True] and not plan.refusals
    assert drive(policies.judged_by_manifests(PLAN, None)) is PLAN
