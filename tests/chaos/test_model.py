"""Any history of two stacks: manifests change, people edit by hand, requests fail, applies race and are killed.

Whatever happened, nothing is sent that no plan allows and no intent announces, nothing is deleted that is not the
stack's, and one apply in peace makes everything as wanted.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import Coroutine
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rsspot.applier.options import ApplyOptions
from rsspot.applier.recover import recover
from rsspot.errors import RsspotError
from rsspot.planner.options import PlanOptions
from rsspot.planner.plan import Plan
from rsspot.testing import SimulatedSpot
from rsspot.utils.serialization import Document
from rsspot.workflows.reconcile import run_context, scope_id
from support.amount import amount
from support.campaign import MOMENTS, lives, logical
from support.mortal import Life
from support.runner import Runner
from support.scenes import NAMESPACE
from support.skewed_clock import SkewedClock
from support.two_stacks import SPACES, Author, Changes, Hands, changes, edits, names, stacks, whole_stacks
from support.unreliable import Unreliable
from support.witness import Witness

T = TypeVar("T")
GENEROUS = PlanOptions(prune=True, most_deletes=100)
PEACEFUL = 0.0
shares = st.sampled_from([PEACEFUL, 0.2, 0.4])
"""Of the requests that go wrong."""
LEFT_OPEN = """
SELECT id, address FROM runs LEFT JOIN steps ON run_id = id AND state IN ('pending', 'intent', 'unknown')
WHERE scope LIKE ? AND (outcome IS NULL OR state IS NOT NULL)
"""
RECORDS = ("SELECT id, outcome FROM runs", "SELECT * FROM steps", "SELECT * FROM managed_objects")


def manner() -> ApplyOptions:
    """How to apply, anew for each run: one that breaks off because of too many doubts stops by the token in it."""
    return ApplyOptions(wait="accepted", parallel=4)


class Stacks(RuleBasedStateMachine):
    """Two authors, two stacks, one ledger, and somebody with kubectl."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.temporary = TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.spot = SimulatedSpot(self.folder)
        self.clock = SkewedClock(self.spot.clock)
        self.hands = Hands(self.spot)
        self.authors = {stack: Author(stack) for stack in SPACES}
        self.broken: list[str] = []
        self.applies = 0

    def teardown(self) -> None:
        try:
            for stack in SPACES:
                self.drive(self.converge(stack))
        finally:
            self.loop.close()
            self.spot.close()
            self.temporary.cleanup()

    def drive(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    # What is written

    @initialize(pools=whole_stacks)
    def begin(self, pools: Changes) -> None:
        """Both stacks are there already, each with all its pools."""
        random.seed(0)
        self.hands.begin()
        for stack, author in self.authors.items():
            author.change(pools)
            assert self.drive(self.run(stack)) == "ok"

    @rule(stack=stacks, before=names, after=names)
    def rename(self, stack: str, before: str, after: str) -> None:
        if before in self.authors[stack].pools:
            self.authors[stack].rename(before, after)

    @rule(stack=stacks, cni=st.sampled_from(["calico", "cilium"]), upgrade=st.booleans())
    def change_the_cloudspace(self, stack: str, cni: str, upgrade: bool) -> None:
        """Another network plugin takes another cloudspace."""
        self.authors[stack].cni = cni
        self.authors[stack].version += upgrade

    # What others do

    @rule(stack=stacks, edit=st.none() | edits, data=st.data())
    def meddle(self, stack: str, edit: Document | None, data: st.DataObject) -> None:
        """Edit a pool by hand, or delete it."""
        if pools := self.hands.pools(stack):
            self.hands.edit(data.draw(st.sampled_from(pools)), edit)

    @rule(seconds=st.sampled_from([10, 300, 1200]))
    def time_passes(self, seconds: int) -> None:
        """Servers are won and lost, and autoscalers move."""
        self.spot.advance(seconds)

    # What is run

    @rule(stack=stacks)
    def plan(self, stack: str) -> None:
        """A plan sends no mutation."""
        self.drive(self.planned(stack))

    @rule(stack=stacks, pools=changes, share=shares)
    def apply(self, stack: str, pools: Changes, share: float) -> None:
        self.authors[stack].change(pools)
        self.drive(self.run(stack, share))

    @rule(stack=stacks, gone=st.sets(names, min_size=1), share=shares, meanwhile=edits)
    def apply_to_what_was_edited_meanwhile(self, stack: str, gone: set[str], share: float, meanwhile: Document) -> None:
        """Somebody edits every pool between a plan that deletes some and its apply."""
        self.authors[stack].change(dict.fromkeys(gone))
        self.drive(self.run(stack, share, Life(), meanwhile))

    @rule(stack=stacks, pools=changes, share=shares, moment=st.sampled_from(MOMENTS), number=st.integers(0, 12))
    def apply_and_be_killed(self, stack: str, pools: Changes, share: float, moment: str, number: int) -> None:
        self.authors[stack].change(pools)
        self.drive(self.run(stack, share, Life(moment, number)))

    @rule(one=stacks, other=stacks, pools=changes, share=shares)
    def apply_both(self, one: str, other: str, pools: Changes, share: float) -> None:
        """Two applies at a time, of two stacks or of the same one."""
        self.authors[one].change(pools)
        self.authors[other].change(pools)
        self.drive(self.run_both(one, other, share))

    @rule(stack=stacks)
    def recover_twice(self, stack: str) -> None:
        """What a killed run left open is closed; to do so again changes nothing."""
        self.drive(self.recovered(stack))
        before = self.records()
        self.drive(self.recovered(stack))
        assert self.records() == before

    @invariant()
    def nothing_forbidden_was_sent(self) -> None:
        assert not self.broken

    @invariant()
    def nothing_lives_more_than_twice(self) -> None:
        """Twice only while a replacement stands beside its predecessor."""
        for stack in SPACES:
            assert all(times <= 2 for times in Counter(lives(self.spot, stack)).values())

    # How

    def runner(self, stack: str, share: float = PEACEFUL, life: Life | None = None) -> tuple[Runner, Witness]:
        self.applies += 1
        witness = Witness(self.spot, self.folder / "state.db", stack, self.broken)
        way = Unreliable(witness, self.spot, self.clock, self.applies, share)
        return Runner(self.spot, way, self.clock, life), witness

    async def planned(self, stack: str) -> Plan:
        runner, witness = self.runner(stack)
        plan = await runner.plan(self.authors[stack].manifests(), stack, GENEROUS)
        await runner.close()
        witness.close()
        assert not witness.mutations
        return plan

    async def run(
        self, stack: str, share: float = PEACEFUL, life: Life | None = None, meanwhile: Document | None = None
    ) -> str:
        """Plan and apply; gives how that ended."""
        runner, witness = self.runner(stack, share, life)
        try:
            plan = await runner.plan(self.authors[stack].manifests(), stack, GENEROUS)
            witness.approve(plan)
            for pool in self.hands.pools(stack) if meanwhile else ():
                self.hands.edit(pool, meanwhile)
            return await runner.apply(plan, manner())
        except RsspotError as error:
            return type(error).__name__
        finally:
            await runner.close()
            witness.close()

    async def run_both(self, one: str, other: str, share: float) -> None:
        await asyncio.gather(self.run(one, share), self.run(other, share))

    async def recovered(self, stack: str) -> None:
        runner, witness = self.runner(stack)
        context = run_context(runner.client, runner.ledger, NAMESPACE, stack, manner())
        async for _ in recover(context, scope_id(runner.client.base_url, NAMESPACE, stack)):
            pass
        await runner.close()
        witness.close()

    def records(self) -> list[Any]:
        """What the ledger says of runs, steps and objects."""
        with closing(sqlite3.connect(self.folder / "state.db")) as ledger:
            return [ledger.execute(query).fetchall() for query in RECORDS]

    def left_open(self, stack: str) -> list[Any]:
        """Runs and steps that nobody closed. Another stack's may wait for its next apply."""
        with closing(sqlite3.connect(self.folder / "state.db")) as ledger:
            return ledger.execute(LEFT_OPEN, (f"%/{stack}",)).fetchall()

    async def converge(self, stack: str) -> None:
        """Once nobody meddles any more, one apply leaves nothing to do."""
        self.hands.leave(stack)
        end = await self.run(stack)
        plan = await self.planned(stack)
        assert (end, plan.changes, plan.refusals) == ("ok", (), ())
        assert self.left_open(stack) == []
        assert not self.broken
        assert Counter(lives(self.spot, stack)) == Counter(map(logical, self.authors[stack].documents()))


@pytest.mark.timeout(3000)
class TestStacks(Stacks.TestCase):  # type: ignore[misc, name-defined]
    """Histories of six moves after the first, in full twenty."""

    settings = settings(
        max_examples=amount(14, 500),
        stateful_step_count=amount(6, 20),
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
