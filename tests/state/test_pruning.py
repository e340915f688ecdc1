"""Forgetting old runs: which ones go, which ones never do, and that their space is given back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rsspot.errors import StateError
from rsspot.state.database import BUSY_TIMEOUT, Access, Database
from rsspot.state.ledger.protocol import StepRecord, StepState
from rsspot.state.ledger.sql_pruning import prune
from rsspot.state.verification import verify
from support.ledger_backends import databases
from support.ledgers import Runs, edge

LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def runs(backend: str, tmp_path: Path) -> Runs:
    """An empty ledger."""
    return Runs(databases.new(tmp_path / "state.db"))


@pytest.fixture
def runs_in_file(tmp_path: Path) -> Iterator[Runs]:
    """An empty ledger in a file."""
    with closing(Database(tmp_path / "state.db", durable=False)) as database:
        yield Runs(database)


def left(runs: Runs) -> list[int]:
    """The numbers of the runs on record, oldest first."""
    return [run.id for run in reversed(runs.ledger.runs())]


def test_runs_go_by_their_age(runs: Runs) -> None:
    """With their steps and attempts. A run is as old as its end."""
    for _ in range(4):
        runs.made(1)
    before = runs.now - timedelta(days=2, hours=1)
    pruned = prune(runs.database, before)
    assert [run.id for run in pruned.runs] == [1, 2] and (pruned.steps, pruned.attempts) == (2, 2)
    assert left(runs) == [3, 4]
    assert runs.ledger.steps(1) == [] and runs.ledger.attempts(1) == []
    assert prune(runs.database, before).runs == []


def test_a_dry_run_changes_nothing(runs: Runs) -> None:
    """And tells the same."""
    for _ in range(3):
        runs.made(1)
    told = prune(runs.database, LATER, dry_run=True)
    assert left(runs) == [1, 2, 3]
    assert prune(runs.database, LATER) == told
    assert left(runs) == [3]


def test_what_still_matters_is_kept_whatever_its_age(runs: Runs) -> None:
    """A run that an owned object refers to, one that is open, one with a step to look up, and the last one."""
    owner = runs.made(1)
    runs.made(2)
    killed = runs.left_open(3)
    unknown = runs.begin([StepRecord(0, "cloudspace/4", edge(4), "create")])
    runs.ledger.intend(unknown, 0)
    runs.ledger.settle(unknown, 0, StepState.UNKNOWN)
    runs.end(unknown, "unknown")
    runs.made(2, verb="delete")
    gone = runs.begin([])
    runs.end(gone)
    last = runs.begin([])
    runs.end(last)
    runs.register()
    assert [run.id for run in prune(runs.database, LATER).runs] == [2, 5, gone]
    assert left(runs) == [owner, killed, unknown, last]
    assert [each.step.seq for each in runs.ledger.open_steps("spot/acme/web")] == [0, 0]
    assert len(runs.ledger.registrations()) == 1 and len(runs.ledger.owned("spot/acme/web")) == 1


def test_a_number_is_never_given_twice(runs: Runs) -> None:
    """A log that names run 3 means one run."""
    for _ in range(3):
        runs.end(runs.begin([]))
    prune(runs.database, LATER)
    assert runs.begin([]) == 4


def test_the_space_is_given_back(runs_in_file: Runs, tmp_path: Path) -> None:
    """The file is smaller, and whole."""
    runs = runs_in_file
    for number in range(4):
        runs.end(runs.begin([], plan={"changes": [random.Random(number).randbytes(100_000).hex()]}))
    file = tmp_path / "state.db"
    prune(runs.database, LATER)
    assert isinstance(runs.database, Database)
    freed = runs.database.compact()
    assert freed is not None and freed > 300_000
    assert file.stat().st_size < 250_000
    assert verify(file) == []


def test_a_reader_keeps_the_space(runs_in_file: Runs, tmp_path: Path) -> None:
    """Nothing is wrong: it is used again, or given back the next time."""
    runs_in_file.made(1)
    with closing(Database(tmp_path / "state.db", patience=0.01)) as other, other.transaction():
        impatient = Database(tmp_path / "state.db", patience=0.01)
        assert impatient.compact() is None
        impatient.close()


def test_a_copy_cannot_be_pruned(runs_in_file: Runs, tmp_path: Path) -> None:
    """It would be forgotten at once."""
    runs_in_file.made(1)
    runs_in_file.made(1)
    with closing(Database(tmp_path / "state.db", patience=BUSY_TIMEOUT, access=Access.COPY)) as copy:
        with pytest.raises(StateError, match="read-only"):
            prune(copy, LATER)
        assert len(prune(copy, LATER, dry_run=True).runs) == 1
