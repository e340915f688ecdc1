"""A ledger is copied up to a server and back: nothing is lost, and nothing is mixed with what is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from rsspot.errors import Locked, StateError
from rsspot.state.database import Database
from rsspot.state.ledger import copying, open_database, open_ledger
from rsspot.state.ledger.copying import TABLES, copy_ledger
from rsspot.state.ledger.document import dump_ledger
from rsspot.state.ledger.protocol import Holder, StepRecord
from rsspot.state.ledger.registrations import RegistrationStatus
from rsspot.state.ledger.sql_content import read_content
from rsspot.state.verification import Weight, verify_at
from rsspot.utils.serialization import Document
from support.ledgers import MACHINE, SCOPE, Runs, edge
from support.postgres import shared_server

LATER = timedelta(days=400)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Path]:
    """A ledger with every sort of record."""
    with closing(Database(tmp_path / "source.db", durable=False)) as database:
        runs = Runs(database)
        runs.made(1, 2)
        runs.made(2, verb="delete")
        runs.begin([StepRecord(0, "cloudspace/8", edge(8), "create", parent="cloudspace/9")])
        runs.end(3)
        runs.left_open(3)
        runs.register(RegistrationStatus.TOKEN_ISSUED)
        asked = runs.ledger.ask(MACHINE.registration_key, "submit", str, "worker")
        runs.ledger.fail(asked, "refused: no", "no", retry_at=runs.now)
        with database.transaction() as db:
            # As the first versions stored it.
            db.execute("UPDATE runs SET plan_json = ? WHERE id = 1", (json.dumps({"digest": "d", "changes": []}),))
    yield tmp_path / "source.db"


def exported(place: str | Path) -> Document:
    """Everything in a ledger."""
    with closing(open_database(place)) as database:
        return dump_ledger(read_content(database))


def test_a_ledger_goes_up_and_back(source: Path, tmp_path: Path) -> None:
    """Every record is there each time, and the numbers say how many."""
    server = shared_server().fresh()
    up = copy_ledger(source, server)
    assert up.keys() == TABLES.keys() and all(up.values())
    back = tmp_path / "back.db"
    assert copy_ledger(server, f"sqlite://{back}") == up
    assert exported(source) == exported(server) == exported(back)
    assert not [each for each in verify_at(server) if each.weight is Weight.ERROR and "its plan" not in each.message]
    with closing(open_ledger(back)) as ledger:
        assert [each.outcome for each in ledger.questions(MACHINE.registration_key)] == ["refused: no"]
        assert ledger.progress(MACHINE.registration_key).failures == 1
        assert [step.parent for step in ledger.steps(3)] == ["cloudspace/9"]


def test_runs_go_on_with_the_next_number_and_the_next_fence(source: Path) -> None:
    """A fence is never given twice, wherever the ledger is."""
    server = shared_server().fresh()
    copy_ledger(source, server)
    with closing(open_ledger(server)) as ledger, closing(open_ledger(source)) as before:
        now = ledger.time(Runs(Database(None)).now)
        lease = ledger.acquire(SCOPE, Holder("worker", "elsewhere", 1), now, 60)
        assert lease.fence == before.acquire(SCOPE, Holder("worker", "elsewhere", 1), now, 60).fence
        assert ledger.begin(lease, "apply", {"digest": "x"}, []) == 5


def test_what_holds_anything_is_not_filled(source: Path, tmp_path: Path) -> None:
    """It stays as it is."""
    server = shared_server().fresh()
    copy_ledger(source, server)
    before = exported(server)
    with pytest.raises(StateError, match="is not empty"):
        copy_ledger(source, server)
    assert exported(server) == before
    with pytest.raises(StateError, match="is not empty"):
        copy_ledger(server, source)


def test_nothing_is_copied_while_an_apply_may_be_running(source: Path, tmp_path: Path) -> None:
    """What it wrote afterwards would be missing. One whose lease has expired was killed."""
    runs = Runs(Database(None))
    with closing(open_ledger(source)) as ledger:
        ledger.acquire(SCOPE, Holder("worker", "elsewhere", 1), runs.now, 60)
    with pytest.raises(Locked, match="an apply of spot/acme/web may be running"):
        copy_ledger(source, tmp_path / "copy.db", runs.now)
    copy_ledger(source, tmp_path / "copy.db", runs.now + LATER)
    with closing(open_ledger(tmp_path / "copy.db")) as ledger:
        assert ledger.leases() == []


def test_an_empty_ledger_is_not_copied(tmp_path: Path) -> None:
    """A wrong path is more likely."""
    with pytest.raises(StateError, match=r"the ledger .*none.db is empty, or not there"):
        copy_ledger(tmp_path / "none.db", tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists() and not (tmp_path / "none.db").exists()


def test_a_copy_that_differs_is_taken_back(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever made it differ."""
    server = shared_server().fresh()
    shared_server().execute("SELECT 1")
    open_ledger(server).close()
    rule = "CREATE RULE lost AS ON INSERT TO rsspot.attempts WHERE NEW.run_id = 2 DO INSTEAD NOTHING"
    shared_server().execute(rule, database="ledger")
    with pytest.raises(StateError, match=r"attempts in .* differ from what was read"):
        copy_ledger(source, server)
    with closing(open_database(server)) as database:
        assert not any(copying._read(database).values())
