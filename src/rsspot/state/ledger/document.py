"""A whole ledger as one JSON document, `rsspot.ledger/1`: what it holds, and whether a given one can be used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from rsspot.errors import StateError
from rsspot.state.ledger.protocol import AttemptRecord, OwnedObject, RunRecord, StepRecord
from rsspot.state.ledger.registrations import RegistrationRecord
from rsspot.state.ledger.rows import LARGEST_FENCE, LARGEST_RUN
from rsspot.utils.serialization import Document, digest

SCHEMA = "rsspot.ledger/1"
CLOSED_TO_OTHERS = {"extra": "forbid"}
"""Tells pydantic that members it does not know are refused: they would be lost."""


@dataclass(frozen=True)
class StepEntry(StepRecord):
    """A step with its attempts."""

    __pydantic_config__ = CLOSED_TO_OTHERS

    attempts: tuple[AttemptRecord, ...] = ()


@dataclass(frozen=True)
class RunEntry(RunRecord):
    """A run with its plan and steps. fence: of the lease that it had"""

    __pydantic_config__ = CLOSED_TO_OTHERS

    fence: int = 0
    plan: dict[str, Any] = field(default_factory=dict)
    steps: tuple[StepEntry, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OwnedEntry(OwnedObject):
    """An owned object with its scope. run: the one that made or changed it last; None if that is not on record"""

    __pydantic_config__ = CLOSED_TO_OTHERS

    scope: str
    run: int | None


@dataclass(frozen=True)
class LedgerContent:
    """Everything in a ledger but its leases, which are about processes of one machine."""

    __pydantic_config__ = CLOSED_TO_OTHERS

    runs: tuple[RunEntry, ...] = ()
    owned: tuple[OwnedEntry, ...] = ()
    registrations: tuple[RegistrationRecord, ...] = ()


def dump_ledger(content: LedgerContent) -> Document:
    """The content as a document: the same content gives the same one."""
    from pydantic import TypeAdapter

    # Claims name local workers. They mean nothing on another machine.
    free = tuple(replace(each, claimed_by=None, claimed_until=None) for each in content.registrations)
    written: Document = TypeAdapter(LedgerContent).dump_python(replace(content, registrations=free), mode="json")
    document = {"schema": SCHEMA, **written}
    return {**document, "digest": digest(document)}


def load_ledger(document: Any) -> LedgerContent:
    """The content of a document. Raises StateError for a foreign or damaged one, with the place."""
    from pydantic import TypeAdapter, ValidationError

    from rsspot.models.findings import findings

    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise StateError(f"this is not an exported ledger: its schema is not {SCHEMA}")
    try:
        body = {name: value for name, value in document.items() if name not in ("schema", "digest")}
        content: LedgerContent = TypeAdapter(LedgerContent).validate_python(body)
    except ValidationError as error:
        raise StateError(f"the exported ledger is damaged: {findings(error)[0]}") from None
    if problem := next(_contradictions(content), None):
        raise StateError(f"the exported ledger is damaged: {problem}")
    if document.get("digest") != digest({"schema": SCHEMA, **body}):
        raise StateError("the exported ledger was changed after it was written", hint="export it again")
    return content


def _contradictions(content: LedgerContent) -> Iterator[str]:
    """What would make two records one, leave one without the record that it belongs to, or be refused when read."""
    runs = {run.id for run in content.runs}
    yield from _repeated("runs", (run.id for run in content.runs))
    for index, run in enumerate(content.runs):
        yield from _odd_run(f"runs.{index}", run)
    yield from _repeated("owned", ((owned.scope, *owned.ref) for owned in content.owned))
    for index, owned in enumerate(content.owned):
        if owned.run is not None and owned.run not in runs:
            yield f"owned.{index}.run: there is no run {owned.run}"
    yield from _repeated("registrations", (each.registration_key for each in content.registrations))


def _odd_run(place: str, run: RunEntry) -> Iterator[str]:
    if not 0 < run.id < LARGEST_RUN:
        yield f"{place}.id: {run.id} is no number of a run"
    if not 0 <= run.fence < LARGEST_FENCE:
        yield f"{place}.fence: {run.fence} is no fence"
    yield from (f"{place}: {text!r} is no time" for text in odd_times(run.started_at, run.ended_at))
    yield from _repeated(f"{place}.steps", (step.seq for step in run.steps))
    for index, step in enumerate(run.steps):
        attempts = f"{place}.steps.{index}.attempts"
        yield from _repeated(attempts, (attempt.number for attempt in step.attempts))
        for attempt in step.attempts:
            yield from (f"{attempts}: {text!r} is no time" for text in odd_times(attempt.sent_at, attempt.ended_at))
            if attempt.seq != step.seq:
                yield f"{attempts}: one is of step {attempt.seq}"


def odd_times(*times: str | None) -> Iterator[str]:
    """Those of these texts that are no times."""
    for text in times:
        try:
            if text is not None:
                datetime.fromisoformat(text)
        except ValueError:
            yield str(text)


def _repeated(place: str, keys: Iterable[object]) -> Iterator[str]:
    seen: set[object] = set()
    for index, key in enumerate(keys):
        if key in seen:
            yield f"{place}.{index}: {key} is there already"
        seen.add(key)
