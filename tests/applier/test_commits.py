"""Commits: writes of one moment are durable together, each fails alone, and nothing goes on before that."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rsspot.applier.commits import Commits
from rsspot.applier.options import ApplyOptions
from rsspot.errors import StateError
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Holder, Lease, Ledger
from rsspot.utils.clock import SystemClock
from support.scenes import CLOUDSPACE, WORKERS, Scene

POOLS = 48
WIDE = 16


class Diary:
    """A ledger that only keeps what is written, once it is durable. broken: whether its commits fail"""

    def __init__(self) -> None:
        self.durable: list[list[str]] = []
        self.broken = False
        self._written: list[str] = []

    @contextmanager
    def together(self) -> Any:
        self._written = []
        yield
        if self.broken:
            raise StateError("the disk is full")
        self.durable.append(self._written)

    def write(self, word: str) -> Callable[[], str]:
        def written() -> str:
            if word == "wrong":
                raise ValueError(word)
            self._written.append(word)
            return word.upper()

        return written


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def commits(diary: Diary) -> Commits:
    ledger: Any = diary
    return Commits(ledger)


async def test_what_is_asked_for_at_one_moment_has_one_commit(diary: Diary, commits: Commits) -> None:
    words = await asyncio.gather(*(commits.durable(diary.write(word)) for word in "abc"))
    assert (words, diary.durable) == (["A", "B", "C"], [["a", "b", "c"]])


async def test_a_note_is_durable_before_what_follows_it(diary: Diary, commits: Commits) -> None:
    commits.note(diary.write("note"))
    assert await commits.durable(diary.write("next")) == "NEXT"
    assert diary.durable == [["note", "next"]]


async def test_one_that_fails_fails_alone(diary: Diary, commits: Commits) -> None:
    words = await asyncio.gather(
        *(commits.durable(diary.write(word)) for word in ("a", "wrong", "b")), return_exceptions=True
    )
    assert [str(word) for word in words] == ["A", "wrong", "B"]
    assert diary.durable == [["a", "b"]]


async def test_a_commit_that_fails_fails_all_of_it(diary: Diary, commits: Commits) -> None:
    diary.broken = True
    commits.note(diary.write("note"))
    words = await asyncio.gather(*(commits.durable(diary.write(word)) for word in "ab"), return_exceptions=True)
    assert [str(word) for word in words] == ["the disk is full"] * 2
    assert diary.durable == []


async def test_whoever_is_cut_off_writes_nothing(diary: Diary, commits: Commits) -> None:
    cut_off = asyncio.create_task(commits.durable(diary.write("a")))
    await asyncio.sleep(0)
    cut_off.cancel()
    assert await commits.durable(diary.write("b")) == "B"
    assert cut_off.cancelled()
    assert diary.durable == [["b"]]


async def test_what_waits_can_be_made_durable_at_once(diary: Diary, commits: Commits) -> None:
    commits.note(diary.write("note"))
    commits.flush()
    commits.flush()
    assert diary.durable == [["note"]]


def test_a_write_of_the_ledger_that_fails_takes_back_only_itself(tmp_path: Path) -> None:
    ledger, clock = open_ledger(tmp_path / "state.db"), SystemClock()
    with pytest.raises(StateError), ledger.together():
        lease = acquired(ledger, "one", clock)
        ledger.intend(7, 7, lease=lease)
    assert ledger.leases() == []
    with ledger.together():
        lease = acquired(ledger, "one", clock)
        with pytest.raises(StateError):
            ledger.intend(7, 7, lease=lease)
    assert [each.scope for each in ledger.leases()] == ["one"]


def acquired(ledger: Ledger, scope: str, clock: SystemClock) -> Lease:
    return ledger.acquire(scope, Holder("me", "here", 1), clock.now(), 60)


async def test_steps_share_their_commits(
    scene: Scene,
) -> None:
    """Two for each round of steps that are under way together, and not five for each step."""
    text = CLOUDSPACE + "".join(
        WORKERS.replace("name: workers", f"name: pool-{number}").replace("desired: 2", "desired: 1")
        for number in range(POOLS)
    )
    plan = await scene.plan(text)
    statements: list[str] = []
    connection: sqlite3.Connection = scene.ledger._db._connection  # type: ignore[attr-defined]
    connection.set_trace_callback(statements.append)
    recap = await scene.run(plan, ApplyOptions(wait="none", parallel=WIDE))
    connection.set_trace_callback(None)
    assert recap.counts["created"] == POOLS + 1
    commits = sum(statement == "COMMIT" for statement in statements)
    rounds = POOLS // WIDE + 1
    assert commits <= 4 * rounds + 8, commits
    intents = sum(statement.startswith("INSERT INTO attempts") for statement in statements)
    assert intents == POOLS + 1
