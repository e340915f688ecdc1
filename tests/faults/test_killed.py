"""An apply that is killed at any moment at all is put right by the next one, without a question."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from support.forked import Forked
from support.killed_apply import TEXTS, Stage, run
from support.scenes import PLURALS, births, living

BEGIN = 1_790_000_000.0
LATER = 6_000.0
"""Seconds between two runs, in the world's time: longer than a run and its waits. Auctions are held meanwhile."""
SHARES = 4
"""Each family is split into so many tests, so that they can run side by side."""


Killed = Callable[[Path, str, float, str, int], bool]


@pytest.fixture(scope="module")
def killed() -> Iterator[Killed]:
    """Runs an apply in a process to its end or its death, and tells which it was."""
    program = Forked("killed_apply")

    def run_to_its_end(folder: Path, text: str, start: float, what: str, number: int) -> bool:
        done = program.run(folder, text, start, what, number)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        return done.returncode != 0

    yield run_to_its_end
    program.close()


def numbers(share: int) -> Iterator[int]:
    """Every SHARES-th number from `share` on."""
    return count(share, SHARES)


async def assert_converges(folder: Path, text: str, start: float, wanted: dict[str, int]) -> None:
    """One more run ends well, and leaves what was wanted, once each, and nothing open."""
    recap = await run(folder, text, start)
    assert recap.outcome == "ok", recap
    stage = Stage(folder, start + LATER)
    try:
        (scope,) = {each.scope for each in stage.ledger.runs()}
        assert not stage.ledger.open_steps(scope)
        assert not stage.ledger.unfinished_runs(scope)
        assert (await stage.scene.plan(TEXTS[text])).empty
        assert {plural: len(living(stage.world, plural)) for plural in PLURALS} == wanted
        for plural in PLURALS:
            assert all(times == 1 for times in births(stage.world, plural).values())
    finally:
        await stage.close()


FIRST = {"cloudspaces": 1, "spotnodepools": 1, "ondemandnodepools": 1}
SECOND = {"cloudspaces": 1, "spotnodepools": 1, "ondemandnodepools": 0}


@pytest.mark.parametrize("share", range(1, SHARES + 1))
@pytest.mark.parametrize("what", ["write", "mutation"])
async def test_a_first_apply_killed_anywhere_is_finished_by_the_next(
    tmp_path: Path, killed: Killed, what: str, share: int
) -> None:
    """However far the first apply got, the second makes each object exactly once."""
    for number in numbers(share):
        folder = tmp_path / str(number)
        folder.mkdir()
        died = killed(folder, "stack", BEGIN, what, number)
        await assert_converges(folder, "stack", BEGIN + LATER, FIRST)
        if not died:
            assert number > 3
            return


@pytest.mark.parametrize("share", range(1, SHARES + 1))
@pytest.mark.parametrize("what", ["write", "mutation"])
async def test_a_change_killed_anywhere_is_finished_by_the_next(
    tmp_path: Path, killed: Killed, what: str, share: int
) -> None:
    """The same for an update, a replacement and a removal together."""
    template = tmp_path / "template"
    template.mkdir()
    assert (await run(template, "stack", BEGIN)).outcome == "ok"
    for number in numbers(share):
        folder = tmp_path / str(number)
        shutil.copytree(template, folder)
        died = killed(folder, "changed", BEGIN + LATER, what, number)
        await assert_converges(folder, "changed", BEGIN + 2 * LATER, SECOND)
        if not died:
            assert number > 4
            return


@pytest.mark.parametrize("share", range(1, SHARES + 1))
async def test_a_recovery_killed_anywhere_is_finished_by_the_next(tmp_path: Path, killed: Killed, share: int) -> None:
    """The run that puts a killed one right may be killed as well."""
    template = tmp_path / "template"
    template.mkdir()
    assert killed(template, "stack", BEGIN, "mutation", 2)
    for number in numbers(share):
        folder = tmp_path / str(number)
        shutil.copytree(template, folder)
        died = killed(folder, "stack", BEGIN + LATER, "write", number)
        await assert_converges(folder, "stack", BEGIN + 2 * LATER, FIRST)
        if not died:
            return
