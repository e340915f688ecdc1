"""RegistrationHistory: the questions that registrars were asked about machines, and how far each machine got.

Defines records and a protocol, but no SQL and no rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rsspot.state.ledger.registration_progress import RegistrationProgress
from rsspot.state.ledger.registrations import RegistrationLedger, RegistrationRecord, RegistrationStatus

ANSWERED = "answered"
"""The outcome of a question that was answered. Any other outcome is `refused` or `unanswered`, with a reason."""
REFUSED = "refused"
UNANSWERED = "unanswered"
MOST_KEPT = 20
"""How many of the latest attempts at each question are kept for a machine."""


@dataclass(frozen=True)
class QuestionRecord:
    """One question about one machine. attempt: how often it was asked by then, also of those no longer kept.

    process: the program that was asked, as `utils.process.name_of` names it · ended_at, outcome: None while it is
    asked, or if whoever asked it was killed
    """

    registration_key: str
    question: str
    attempt: int
    idempotency_key: str
    worker: str
    asked_at: str
    process: str | None = None
    ended_at: str | None = None
    outcome: str | None = None

    @property
    def answered(self) -> bool:
        """Whether it is known what the registrar did: it succeeded, or refused."""
        return self.outcome is not None and not self.outcome.startswith(UNANSWERED)


class RegistrationHistory(RegistrationLedger, Protocol):
    """The record of all machine registrations, with what was asked about each machine, and what follows from it."""

    def progress(self, key: str) -> RegistrationProgress:
        """The progress of a machine; that of a new one if nothing is on record."""
        ...

    def progresses(self) -> dict[str, RegistrationProgress]:
        """The progress of all machines that have one on record."""
        ...

    def questions(self, key: str) -> list[QuestionRecord]:
        """The questions that are kept of a machine, in the order in which they were asked."""
        ...

    def ask(self, key: str, question: str, identity: Callable[[int], str], worker: str) -> QuestionRecord:
        """Record that a question is about to be asked. Durable when it returns.

        identity: the idempotency key of an attempt
        """
        ...

    def asked_by(self, asked: QuestionRecord, process: str) -> None:
        """Record the program that a question is put to, before it is told the question."""
        ...

    def end_question(self, asked: QuestionRecord, outcome: str) -> None:
        """Record what became of a question. One that has ended keeps its outcome."""
        ...

    def answer(
        self,
        asked: QuestionRecord,
        *statuses: RegistrationStatus,
        token_id: str | None = None,
        token_expires_at: str | None = None,
    ) -> RegistrationRecord:
        """End a question as answered and move the machine through these statuses, both or none. See `advance`."""
        ...

    def fail(
        self, asked: QuestionRecord, outcome: str, error: str, *, retry_at: datetime, restart: bool = False
    ) -> RegistrationProgress:
        """End a question with a failure, mark the machine as failed and count that, all or nothing.

        restart: whether the next attempt has to begin from the start
        """
        ...

    def resume(self, key: str, worker: str | None = None) -> RegistrationRecord:
        """Return a failed machine to the status from which it failed. Raises StateError."""
        ...

    def restart(self, key: str, worker: str | None = None) -> RegistrationRecord:
        """Return an unfinished machine to the first status, with other idempotency keys. Raises StateError.

        When its token expires is forgotten, since the next one may not say.
        """
        ...

    def retry(self, key: str, *, anew: bool = False) -> RegistrationRecord:
        """By hand: allow the next attempts at a machine that is not registered. anew: from the start

        Raises StateError for a registered machine, and for one that a worker is at.
        """
        ...

    def pass_over(self, key: str) -> RegistrationRecord:
        """By hand: do not register a machine until it is retried.

        Raises StateError for a registered machine, and for one that a worker is at.
        """
        ...

    def retire_gone(self, key: str) -> bool:
        """Retire a registered machine if two reads apart have missed it. Returns False otherwise."""
        ...

    def sighted(self, *, found: Iterable[str] = (), missing: Iterable[str] = (), now: datetime) -> None:
        """Record which registered machines a read of the live objects found, and which it missed."""
        ...
