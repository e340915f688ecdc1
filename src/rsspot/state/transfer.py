"""Moves preferences and registrations between state.db files. Leases, runs, history and caches are not moved."""

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
    """The registrations of a ledger as a store. See `state.base_store.BaseStore`."""

    def __init__(self, ledger: RegistrationLedger) -> None:
        self._ledger = ledger

    def get(self, key: str) -> RegistrationRecord | None:
        return self._ledger.registration(key)

    def put(self, key: str, record: RegistrationRecord) -> None:
        self.put_all({key: record})

    def put_all(self, records: Mapping[str, RegistrationRecord]) -> None:
        misfiled = [key for key, record in records.items() if record.registration_key != key]
        if misfiled:
            raise StateError(f"the record under {misfiled[0]!r} belongs to another machine")
        self._ledger.put_registrations(records.values())

    def delete(self, key: str) -> bool:
        return self._ledger.forget_registration(key)

    def all(self) -> dict[str, RegistrationRecord]:
        records = {record.registration_key: record for record in self._ledger.registrations()}
        # Claims name local workers. They mean nothing on another machine.
        return {key: replace(records[key], claimed_by=None, claimed_until=None) for key in sorted(records)}


def export_state(database: Database) -> dict[str, Any]:
    """Export preferences and registrations as one JSON document."""
    ledger = SqliteLedger(database)
    ledger.take_over()
    parts = [
        exported(preferences.RECORDS, _preferences(database)),
        exported(REGISTRATIONS, RegistrationStore(ledger)),
    ]
    return {"format": FORMAT, "parts": parts}


def import_state(database: Database, document: Any, *, replace: bool = False) -> dict[str, int]:
    """Import an exported document. Returns how many records of each part are new or changed.

    Raises StateError if any part cannot be imported. Then nothing is imported.
    """
    if (
        not isinstance(document, dict)
        or document.get("format") != FORMAT
        or not isinstance(document.get("parts"), list)
    ):
        raise StateError("this is not a state export")
    imported_counts = {}
    with database.transaction():
        for part in document["parts"]:
            name = part.get("records") if isinstance(part, dict) else None
            if name == preferences.RECORDS.name:
                imported_counts[name] = imported(preferences.RECORDS, _preferences(database), part, replace=replace)
            elif name == REGISTRATIONS.name:
                store = RegistrationStore(SqliteLedger(database))
                imported_counts[name] = imported(REGISTRATIONS, store, part, replace=replace)
            else:
                raise StateError(f"the export contains {name!r}, which this version does not support")
    return imported_counts


def _preferences(database: Database) -> SqliteStore[str]:
    return SqliteStore(database, "preferences", preferences.RECORDS)
