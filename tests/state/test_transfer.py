"""Moving a state.db to another machine: everything that may move, all or none of it, and no secret."""

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

CANARY = "canary-never-to-be-moved"
MACHINE = RegistrationRecord("key", "uid", "org", "group", "omni", vm_name="vm", payload={"ipAddress": "10.0.0.1"})


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Database]:
    """A state.db with something in every table that moves, and in those that stay."""
    database = Database(tmp_path / "here.db", durable=False)
    fill(database)
    yield database
    database.close()


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Database]:
    """A new state.db."""
    database = Database(tmp_path / "there.db", durable=False)
    yield database
    database.close()


def fill(database: Database) -> None:
    """Preferences and a registration that got far; and what stays where it is."""
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
    """An export, as it is after having been a file."""
    found: dict[str, Any] = json.loads(json.dumps(export_state(database)))
    return found


def part(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The entries of one part."""
    (found,) = (each for each in document["parts"] if each["records"] == name)
    entries: dict[str, Any] = found["entries"]
    return entries


def moved(database: Database) -> list[Any]:
    """What a database has of what can be moved."""
    return [each["entries"] for each in export_state(database)["parts"]]


def test_all_that_moves_arrives_as_it_was(here: Database, there: Database) -> None:
    """With the status, the token's id, its expiry, the error and the times."""
    assert import_state(there, document_of(here)) == {"preferences": 2, "registrations": 2}
    assert moved(there) == moved(here)
    assert preferences_of(there).of("work") == {"region": "dfw"}
    before, after = SqliteLedger(here).registration("key"), SqliteLedger(there).registration("key")
    assert before is not None and after == replace(before, claimed_by=None, claimed_until=None)
    assert (after.status, after.token_id, after.last_error) == (RegistrationStatus.FAILED, "t1", "no")
    assert import_state(there, document_of(here)) == {"preferences": 0, "registrations": 0}


def test_caches_histories_and_claims_stay(here: Database, there: Database) -> None:
    """They say what somebody did or saw here."""
    document = document_of(here)
    assert CANARY not in json.dumps(document)
    assert {each["records"] for each in document["parts"]} == {"preferences", "registrations"}
    import_state(there, document)
    assert History(there).entries() == []
    assert len(SqliteLedger(there).claim_registrations("anybody", ttl=60, limit=10)) == 2


def test_an_empty_state_moves_too(here: Database, there: Database) -> None:
    """It takes nothing away."""
    before = moved(here)
    assert import_state(here, document_of(there)) == {"preferences": 0, "registrations": 0}
    assert moved(here) == before


@pytest.mark.parametrize("table", ["preferences", "registrations"])
def test_a_clash_in_any_part_keeps_every_part_out(here: Database, there: Database, table: str) -> None:
    """Unless replacing was asked for."""
    if table == "preferences":
        preferences_of(there).remember("region", "iad", "work")
    else:
        SqliteLedger(there).discover(MACHINE)
    before = moved(there)
    with pytest.raises(StateError, match="is there already") as caught:
        import_state(there, document_of(here))
    assert caught.value.hint == "import with --replace"
    assert moved(there) == before
    assert import_state(there, document_of(here), replace=True) == {"preferences": 2, "registrations": 2}
    assert moved(there) == moved(here)


def test_what_is_equal_is_no_clash(here: Database, there: Database) -> None:
    """Only what says something else is."""
    preferences_of(there).remember("region", "dfw", "work")
    assert import_state(there, document_of(here)) == {"preferences": 1, "registrations": 2}


@pytest.mark.parametrize(
    "document", [None, [], "words", 5, {}, {"format": "rsspot.state/1"}, {"format": "rsspot.state/2", "parts": []}]
)
def test_garbage_is_refused(there: Database, document: Any) -> None:
    """So is what a later version wrote."""
    with pytest.raises(StateError, match="not an exported state"):
        import_state(there, document)


@pytest.mark.parametrize(
    "strange", [None, [], "words", {}, {"records": "leases"}, {"records": ["x"]}, {"records": "preferences"}]
)
def test_a_part_that_is_not_known_keeps_every_part_out(here: Database, there: Database, strange: Any) -> None:
    """Also the ones before it."""
    document = document_of(here)
    document["parts"].append(strange)
    with pytest.raises(StateError):
        import_state(there, document)
    assert moved(there) == [{}, {}]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "nowhere"}, "status"),
        ({"vm_uid": None}, "vm_uid"),
        ({"payload": "words"}, "payload"),
        ({"registration_key": "other"}, "'key' is of another machine"),
    ],
)
def test_a_record_that_is_none_keeps_every_part_out(
    here: Database, there: Database, changes: dict[str, Any], said: str
) -> None:
    """The entry is named, and so is the field."""
    document = document_of(here)
    part(document, "registrations")["key"] |= changes
    with pytest.raises(StateError, match="'key'") as caught:
        import_state(there, document)
    assert said in str(caught.value)
    assert moved(there) == [{}, {}]


def test_a_registration_store_is_a_store(there: Database) -> None:
    """It gets, puts, tells in order and forgets, without the claims."""
    ledger = SqliteLedger(there)
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
