"""BaseStore: the interface to records of one type by key, with export and import. Opens no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from rsspot.errors import StateError
from rsspot.models.findings import findings
from rsspot.utils.clock import stamp, utc_now

T = TypeVar("T")
FORMAT = "rsspot.records/1"


class BaseStore(Protocol[T]):
    """What every store of records can do. Each write is atomic.

    Methods raise StateError if the store cannot be read or written, or contains an invalid record.
    """

    def get(self, key: str) -> T | None:
        """The record under a key, or None."""
        ...

    def put(self, key: str, record: T) -> None:
        """Store a record. Replaces a record with the same key."""
        ...

    def put_all(self, records: Mapping[str, T]) -> None:
        """Store all of these records, or none if one fails."""
        ...

    def delete(self, key: str) -> bool:
        """Delete a record. Returns False if there was none."""
        ...

    def all(self) -> dict[str, T]:
        """All records by key, sorted by key."""
        ...


@dataclass(frozen=True)
class Records(Generic[T]):
    """The type of a store's records, and its name in messages and exports. Pydantic validates the type."""

    name: str
    adapter: TypeAdapter[T]

    def dump(self, record: T) -> Any:
        """Convert a record to plain JSON values."""
        return self.adapter.dump_python(record, mode="json")

    def load(self, body: Any, where: str) -> T:
        """Validate plain values as a record. where: names the record in the StateError for an invalid one."""
        try:
            return self.adapter.validate_python(body)
        except ValidationError as error:
            raise StateError(f"{where}: invalid {self.name} record: {findings(error)[0]}") from None


def exported(records: Records[T], store: BaseStore[T]) -> dict[str, Any]:
    """Export all records of a store as one JSON document."""
    entries = {key: records.dump(record) for key, record in store.all().items()}
    return {"format": FORMAT, "records": records.name, "exportedAt": stamp(utc_now()), "entries": entries}


def imported(records: Records[T], store: BaseStore[T], document: Any, *, replace: bool = False) -> int:
    """Import an exported document into a store, all records or none. Returns how many are new or changed.

    Raises StateError for a document of another type or an invalid entry. Without `replace`, also raises it for an
    entry that would change an existing record.
    """
    if not isinstance(document, dict) or (document.get("format"), document.get("records")) != (FORMAT, records.name):
        raise StateError(f"this is not an export of {records.name}")
    entries = document.get("entries")
    if not isinstance(entries, dict):
        raise StateError("the export has no entries")
    loaded = {key: records.load(body, f"entry {key!r}") for key, body in entries.items()}
    before = store.all()
    changed = {key: record for key, record in loaded.items() if before.get(key) != record}
    conflicts = sorted(key for key in changed if key in before)
    if conflicts and not replace:
        raise StateError(f"{conflicts[0]!r} already exists with a different value", hint="import with --replace")
    store.put_all(changed)
    return len(changed)
