"""JsonStore: keeps records in one readable JSON file. Every write replaces the file atomically."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from rsspot.errors import StateError
from rsspot.state.base_store import FORMAT, Records
from rsspot.utils.files import file_lock, write_private
from rsspot.utils.reading import MOST_BYTES, parse_json, read_text, reason

T = TypeVar("T")


class JsonStore(Generic[T]):
    """See `state.base_store.BaseStore` for the methods.

    Every call reads the whole file, so this suits hundreds of records, not millions.
    """

    def __init__(self, path: Path, records: Records[T]) -> None:
        self._path = path
        self._records = records

    def get(self, key: str) -> T | None:
        return self.all().get(key)

    def put(self, key: str, record: T) -> None:
        self.put_all({key: record})

    def put_all(self, records: Mapping[str, T]) -> None:
        self._change(lambda before: {**before, **records})

    def delete(self, key: str) -> bool:
        existed = False

        def without(before: dict[str, T]) -> dict[str, T]:
            nonlocal existed
            existed = key in before
            return {other: record for other, record in before.items() if other != key}

        self._change(without)
        return existed

    def all(self) -> dict[str, T]:
        try:
            document = parse_json(read_text(self._path))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise StateError(f"cannot read {self._path}: {reason(error)}") from None
        kind = (document.get("format"), document.get("records")) if isinstance(document, dict) else None
        entries = document.get("entries") if isinstance(document, dict) else None
        if kind != (FORMAT, self._records.name) or not isinstance(entries, dict):
            raise StateError(f"{self._path} does not contain {self._records.name}")
        where = str(self._path)
        return {key: self._records.load(body, f"{where}: {key!r}") for key, body in sorted(entries.items())}

    def _change(self, change: Callable[[dict[str, T]], dict[str, T]]) -> None:
        try:
            with file_lock(self._path):
                before = self.all()
                after = change(before)
                if after != before:
                    self._write(after)
        except OSError as error:
            raise StateError(f"cannot write {self._path}: {error.strerror}") from None

    def _write(self, records: Mapping[str, T]) -> None:
        entries = {key: self._records.dump(record) for key, record in sorted(records.items())}
        document = {"format": FORMAT, "records": self._records.name, "entries": entries}
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        if len(text.encode()) > MOST_BYTES:
            raise StateError(f"{self._path} would become larger than can be read; use state.db instead")
        write_private(self._path, text)
