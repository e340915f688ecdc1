"""Rows of a ledger as records. What rsspot did not write is refused by name, never half understood."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from rsspot.errors import StateError
from rsspot.state.failures import AWAY
from rsspot.state.ledger.plans import MADE_BY, unpacked
from rsspot.state.ledger.protocol import AttemptRecord, Lease, OwnedObject, RunRecord, StepRecord, StepState
from rsspot.utils.reading import parse_json

R = TypeVar("R")
Row = Any
"""A row of any database: columns by name, and `dict(row)`."""
LARGEST_PID = 2**31 - 1
LARGEST_FENCE = 2**53
LARGEST_RUN = 2**53


class Rows:
    """Reads the rows of one database. name: what errors call it"""

    def __init__(self, name: str) -> None:
        self._name = name

    def lease(self, row: Row) -> Lease | None:
        """The lease of a row; None if it was released."""
        with self._reading(f"the lease of {row['scope']}"):
            if not row["holder"]:
                return None
            who = {name: row[name] for name in ("host", "pid", "process", "job")}
            lease = _record(Lease, {**dict(row), "holder": {"name": row["holder"], **who}})
            if lease.expires_at.tzinfo is None or not 0 < lease.holder.pid <= LARGEST_PID:
                raise ValueError
            return lease

    def fence(self, row: Row) -> int:
        """The fence of a lease, also of one that was released."""
        with self._reading(f"the lease of {row['scope']}"):
            fence = int(row["fence"])
            if not 0 <= fence < LARGEST_FENCE:
                raise ValueError
            return fence

    def run(self, row: Row) -> RunRecord:
        """A run."""
        with self._reading(f"run {row['id']!r}"):
            if not 0 < row["id"] < LARGEST_RUN:
                raise ValueError
            return _record(RunRecord, {**dict(row), "made_by": _made_by(row)})

    def plan(self, row: Row) -> dict[str, Any]:
        """The plan of a run."""
        with self._reading(f"the plan of run {row['id']!r}"):
            return unpacked(row["plan_json"])

    def step(self, row: Row) -> StepRecord:
        """A step of a run."""
        with self._reading(f"step {row['seq']!r} of run {row['run_id']!r}"):
            return _record(StepRecord, {**dict(row), "ref": (row["kind"], row["name"])})

    def state(self, row: Row) -> StepState:
        """The state of a step."""
        with self._reading(f"step {row['seq']!r} of run {row['run_id']!r}"):
            return StepState(row["state"])

    def attempt(self, row: Row) -> AttemptRecord:
        """An attempt of a step."""
        with self._reading(f"attempt {row['number']!r} of step {row['seq']!r}"):
            return _record(AttemptRecord, dict(row))

    def owned(self, row: Row) -> OwnedObject:
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
                f"cannot read {what} in {self._name}: it was not written by rsspot",
                hint=AWAY,
            ) from None


def _made_by(row: Row) -> Any:
    """Who started a run. Of a run of an earlier version, it is beside the plan."""
    if row["made_by"] is not None:
        return parse_json(row["made_by"])
    return unpacked(row["plan_json"]).get(MADE_BY) or {}


def _record(cls: type[R], values: Mapping[str, Any]) -> R:
    """A record with every value checked to be of its type. Raises ValueError."""
    hashable: Any = cls
    record: R = _adapter(hashable).validate_python(values)
    return record


@functools.cache
def _adapter(cls: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(cls)
