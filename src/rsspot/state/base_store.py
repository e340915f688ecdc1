"""BaseStore: records of one type by key, wherever they are kept, and moving them between stores. Opens no file."""

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
    """What every store of records can do. Each write is whole when it returns, or has not happened.

    Raises StateError when it cannot be read or written, or holds what is not a record of its type.
    """

    def get(self, key: str) -> T | None:
        """One record, or None."""
        ...

    def put(self, key: str, record: T) -> None:
        """Keep a record, in the place of one with the same key."""
        ...

    def put_all(self, records: Mapping[str, T]) -> None:
        """Keep all of these records or none."""
        ...

    def delete(self, key: str) -> bool:
        """Forget a record; False when there was none."""
        ...

    def all(self) -> dict[str, T]:
        """Every record, by key, in the order of the keys."""
        ...


@dataclass(frozen=True)
class Records(Generic[T]):
    """What the records of a store are: a name for people and files, and their type, which pydantic checks."""

    name: str
    adapter: TypeAdapter[T]

    def dump(self, record: T) -> Any:
        """A record as plain values."""
        return self.adapter.dump_python(record, mode="json")

    def load(self, body: Any, where: str) -> T:
        """A record from plain values. Raises StateError, naming the place and the field."""
        try:
            return self.adapter.validate_python(body)
        except ValidationError as error:
            raise StateError(f"{where} is not one of the {self.name}: {findings(error)[0]}") from None


def exported(records: Records[T], store: BaseStore[T]) -> dict[str, Any]:
    """Every record of a store as one JSON document."""
    found = {key: records.dump(record) for key, record in store.all().items()}
    return {"format": FORMAT, "records": records.name, "exportedAt": stamp(utc_now()), "entries": found}


def imported(records: Records[T], store: BaseStore[T], document: Any, *, replace: bool = False) -> int:
    """Put an exported document's records into a store, all or none; gives how many are new or other than before.

    Raises StateError for a document of another kind, an entry that is no record, or, without `replace`, one that
    would overwrite another record.
    """
    if not isinstance(document, dict) or (document.get("format"), document.get("records")) != (FORMAT, records.name):
        raise StateError(f"this is not an export of {records.name}")
    entries = document.get("entries")
    if not isinstance(entries, dict):
        raise StateError("the export has no entries")
    found = {key: records.load(body, f"entry {key!r}") for key, body in entries.items()}
    before = store.all()
    fresh = {key: record for key, record in found.items() if before.get(key) != record}
    clashing = sorted(key for key in fresh if key in before)
    if clashing and not replace:
        raise StateError(f"{clashing[0]!r} is there already and says something else", hint="import with --replace")
    store.put_all(fresh)
    return len(fresh)
