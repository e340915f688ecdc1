"""The machines that registration has started for: found by any name of theirs, and what was asked about each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rsspot.errors import UsageError, not_found
from rsspot.state.ledger.registration_history import QuestionRecord, RegistrationHistory
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus
from rsspot.utils.serialization import Document
from rsspot.utils.text import did_you_mean

SHORTEST_BEGINNING = 3
"""Characters from which on the beginning of a name may stand for it."""
ADDRESS = "vmregistration"


def machine_called(ledger: RegistrationHistory, word: str) -> RegistrationRecord:
    """The machine of a name: VM name, UID, registration key, `vmcloudspace/name`, its address, or how one begins.

    Raises NotFound if there is none, and UsageError for several.
    """
    records = ledger.registrations()
    wanted = word.removeprefix(f"{ADDRESS}/")
    found = [each for each in records if wanted in _names(each)]
    if not found and len(wanted) >= SHORTEST_BEGINNING:
        found = [each for each in records if any(name.startswith(wanted) for name in _names(each))]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(sorted(f"{each.vmcloudspace}/{each.vm_name or each.vm_uid}" for each in found)[:5])
        raise UsageError(f"{word!r} is the name of {len(found)} machines", hint=f"name one: {listed}")
    hint = did_you_mean(wanted, sorted({name for each in records for name in _names(each)}))
    raise not_found(f"no machine {word!r} is on record", hint=hint or "list them with `rsspot registrations list`")


def machines_called(ledger: RegistrationHistory, words: Sequence[str]) -> list[RegistrationRecord]:
    """The machines of these names, each once. Raises NotFound and UsageError, see above."""
    return [*{each.registration_key: each for each in (machine_called(ledger, word) for word in words)}.values()]


def summary_of(ledger: RegistrationHistory, record: RegistrationRecord) -> dict[str, Any]:
    """A machine in one row: how far it is, and what the last question about it was."""
    progress, questions = ledger.progress(record.registration_key), ledger.questions(record.registration_key)
    done = record.status is RegistrationStatus.REGISTERED
    return {
        "vm_name": record.vm_name or record.vm_uid,
        "vmcloudspace": record.vmcloudspace,
        "omni_cluster": record.omni_cluster,
        "status": record.status.value,
        "failures": progress.failures,
        "last_question": _told(questions[-1]) if questions else None,
        "retry_at": progress.retry_at,
        # An error of an earlier attempt says nothing about a machine that is registered by now.
        "last_error": None if done else record.last_error,
        "missing_since": progress.missing_since,
        "passed_over": progress.passed_over,
        "vm_uid": record.vm_uid,
        "token_id": record.token_id,
        "claimed_by": record.claimed_by,
        "updated_at": record.updated_at,
    }


def described(ledger: RegistrationHistory, record: RegistrationRecord) -> Document:
    """Everything on record about a machine."""
    questions = ledger.questions(record.registration_key)
    return {
        "machine": asdict(record),
        "progress": asdict(ledger.progress(record.registration_key)),
        "asked": asked_how_often(questions),
        "questions": [{**asdict(each), "answered": each.answered} for each in questions],
    }


def asked_how_often(questions: Sequence[QuestionRecord]) -> dict[str, int]:
    """How often each question was asked, also where not every attempt is kept."""
    counts: Counter[str] = Counter()
    for each in questions:
        counts[each.question] = max(counts[each.question], each.attempt)
    return dict(counts)


def _told(asked: QuestionRecord) -> str:
    """A question in a few words: `submit #2 unanswered`."""
    outcome = (asked.outcome or "not ended").partition(":")[0]
    return f"{asked.question} #{asked.attempt} {outcome}"


def _names(record: RegistrationRecord) -> Iterator[str]:
    """Every name that a machine may be called by."""
    yield record.registration_key
    for name in filter(None, {record.vm_uid, record.vm_name}):
        yield name
        yield f"{record.vmcloudspace}/{name}"
