"""Moving state to another machine: preferences and registrations, all or nothing, without local data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rsspot.errors import StateError
from rsspot.state.database import Database
from rsspot.state.history import History, HistoryEntry
from rsspot.state.http_cache import SqliteCache
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus
from rsspot.state.ledger.sqlite import SqliteLedger
from rsspot.state.preferences import RECORDS, Preferences
from rsspot.state.sqlite_store import SqliteStore
from rsspot.state.transfer import RegistrationStore, export_state, import_state

CANARY = "canary-must-not-be-exported"
MACHINE = RegistrationRecord("key", "uid", "org", "group", "omni", vm_name="vm", payload={"ipAddress": "10.0.0.1"})


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Database]:
    """A state.db with data that is exported and data that is not."""
    database = Database(tmp_path / "source.db", durable=False)
    fill(database)
    yield database
    database.close()


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Database]:
    """An empty state.db."""
    database = Database(tmp_path / "target.db", durable=False)
    yield database
    database.close()


def fill(database: Database) -> None:
    """Add preferences and registrations, and also claims, history and cached responses, which are not exported."""
    preferences_of(database).remember("region", "dfw", "work")
    preferences_of(database).remember("profile", "work")
    ledger = SqliteLedger(database)
    ledger.discover(MACHINE)
    ledger.advance("key", RegistrationStatus.TOKEN_ISSUED, token_id="t1", token_expires_at="2027-01-01T00:00:00Z")
    ledger.advance("key", RegistrationStatus.FAILED, last_error="no")
    ledger.discover(replace(MACHINE, registration_key="other", vm_name=None, payload={}))
    ledger.claim_registrations(CANARY, ttl=60)
    History(database).add(HistoryEntry("2026-01-01T00:00:00Z", CANARY, "work", 0, 1.0))
    SqliteCache(database, most_entries=10, most_bytes=1000).put(CANARY, "/a", "", CANARY.encode(), now=0, expires_at=1)


def preferences_of(database: Database) -> Preferences:
    """The preferences in a database."""
    return Preferences(SqliteStore(database, "preferences", RECORDS))


def document_of(database: Database) -> dict[str, Any]:
    """An export after a round trip through JSON."""
    document: dict[str, Any] = json.loads(json.dumps(export_state(database)))
    return document


def part(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The entries of one part."""
    (matching,) = (each for each in document["parts"] if each["records"] == name)
    entries: dict[str, Any] = matching["entries"]
    return entries


def exported_entries(database: Database) -> list[Any]:
    """The entries of all parts of an export."""
    return [each["entries"] for each in export_state(database)["parts"]]


def test_exported_data_arrives_unchanged(source: Database, target: Database) -> None:
    """Including status, token, expiry, error and times."""
    assert import_state(target, document_of(source)) == {"preferences": 2, "registrations": 2}
    assert exported_entries(target) == exported_entries(source)
    assert preferences_of(target).of("work") == {"region": "dfw"}
    before, after = SqliteLedger(source).registration("key"), SqliteLedger(target).registration("key")
    assert before is not None and after == replace(before, claimed_by=None, claimed_until=None)
    assert (after.status, after.token_id, after.last_error) == (RegistrationStatus.FAILED, "t1", "no")
    assert import_state(target, document_of(source)) == {"preferences": 0, "registrations": 0}


def test_caches_history_and_claims_are_not_exported(source: Database, target: Database) -> None:
    """They belong to the machine they were made on."""
    document = document_of(source)
    assert CANARY not in json.dumps(document)
    assert {each["records"] for each in document["parts"]} == {"preferences", "registrations"}
    import_state(target, document)
    assert History(target).entries() == []
    assert len(SqliteLedger(target).claim_registrations("anybody", ttl=60, limit=10)) == 2


def test_importing_an_empty_state_changes_nothing(source: Database, target: Database) -> None:
    """It deletes nothing."""
    before = exported_entries(source)
    assert import_state(source, document_of(target)) == {"preferences": 0, "registrations": 0}
    assert exported_entries(source) == before


@pytest.mark.parametrize("table", ["preferences", "registrations"])
def test_a_conflict_in_one_part_imports_nothing(source: Database, target: Database, table: str) -> None:
    """With `replace`, everything is imported."""
    if table == "preferences":
        preferences_of(target).remember("region", "iad", "work")
    else:
        SqliteLedger(target).discover(MACHINE)
    before = exported_entries(target)
    with pytest.raises(StateError, match="already exists") as caught:
        import_state(target, document_of(source))
    assert caught.value.hint == "import with --replace"
    assert exported_entries(target) == before
    assert import_state(target, document_of(source), replace=True) == {"preferences": 2, "registrations": 2}
    assert exported_entries(target) == exported_entries(source)


def test_equal_records_are_no_conflict(source: Database, target: Database) -> None:
    """Only different values conflict."""
    preferences_of(target).remember("region", "dfw", "work")
    assert import_state(target, document_of(source)) == {"preferences": 1, "registrations": 2}


@pytest.mark.parametrize(
    "document", [None, [], "words", 5, {}, {"format": "rsspot.state/1"}, {"format": "rsspot.state/2", "parts": []}]
)
def test_an_invalid_document_is_refused(target: Database, document: Any) -> None:
    """This includes the format of a later version."""
    with pytest.raises(StateError, match="not a state export"):
        import_state(target, document)


@pytest.mark.parametrize(
    "invalid", [None, [], "words", {}, {"records": "leases"}, {"records": ["x"]}, {"records": "preferences"}]
)
def test_an_unknown_part_imports_nothing(source: Database, target: Database, invalid: Any) -> None:
    """The parts before it are not imported either."""
    document = document_of(source)
    document["parts"].append(invalid)
    with pytest.raises(StateError):
        import_state(target, document)
    assert exported_entries(target) == [{}, {}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status": "nowhere"}, "status"),
        ({"vm_uid": None}, "vm_uid"),
        ({"payload": "words"}, "payload"),
        ({"registration_key": "other"}, "'key' belongs to another machine"),
    ],
)
def test_an_invalid_record_imports_nothing(
    source: Database, target: Database, changes: dict[str, Any], message: str
) -> None:
    """The error names the entry and the field."""
    document = document_of(source)
    part(document, "registrations")["key"] |= changes
    with pytest.raises(StateError, match="'key'") as caught:
        import_state(target, document)
    assert message in str(caught.value)
    assert exported_entries(target) == [{}, {}]


def test_a_registration_store_has_the_methods_of_a_store(target: Database) -> None:
    """It gets, stores, lists and deletes records. The list is sorted and has no claims."""
    ledger = SqliteLedger(target)
    store = RegistrationStore(ledger)
    second = replace(MACHINE, registration_key="a", updated_at="2026-01-01T00:00:00.000+00:00")
    store.put_all({"a": second})
    ledger.discover(MACHINE)
    ledger.claim_registrations("me", ttl=60, limit=5)
    assert list(store.all()) == ["a", "key"]
    assert store.all()["a"] == second
    with pytest.raises(StateError, match="another machine"):
        store.put("b", second)
    assert store.get("b") is None
    assert store.delete("a") and not store.delete("a")
    assert list(store.all()) == ["key"]
