"""A ledger as a document, and back: nothing is lost, nothing is twice, and nothing is half imported."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from rsspot.errors import StateError
from rsspot.state.ledger.document import dump_ledger, load_ledger
from rsspot.state.ledger.protocol import StepState
from rsspot.state.ledger.registrations import RegistrationStatus
from rsspot.state.ledger.sql_content import merge_content, read_content
from rsspot.utils.serialization import canonical, digest
from support.ledger_backends import databases
from support.ledgers import DAY, MACHINE, SCOPE, START, Runs, edge

pytestmark = pytest.mark.usefixtures("backend")
NOTHING = {"runs": 0, "steps": 0, "attempts": 0, "owned": 0, "registrations": 0}


def ledger(start: float = START) -> Runs:
    """An empty ledger whose clock starts at this time."""
    return Runs(databases.new(), start)


def full() -> Runs:
    """Every sort of record: a run that ended, one that deleted something, one that was killed, a machine."""
    runs = ledger()
    runs.made(1, 2)
    runs.made(2, verb="delete")
    runs.left_open(3)
    runs.register()
    return runs


def exported(runs: Runs) -> dict[str, Any]:
    """The document, as it is read again from a file."""
    document: dict[str, Any] = json.loads(json.dumps(dump_ledger(read_content(runs.database))))
    return document


def imported(runs: Runs, document: Any) -> dict[str, int]:
    """Import a document into a ledger."""
    return merge_content(runs.database, load_ledger(document))


def sealed(document: dict[str, Any]) -> dict[str, Any]:
    """A document with the digest of what it says."""
    body = {name: value for name, value in document.items() if name != "digest"}
    return {**body, "digest": digest(body)}


def test_an_import_gives_the_same_ledger() -> None:
    """Every record, with its numbers and times."""
    runs, other = full(), ledger()
    document = exported(runs)
    assert imported(other, document) == {"runs": 3, "steps": 4, "attempts": 4, "owned": 1, "registrations": 1}
    assert exported(other) == document
    assert other.ledger.plan(1) == runs.ledger.plan(1)
    assert [each.step.seq for each in other.ledger.open_steps(SCOPE)] == [0]


def test_an_export_is_always_the_same() -> None:
    """Byte by byte, in whatever order the records came."""
    runs, backwards = full(), ledger()
    document = exported(runs)
    assert canonical(document) == canonical(exported(runs))
    mixed = {**document, "runs": document["runs"][::-1], "owned": document["owned"][::-1]}
    imported(backwards, sealed(mixed))
    assert exported(backwards) == document


def test_a_second_import_changes_nothing() -> None:
    """Neither into another ledger nor into the one that it came from."""
    runs, other = full(), ledger()
    document = exported(runs)
    imported(other, document)
    for each in (runs, other):
        assert imported(each, document) == NOTHING
        assert exported(each) == document


def test_runs_get_other_numbers_where_theirs_are_taken() -> None:
    """And are listed by their time."""
    here, there = ledger(START + 10 * DAY), ledger()
    here.made(1)
    there.made(2)
    there.made(3)
    imported(here, exported(there))
    assert [(run.id, run.started_at[:10]) for run in here.ledger.runs()] == [
        (1, "2026-10-01"),
        (2, "2026-09-22"),
        (3, "2026-09-21"),
    ]
    assert {ref: owned.uid for ref, owned in here.ledger.owned(SCOPE).items()} == {
        edge(1): "uid-1",
        edge(2): "uid-1",
        edge(3): "uid-2",
    }
    assert exported(here)["owned"][1]["run"] == 3


@pytest.mark.parametrize("newer_is_here", [True, False])
def test_the_record_of_the_newer_run_counts(newer_is_here: bool) -> None:
    """Whichever of the two ledgers it is in."""
    older, newer = ledger(), ledger(START + 10 * DAY)
    older.made(1)
    newer.made(9)
    newer.made(1)
    here, there = (newer, older) if newer_is_here else (older, newer)
    imported(here, exported(there))
    assert here.ledger.owned(SCOPE)[edge(1)].uid == "uid-2"


@pytest.mark.parametrize("deleted_here", [True, False])
def test_what_a_newer_run_deleted_stays_forgotten(deleted_here: bool) -> None:
    """A copy of the ledger may still have it."""
    here, there = ledger(), ledger()
    here.made(1)
    imported(there, exported(here))
    (here if deleted_here else there).clock.advance(DAY)
    (here if deleted_here else there).made(1, verb="delete")
    imported(here, exported(there))
    assert here.ledger.owned(SCOPE) == {}


def test_what_was_open_here_learns_how_it_ended_there() -> None:
    """And nothing that is closed opens again."""
    here, there = ledger(), ledger()
    run = here.left_open(1)
    before = exported(here)
    imported(there, before)
    there.ledger.answered(run, 0, 1, "ok")
    there.ledger.settle(run, 0, StepState.DONE)
    there.ledger.finish(run, "interrupted")
    assert imported(here, exported(there)) == {**NOTHING, "runs": 1, "steps": 1, "attempts": 1}
    assert (here.ledger.runs()[0].outcome, here.ledger.steps(run)[0].state) == ("interrupted", StepState.DONE)
    assert here.ledger.attempts(run)[0].outcome == "ok"
    assert imported(here, before) == NOTHING


def test_the_newer_record_of_a_machine_counts_and_a_claim_stays() -> None:
    """Claims are of workers here; those of another machine are not exported."""
    here, there = ledger(), ledger()
    here.register(RegistrationStatus.TOKEN_ISSUED)
    there.clock.advance(DAY)
    there.register()
    there_claims = there.ledger.registrations()[0]
    assert there_claims.status is RegistrationStatus.REGISTERED
    [claimed] = here.ledger.claim_registrations("elsewhere", ttl=60)
    assert exported(here)["registrations"][0]["claimed_by"] is None
    assert imported(here, exported(there)) == NOTHING
    here.ledger.release_registration(MACHINE.registration_key, "elsewhere")
    assert imported(here, exported(there)) == {**NOTHING, "registrations": 1}
    assert claimed.status is RegistrationStatus.TOKEN_ISSUED


Edit = Callable[[dict[str, Any]], Any]
HUGE = {"seq": 2**70, "address": "a/b", "ref": ["A", "b"], "verb": "create", "state": "done", "attempts": []}
DAMAGE: dict[str, tuple[Edit, str]] = {
    "of another schema": (lambda d: d.update(schema="rsspot.state/1"), "its schema is not rsspot.ledger/1"),
    "with a member too many": (lambda d: d.update(more=1), "more"),
    "with a step too many": (lambda d: d["runs"][0]["steps"].append(d["runs"][0]["steps"][0]), "runs.0.steps.2"),
    "with a run too many": (lambda d: d["runs"].append(d["runs"][0]), "runs.3: 1 is there already"),
    "with a state of its own": (lambda d: d["runs"][1]["steps"][0].update(state="odd"), "runs.1.steps.0.state"),
    "without a time": (lambda d: d["runs"][2].pop("started_at"), "runs.2.started_at"),
    "with an attempt of another step": (
        lambda d: d["runs"][0]["steps"][0]["attempts"][0].update(seq=5),
        "runs.0.steps.0.attempts: one is of step 5",
    ),
    "with an owner that is missing": (lambda d: d["owned"][0].update(run=77), "owned.0.run: there is no run 77"),
    "with an object twice": (lambda d: d["owned"].append(d["owned"][0]), "owned.1"),
    "with a machine twice": (lambda d: d["registrations"].append(d["registrations"][0]), "registrations.1"),
    "with a huge fence": (lambda d: d["runs"][0].update(fence=2**70), "runs.0.fence"),
    "with a huge step": (lambda d: d["runs"][0]["steps"].append(HUGE), "a number that is too large"),
    "with a number that is none": (lambda d: d["runs"][2].update(id=-3), "runs.2.id: -3 is no number of a run"),
    "with a run at no time": (lambda d: d["runs"][1].update(ended_at="soon"), "runs.1: 'soon' is no time"),
    "with an attempt at no time": (
        lambda d: d["runs"][0]["steps"][1]["attempts"][0].update(sent_at=""),
        "runs.0.steps.1.attempts: '' is no time",
    ),
    "with runs that are no list": (lambda d: d.update(runs=7), "runs"),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_document_is_refused_with_the_place(how: str) -> None:
    """And nothing of it is imported, however good the rest is."""
    edit, named = DAMAGE[how]
    document = exported(full())
    edit(document)
    if document["schema"] == "rsspot.ledger/1":
        document = sealed(document)
    here = ledger()
    with pytest.raises(StateError) as caught:
        imported(here, document)
    assert named in caught.value.message
    assert exported(here) == exported(ledger())


@pytest.mark.parametrize("document", [None, [], "x", {}, {"format": "rsspot.state/1", "parts": []}])
def test_a_foreign_document_is_refused(document: Any) -> None:
    """Such as an export of preferences."""
    with pytest.raises(StateError, match=r"its schema is not rsspot\.ledger/1"):
        load_ledger(document)


def test_a_document_that_was_edited_is_refused() -> None:
    """Or cut off, and mended by hand: what an undo does must be what a run did."""
    document = exported(full())
    edited = copy.deepcopy(document)
    edited["owned"][0]["applied"]["spec/region"] = "iad"
    with pytest.raises(StateError, match="was changed after it was written"):
        load_ledger(edited)
    load_ledger(document)


def test_a_run_that_is_missing_is_no_obstacle() -> None:
    """A record of an object whose run is not on record is exported and imported as just that."""
    runs, other = full(), ledger()
    with runs.database.transaction() as db:
        db.execute("UPDATE managed_objects SET run_id = 99")
    document = exported(runs)
    assert document["owned"][0]["run"] is None
    imported(other, document)
    assert exported(other) == document
    assert imported(other, document) == NOTHING
