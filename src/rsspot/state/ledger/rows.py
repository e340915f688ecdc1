"""Rows of a SQLite ledger as records. What rsspot did not write is refused by name, never half understood."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from rsspot.errors import StateError
from rsspot.state.ledger.protocol import AttemptRecord, Lease, OwnedObject, RunRecord, StepRecord
from rsspot.utils.reading import parse_json

R = TypeVar("R")
LARGEST_PID = 2**31 - 1
LARGEST_FENCE = 2**53


class Rows:
    """Reads the rows of one file. path: named in errors."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def lease(self, row: sqlite3.Row) -> Lease | None:
        """The lease of a row; None if it was released."""
        with self._reading(f"the lease of {row['scope']}"):
            if not row["holder"]:
                return None
            who = {name: row[name] for name in ("host", "pid", "process", "job")}
            lease = _record(Lease, {**dict(row), "holder": {"name": row["holder"], **who}})
            if lease.expires_at.tzinfo is None or not 0 < lease.holder.pid <= LARGEST_PID:
                raise ValueError
            return lease

    def fence(self, row: sqlite3.Row) -> int:
        """The fence of a lease, also of one that was released."""
        with self._reading(f"the lease of {row['scope']}"):
            fence = int(row["fence"])
            if not 0 <= fence < LARGEST_FENCE:
                raise ValueError
            return fence

    def run(self, row: sqlite3.Row) -> RunRecord:
        """A run."""
        with self._reading(f"run {row['id']!r}"):
            return _record(RunRecord, dict(row))

    def plan(self, row: sqlite3.Row) -> dict[str, Any]:
        """The plan of a run."""
        with self._reading(f"the plan of run {row['id']!r}"):
            document = parse_json(row["plan_json"])
            if not isinstance(document, dict):
                raise ValueError
            return document

    def step(self, row: sqlite3.Row) -> StepRecord:
        """A step of a run."""
        with self._reading(f"step {row['seq']!r} of run {row['run_id']!r}"):
            return _record(StepRecord, {**dict(row), "ref": (row["kind"], row["name"])})

    def attempt(self, row: sqlite3.Row) -> AttemptRecord:
        """An attempt of a step."""
        with self._reading(f"attempt {row['number']!r} of step {row['seq']!r}"):
            return _record(AttemptRecord, dict(row))

    def owned(self, row: sqlite3.Row) -> OwnedObject:
        """An object of a stack."""
        with self._reading(f"the record of {row['kind']}/{row['name']}"):
            applied = parse_json(row["applied_json"])
            return _record(OwnedObject, {**dict(row), "ref": (row["kind"], row["name"]), "applied": applied})

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        try:
            yield
        except (ValueError, TypeError, OverflowError):
            raise StateError(
                f"cannot read {what} in {self._path}: it was not written by rsspot",
                hint="restore the file from a backup, or move it away: a plan needs no ledger",
            ) from None


def _record(cls: type[R], values: Mapping[str, Any]) -> R:
    """A record with every value checked to be of its type. Raises ValueError."""
    hashable: Any = cls
    record: R = _adapter(hashable).validate_python(values)
    return record


@functools.cache
def _adapter(cls: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(cls)
