"""An apply that is killed at any moment at all is put right by the next one, without a question.

The moments are not written down here: each story is told once to its end, and every ledger write, request and wait that
it comes by is a moment before and a moment after its effect. In `make test`, the moments right after something durable
are taken, all of them or every twelfth; `make chaos` takes every moment. What the moments cover is compared with the
source: an await or a ledger write of the applier that no story is killed at has to be named here, with the reason.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import rsspot
from rsspot.state.ledger.protocol import Ledger
from support import ledger_places
from support.amount import FULL, SMALL, amount
from support.awaits import Place, Sources
from support.crash_points import READS, TIMED, Fuse, Moment
from support.forked import Forked
from support.killed_apply import LATER, STORIES, asked, converged, run_under_fire

BEGIN = 1_790_000_000.0
SRC = Path(rsspot.__file__).parent
WRITES = frozenset(name for name in vars(Ledger) | vars(Ledger.__mro__[1]) if name[0] != "_") - READS - TIMED
SOURCES = Sources(
    # Whoever is killed with a lease on a live object leaves it behind: its own tests take it over.
    [
        *sorted({*(SRC / "applier").glob("*.py")} - {SRC / "applier" / "live_lease.py"}),
        SRC / "workflows" / "reconcile.py",
    ],
    WRITES,
    frozenset({"close", "closed_by"}),
)
ONLY_FOR_OTHERS = ("to detach", "unready", "rich")
"""Stories that are told because others come after them."""
IN_FULL = ("create", "change", "recover a create")
"""Stories of which `make test` takes every durable moment."""
STRIDE = 12
SHARES = amount(1, 4)
"""Each story is split into so many tests, so that they can run side by side."""

READS_ONLY = "only reads, between two moments"
BEFORE = "nothing was done before the lease is ours, and the clock of this machine tells how long that is waited for"
OVER = "nothing is under way any more"
NOTED = "a note of what one read missed: without it, the next read is the first to miss it"
TURN = "other tasks of the process get their turn, each with moments of its own"
NO_CRASH_POINTS = {
    Place("create.py", "create", "await step.attributed(await step.settle(), may_have_arrived=True)"): READS_ONLY,
    Place(
        "create.py", "create", "await step.attributed(step.judge(await step.look()), may_have_arrived=lost)"
    ): READS_ONLY,
    Place("create.py", "create", "await step.look()"): READS_ONLY,
    Place("market.py", "_with_capacity", "await self._class(live, servers.of)"): READS_ONLY,
    Place("market.py", "explain", "await self._with_capacity(live, seen)"): READS_ONLY,
    Place("recover.py", "_close", "await _judge(left, live, kind, context)"): READS_ONLY,
    Place(
        "recover.py",
        "_judge",
        "await is_from_us(live, kind, context, may_have_arrived=left.may_have_arrived)",
    ): READS_ONLY,
    Place("settle.py", "_labels_are_kept", "await context.documents(each).list(labels=STACK_LABEL)"): READS_ONLY,
    Place("settle.py", "is_from_us", "await _labels_are_kept(kind, context)"): READS_ONLY,
    Place(
        "step.py", "after_refusal", "await self.attributed(self.judge(await self.look()), may_have_arrived=True)"
    ): READS_ONLY,
    Place(
        "step.py",
        "attributed",
        "await is_from_us(live, self.kind, self.context, may_have_arrived=may_have_arrived)",
    ): READS_ONLY,
    Place("lease.py", "hold", "await _watched(ledger, scope, holder, clock, hooks or Hooks())"): BEFORE,
    Place("lease.py", "_watched", "await clock.sleep(LOOK_EVERY)"): BEFORE,
    Place("lookout.py", "_list", "await asyncio.sleep(0)"): TURN,
    Place("execution.py", "run", "await asyncio.sleep(0)"): TURN,
    Place("lookout.py", "close", "await asyncio.gather(*tasks, return_exceptions=True)"): OVER,
    Place("run.py", "run_steps", "await asyncio.gather(task, lookout.close(), return_exceptions=True)"): OVER,
    Place(
        "reconcile.py",
        "apply_plan",
        "async with aclosing(recover(context, plan.scope, held.lease)) as left_open:",
    ): OVER,
    Place(
        "reconcile.py",
        "apply_plan",
        "async with aclosing(run_steps(plan, steps, context, held, options)) as events:",
    ): OVER,
    Place("reconcile.py", "note_sightings", "ledger.sighted(found=found, missing=missing, now=clock.now())"): NOTED,
}
"""Places at which no story is killed, and why they are no crash points."""
PLANNERS = frozenset({"make_plan", "plan_refresh", "plan_destroy", "known_stacks"})
"""Functions beside `apply_plan`: a plan writes nothing and sends only GETs."""


@dataclass(frozen=True)
class Told:
    """A story that was told to its end. begin, end: the folder as it was before, and after · start: when it began

    places: where the process was at its moments · questions: of the registrar
    """

    begin: Path
    end: Path
    start: float
    moments: list[Moment]
    places: set[Place]
    questions: list[str]


class Stories:
    """Tells each story once, when it is asked for."""

    def __init__(self, folder: Path, program: Forked) -> None:
        self._folder, self._program = folder, program
        self._told: dict[str, Told] = {}

    async def told(self, name: str) -> Told:
        """The story as it goes when nobody kills it."""
        if name not in self._told:
            self._told[name] = await self._tell(name)
        return self._told[name]

    async def _tell(self, name: str) -> Told:
        begin, end = self._folder / name / "begin", self._folder / name / "end"
        start = await self._prepare(begin, name)
        shutil.copytree(begin, end)
        moments: list[Moment] = []
        places: set[Place] = set()

        def saw(moment: Moment) -> None:
            moments.append(moment)
            places.update(SOURCES.under_way())

        before = len(asked(end))
        await run_under_fire(end, name, start, Fuse(seen=saw))
        return Told(begin, end, start, moments, places, asked(end)[before:])

    async def _prepare(self, begin: Path, name: str) -> float:
        """Make the folder that a story begins in; gives the time."""
        story, start = STORIES[name], BEGIN
        if story.after:
            before = await self.told(story.after)
            shutil.copytree(before.end, begin)
            start = before.start + story.gap
        else:
            begin.mkdir(parents=True)
        if story.killed:
            assert self.killed(begin, name, start, *story.killed)
            start += LATER
        return start

    def killed(self, folder: Path, name: str, start: float, choice: str, number: int) -> str | None:
        """Run a story, and give the moment that the process was killed at; None if it came to its end."""
        ended = self._program.run(folder, name, start, choice, number)
        assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
        ledger_places.keep(folder)
        return ended.stderr if ended.returncode else None


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stories]:
    """The stories of one process of tests."""
    folder = tmp_path_factory.mktemp("stories")
    program = Forked("killed_apply", **{ledger_places.VARIABLE: ledger_places.url_of(folder)})
    if ledger_places.ON_SERVER:
        # Its warm-up applies as well, and there is one ledger for both. In files, each has its own.
        program.warm()
    yield Stories(folder, program)
    program.close()


def chosen(name: str, moments: list[Moment]) -> list[int]:
    """The numbers of the moments to be killed at."""
    if FULL:
        return list(range(1, len(moments) + 1))
    durable = [number for number, moment in enumerate(moments, 1) if moment.is_durable]
    if SMALL:
        return durable[:: STRIDE * 4]
    return durable if name in IN_FULL else durable[::STRIDE]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("name", [name for name in STORIES if name not in ONLY_FOR_OTHERS])
async def test_an_apply_killed_anywhere_is_finished_by_the_next(
    tmp_path: Path, stories: Stories, record_property: Callable[[str, object], None], name: str, share: int
) -> None:
    """All is as if nobody had killed it: the same objects, made as often, and nothing is open."""
    told = await stories.told(name)
    shutil.copytree(told.end, tmp_path / "peace")
    wanted = await converged(tmp_path / "peace", name, told.start + LATER)
    numbers = chosen(name, told.moments)[share::SHARES]
    for number in numbers:
        folder = tmp_path / str(number)
        shutil.copytree(told.begin, folder)
        died = stories.killed(folder, name, told.start, "any", number)
        assert died == str(told.moments[number - 1])
        assert await converged(folder, name, told.start + LATER) == wanted, died
        shutil.rmtree(folder)
    record_property("crash points gone through", len(numbers))


@pytest.mark.parametrize("side", ["before", "after"])
async def test_an_apply_killed_while_a_registrar_works_is_finished_by_the_next(
    tmp_path: Path, stories: Stories, record_property: Callable[[str, object], None], side: str
) -> None:
    """Each machine is registered, and at most the one question is asked again that nobody heard the answer of."""
    told = await stories.told("machines")
    numbers = range(1, len(told.questions) + 1, amount(3, 1))
    for number in numbers:
        folder = tmp_path / str(number)
        shutil.copytree(told.begin, folder)
        (folder / "fatal").write_text(f"{side} {number}")
        assert stories.killed(folder, "machines", told.start, "never", 0) is not None
        (folder / "fatal").unlink()
        left = await converged(folder, "machines", told.start + LATER)
        assert left.machines == ["registered"] * 2
        again = [told.questions[number - 1]] if side == "after" else []
        assert sorted(asked(folder)) == sorted([*told.questions, *again])
    record_property("crash points gone through", len(numbers))


async def test_every_await_and_every_ledger_write_is_a_crash_point(
    stories: Stories, record_property: Callable[[str, object], None]
) -> None:
    """Whoever adds one gives it a story, or says here why nobody can be killed at it."""
    told = [await stories.told(name) for name in STORIES]
    named = {place for each in told for place in each.places}
    missing = {each for each in SOURCES.places - named - NO_CRASH_POINTS.keys() if each.function not in PLANNERS}
    assert not missing, "no story is killed there: " + "\n".join(sorted(map(str, missing)))
    assert sorted(NO_CRASH_POINTS.keys() - SOURCES.places, key=str) == [], "there is no such place any more"
    assert sorted(NO_CRASH_POINTS.keys() & named, key=str) == [], "a story is killed there"
    killed = [each for name, each in zip(STORIES, told, strict=True) if name not in ONLY_FOR_OTHERS]
    record_property("crash points in all", sum(len(each.moments) + 2 * len(each.questions) for each in killed))
    record_property("awaits and ledger writes of the applier that are crash points", len(named))
