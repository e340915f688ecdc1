"""One seed of the fault campaign: a stack changes while every fifth request goes wrong."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from rsspot.applier.options import ApplyOptions
from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.errors import RsspotError
from rsspot.manifests.manifest import ManifestSet
from rsspot.planner.options import PlanOptions
from rsspot.resources.registry import kinds
from rsspot.testing import SimulatedSpot
from rsspot.utils.serialization import Document, at_path
from support import ledger_places
from support.changing_stack import changed, first, foreign, parsed
from support.histories import PLURALS
from support.mortal import Life
from support.runner import KILLED, Runner
from support.scenes import NAMESPACE
from support.skewed_clock import SkewedClock
from support.unreliable import Unreliable
from support.witness import Witness

STACK = "campaign"
SHARE = 0.2
"""Of the requests that go wrong."""
MOST_RUNS = 3
"""Within which a stack is as wanted, though all of them meet faults. A run that is killed comes on top."""
LIFETIME = 200
"""Seconds that a token lives: several expire in the middle of an apply."""
LATER = 300.0
"""Seconds between two runs."""
GENEROUS = PlanOptions(prune=True, most_deletes=100)
MOMENTS = ("write", "before", "after")
"""When a run may be killed: see `Life`."""
QUESTIONS = ("issue_token", "submit", "confirm")
"""Of which the registrar fails one once, in three of four seeds."""
Logical = tuple[str, str, str]
"""Kind, parent, and the name that its author gave an object."""


@dataclass
class Fought:
    """What a seed came to.

    ends: of its runs · left: what a last plan, without faults, would still do · failed: how often the registrar did
    """

    seed: int
    ends: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    requests: int = 0
    mutations: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    twice: list[Logical] = field(default_factory=list)
    lives: Counter[Logical] = field(default_factory=Counter)
    open_steps: int = 0
    registered: Counter[str] = field(default_factory=Counter)
    failed: int = 0

    @property
    def runs(self) -> int:
        """How many runs it took that were not killed."""
        return sum(end != KILLED for end in self.ends)


class Beginning:
    """The stack as it lives at first, beside objects of others. Made once, and copied for each seed."""

    def __init__(self, folder: Path, objects: int, variants: int) -> None:
        self.folder, self.objects, self._variants = folder, objects, variants
        self.questions, self.failing = folder / "questions.jsonl", folder / "questions.jsonl.failing"
        self._wanted = cache(lambda variant: changed(objects, variant, register_in(self.questions)))
        self._manifests = cache(lambda variant: parsed(self._wanted(variant)))

    async def make(self) -> None:
        ledger_places.put_back(self.folder)
        spot = SimulatedSpot(self.folder)
        client = spot.client()
        for body in foreign():
            await client.documents(kinds()[body["kind"]]).create(body)
        runner = Runner(spot, spot.transport)
        assert await runner.apply(await runner.plan(parsed(first(self.objects)), STACK, GENEROUS)) == "ok"
        await runner.close()
        await client.aclose()
        ledger_places.keep(self.folder)
        spot.advance(LATER)
        self.image, self.moment = spot.world.store.image(), spot.clock.time()
        spot.close()

    def copied(self, folder: Path) -> SimulatedSpot:
        """The same world in another folder, with its ledger."""
        spot = SimulatedSpot(folder, lifetime=LIFETIME)
        spot.world.store.load(self.image)
        spot.advance(self.moment - spot.clock.time())
        ledger_places.put_back(folder, self.folder)
        return spot

    def manifests(self, seed: int) -> ManifestSet:
        """What the stack is to become. Seeds share it with others."""
        return self._manifests(seed % self._variants)

    def wanted(self, seed: int) -> Counter[Logical]:
        """The objects that are to live then, once each; machines are registered, and live elsewhere."""
        return Counter(logical(each) for each in self._wanted(seed % self._variants) if each["kind"] != "Registration")


REGISTRAR = """
read -r question
if [ -e "$0.failing" ] && read -r word < "$0.failing"; then
  case "$question" in *"\\"$word\\""*) rm "$0.failing"; exit 1;; esac
fi
printf "%s\\n" "$question" >> "$0"
echo '{"tokenId": "t1"}'
"""


def register_in(questions: Path) -> list[str]:
    """A registrar that writes each question down, in the time that a shell takes to start.

    It fails the first question that is named in a file beside these, and does nothing then.
    """
    return ["/bin/sh", "-c", REGISTRAR, str(questions)]


class Campaign:
    """One world, and the runs of one seed in it."""

    def __init__(self, beginning: Beginning, folder: Path, seed: int) -> None:
        self._beginning, self._seed = beginning, seed
        self._spot = beginning.copied(folder)
        self._begun = self._spot.world.store.version()
        self._chance = random.Random(seed)
        self._manifests = beginning.manifests(seed)
        self._clock = SkewedClock(self._spot.clock)
        self._witness = Witness(self._spot, folder / "state.db", STACK)
        self._fought = Fought(seed)

    async def fight(self) -> Fought:
        """Run after run until one ends well, or one should have."""
        # The pauses between attempts are drawn from this.
        random.seed(self._seed)
        self._beginning.questions.unlink(missing_ok=True)
        fails = self._chance.choice((None, *QUESTIONS))
        self._beginning.failing.write_text(f"{fails}\n" if fails else "")
        if self._chance.random() < 0.5:
            await self._run(Life(self._chance.choice(MOMENTS), self._chance.randrange(self._beginning.objects)))
        while self._fought.runs < MOST_RUNS and self._fought.ends[-1:] != ["ok"]:
            await self._run(Life())
        await self._take_stock()
        self._spot.close()
        self._witness.close()
        return self._fought

    async def _run(self, life: Life) -> None:
        """One plan and its apply, with faults."""
        name = f"{self._seed}.{len(self._fought.ends)}"
        way = Unreliable(self._witness, self._spot, self._clock, name, SHARE)
        runner = Runner(self._spot, way, self._clock, life)
        self._fought.ends.append(await self._ended(runner))
        await runner.close()
        self._fought.requests += way.requests
        self._fought.faults += way.faults
        self._spot.faults.clear()
        self._spot.advance(LATER)

    async def _ended(self, runner: Runner) -> str:
        try:
            plan = await runner.plan(self._manifests, STACK, GENEROUS)
        except RsspotError as error:
            return type(error).__name__
        self._witness.approve(plan)
        manner = ApplyOptions(self._chance.choice(["accepted", "ready"]), parallel=self._chance.choice([1, 4, 8]))
        return await runner.apply(plan, manner)

    async def _take_stock(self) -> None:
        """What lives at the end, and what is left to do, by looking without faults."""
        fought = self._fought
        runner = Runner(self._spot, self._spot.transport)
        plan = await runner.plan(self._manifests, STACK, GENEROUS)
        fought.left = [f"{change.action.value} {change.address}" for change in plan.changes]
        fought.left += [str(refusal) for refusal in plan.refusals]
        fought.open_steps = len(runner.ledger.open_steps(plan.scope)) + len(runner.ledger.unfinished_runs(plan.scope))
        await runner.close()
        fought.broken, fought.mutations = self._witness.broken, len(self._witness.mutations)
        fought.lives = Counter(lives(self._spot, STACK))
        fought.twice = [name for name, times in births(self._spot, self._begun).items() if times > 1]
        fought.registered = submitted(self._beginning.questions)
        fought.failed = int(not self._beginning.failing.exists())


def logical(body: Document) -> Logical:
    """What an object is to the author of its stack."""
    metadata, spec = body["metadata"], body["spec"]
    given = at_path(metadata, ("annotations", NAME_ANNOTATION), metadata["name"])
    return body["kind"], spec.get("cloudSpace") or spec.get("vmCloudSpace") or "", given


def is_of(stack: str, body: Document) -> bool:
    return at_path(body, ("metadata", "labels", STACK_LABEL)) == stack


def lives(spot: SimulatedSpot, stack: str) -> list[Logical]:
    """Every object of a stack that is not on its way out."""
    found = [body for plural in PLURALS for body in spot.world.store.objects(plural, NAMESPACE) if is_of(stack, body)]
    return [logical(body) for body in found if not body["metadata"].get("deletionTimestamp")]


def births(spot: SimulatedSpot, since: int) -> Counter[Logical]:
    """How often each object of the stack came into being."""
    changes = [each for plural in PLURALS for each in spot.world.store.changes(plural, NAMESPACE, since)]
    born = [json.loads(each.body) for each in changes if each.type == "ADDED"]
    return Counter(logical(body) for body in born if is_of(STACK, body))


def submitted(questions: Path) -> Counter[str]:
    """How often the registrar was asked to register each machine."""
    lines = questions.read_text().splitlines() if questions.exists() else []
    asked = [json.loads(line) for line in lines]
    return Counter(each["registrationKey"] for each in asked if each["ask"] == "submit")
