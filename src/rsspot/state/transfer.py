"""What of a state.db can be moved to another machine, as stores. Leases, journals and caches stay where they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from rsspot.errors import StateError
from rsspot.state import preferences
from rsspot.state.base_store import Records, exported, imported
from rsspot.state.database import Database
from rsspot.state.ledger.registrations import RegistrationLedger, RegistrationRecord
from rsspot.state.ledger.sqlite import SqliteLedger
from rsspot.state.sqlite_store import SqliteStore

FORMAT = "rsspot.state/1"
REGISTRATIONS = Records("registrations", TypeAdapter(RegistrationRecord))


class RegistrationStore:
    """The registration ledger as a store. See `state.store.BaseStore`."""

    def __init__(self, ledger: RegistrationLedger) -> None:
        self._ledger = ledger

    def get(self, key: str) -> RegistrationRecord | None:
        return self._ledger.registration(key)

    def put(self, key: str, record: RegistrationRecord) -> None:
        self.put_all({key: record})

    def put_all(self, records: Mapping[str, RegistrationRecord]) -> None:
        misfiled = [key for key, record in records.items() if record.registration_key != key]
        if misfiled:
            raise StateError(f"the record under {misfiled[0]!r} is of another machine")
        self._ledger.put_registrations(records.values())

    def delete(self, key: str) -> bool:
        return self._ledger.forget_registration(key)

    def all(self) -> dict[str, RegistrationRecord]:
        found = {record.registration_key: record for record in self._ledger.registrations()}
        # Who is at work on it here is nobody's business elsewhere.
        return {key: replace(found[key], claimed_by=None, claimed_until=None) for key in sorted(found)}


def export_state(database: Database) -> dict[str, Any]:
    """Preferences and registrations of a state.db as one JSON document."""
    parts = [
        exported(preferences.RECORDS, _preferences(database)),
        exported(REGISTRATIONS, RegistrationStore(SqliteLedger(database))),
    ]
    return {"format": FORMAT, "parts": parts}


def import_state(database: Database, document: Any, *, replace: bool = False) -> dict[str, int]:
    """Put an exported document into a state.db; gives how many records of each part are new or other than before.

    Raises StateError, and then nothing of any part was taken over.
    """
    if (
        not isinstance(document, dict)
        or document.get("format") != FORMAT
        or not isinstance(document.get("parts"), list)
    ):
        raise StateError("this is not an exported state")
    taken = {}
    with database.transaction():
        for part in document["parts"]:
            name = part.get("records") if isinstance(part, dict) else None
            if name == preferences.RECORDS.name:
                taken[name] = imported(preferences.RECORDS, _preferences(database), part, replace=replace)
            elif name == REGISTRATIONS.name:
                store = RegistrationStore(SqliteLedger(database))
                taken[name] = imported(REGISTRATIONS, store, part, replace=replace)
            else:
                raise StateError(f"the export holds {name!r}, which this version does not know")
    return taken


def _preferences(database: Database) -> SqliteStore[str]:
    return SqliteStore(database, "preferences", preferences.RECORDS)
