"""Walk: takes one machine through its states, by the questions that its registrar answers.

status        question      answered             refused                    unanswered
discovered    issue_token   token_issued         failed                     failed
token_issued  submit        submitted            failed                     failed
submitted     confirm       registered           failed; from the start if  failed
                                                 the token has expired
failed        none          returns to the status from which it failed, after a pause that doubles with each failure

So a question is asked again only until it is answered, and what was answered is not asked again. The idempotency key of
a question that changes something stays the same until the machine begins from the start: a registrar that did what it
was asked and could not say so recognizes it. A token that has expired is never submitted; the machine begins from the
start. Whether it has expired does not matter before `confirm`, since the machine may have used it in time.
"""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from rsspot.errors import RsspotError
from rsspot.services.registrations.questions import (
    CONFIRM,
    FIND,
    ISSUE_TOKEN,
    LOOK_EVERY,
    SUBMIT,
    Terms,
    checked,
    idempotency_key,
    message_of,
    token_has_expired,
    while_permitted,
)
from rsspot.services.registrations.registrars.protocol import Question, RegistrarFailed, RegistrarSilent
from rsspot.state.ledger.registration_history import REFUSED, UNANSWERED, QuestionRecord
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus
from rsspot.utils.process import end_group
from rsspot.utils.serialization import Document

_S = RegistrationStatus
QUESTIONS = {
    _S.DISCOVERED: (ISSUE_TOKEN, _S.TOKEN_ISSUED),
    _S.TOKEN_ISSUED: (SUBMIT, _S.SUBMITTED),
    _S.SUBMITTED: (CONFIRM, _S.REGISTERED),
}
"""The current status -> the question that the registrar is asked, and the next status."""
CLAIM_SLACK = 60.0
"""Seconds that a claim lasts longer than what it is for."""
LONGEST_LOOK_PAUSE = 5.0
"""Seconds between two looks whether another worker has done with a machine."""


async def register(key: str, terms: Terms) -> RegistrationRecord:
    """Register a discovered machine, from the status that earlier attempts reached.

    Raises RegistrarFailed when it is beyond its limit of failures, or another worker is at it for too long; and what
    `permit` raises, with nothing left running.
    """
    return await _Walk(key, terms).to_its_end()


class _Walk:
    """One machine on its way, claimed by one worker."""

    def __init__(self, key: str, terms: Terms) -> None:
        self._key, self._terms = key, terms
        self._ledger = terms.ledger

    async def to_its_end(self) -> RegistrationRecord:
        record = await self._claimed()
        try:
            while record.status is not _S.REGISTERED:
                record = await self._next(record)
            return record
        finally:
            self._ledger.release_registration(self._key, self._terms.worker)

    # Claims

    async def _claimed(self) -> RegistrationRecord:
        """The record, once this worker has claimed the machine, or another one has registered it."""
        self._ledger.retire_gone(self._key)
        ttl, waited, pause = self._terms.timeout + CLAIM_SLACK, 0.0, LOOK_EVERY
        while not (claimed := self._ledger.claim_registrations(self._terms.worker, key=self._key, ttl=ttl)):
            record = self._ledger.registration(self._key)
            if record is not None and record.status is _S.REGISTERED:
                return record
            if waited >= ttl:
                raise RegistrarFailed("another worker is currently registering this machine")
            await self._pause(pause)
            waited, pause = waited + pause, min(pause * 2, LONGEST_LOOK_PAUSE)
        self._end_what_was_left()
        return claimed[0]

    def _end_what_was_left(self) -> None:
        """Kill the program that a worker which is no more had asked, so that it does not run beside its successor."""
        for asked in self._ledger.questions(self._key):
            if asked.ended_at is None:
                if asked.process:
                    end_group(asked.process)
                self._ledger.end_question(asked, f"{UNANSWERED}: rsspot ended while it was asked")

    def _renew(self, seconds: float) -> None:
        """Keep the claim for what comes next. Raises RegistrarFailed if another worker has it by now."""
        ttl = seconds + CLAIM_SLACK
        if not self._ledger.claim_registrations(self._terms.worker, key=self._key, ttl=ttl):
            raise RegistrarFailed("another worker has taken this machine over")

    # Steps

    async def _next(self, record: RegistrationRecord) -> RegistrationRecord:
        """One step: return to where it failed, begin from the start, or ask the next question."""
        if record.status is _S.FAILED:
            await self._wait_for_turn(record)
            return self._ledger.resume(self._key, self._terms.worker)
        if record.status is _S.SKIPPED or (record.status is _S.TOKEN_ISSUED and token_has_expired(record)):
            return self._ledger.restart(self._key, self._terms.worker)
        if record.status is _S.DISCOVERED and self._terms.find:
            found = await self._found(record)
            if found.status is not record.status:
                return found
        question, following = QUESTIONS[record.status]
        answered = await self._ask(question, record)
        if answered is None:
            return self._known()
        asked, answer = answered
        token = answer if following is _S.TOKEN_ISSUED else {}
        return self._ledger.answer(
            asked, following, token_id=token.get("tokenId"), token_expires_at=token.get("tokenExpiresAt")
        )

    async def _found(self, record: RegistrationRecord) -> RegistrationRecord:
        """The record after asking whether the machine is registered already."""
        answered = await self._ask(FIND, record)
        if answered is None:
            return self._known()
        asked, answer = answered
        # Somebody else has taken these steps, and this ledger catches up.
        steps = (_S.TOKEN_ISSUED, _S.SUBMITTED, _S.REGISTERED) if answer.get("registered") is True else ()
        return self._ledger.answer(asked, *steps, token_id=answer.get("tokenId"))

    def _known(self) -> RegistrationRecord:
        record = self._ledger.registration(self._key)
        if record is None:
            raise RegistrarFailed("the machine was deleted from the ledger meanwhile")
        return record

    async def _wait_for_turn(self, record: RegistrationRecord) -> None:
        """Wait until a failed machine may be tried again. Raises RegistrarFailed beyond its limit."""
        progress = self._ledger.progress(self._key)
        self._refuse_beyond_limit(progress.failures, record.last_error or "")
        if progress.retry_at is not None:
            pause = (datetime.fromisoformat(progress.retry_at) - self._terms.clock.now()).total_seconds()
            # A clock that was set back must not make it wait for ever.
            pause = max(0.0, min(pause, self._terms.retry.pause(progress.failures)))
            self._renew(pause)
            await self._pause(pause)

    def _refuse_beyond_limit(self, failures: int, reason: str) -> None:
        if failures >= self._terms.retry.limit:
            times = "once" if failures == 1 else f"{failures} times"
            raise RegistrarFailed(f"failed {times}, and is tried again only after `registrations retry`: {reason}")

    async def _pause(self, seconds: float) -> None:
        while seconds > 0:
            self._terms.permit()
            await self._terms.clock.sleep(min(seconds, 1.0))
            seconds -= 1.0
        self._terms.permit()

    # Questions

    async def _ask(self, question: str, record: RegistrationRecord) -> tuple[QuestionRecord, Document] | None:
        """The answer to a question; None if there is none, which is on record then.

        Raises RegistrarFailed if that was the last failure that is allowed.
        """
        self._terms.permit()
        self._renew(self._terms.timeout)
        identity = partial(idempotency_key, record, question, self._ledger.progress(self._key).generation)
        asked = self._ledger.ask(self._key, question, identity, self._terms.worker)
        try:
            return asked, checked(await while_permitted(self._put(asked, record), self._terms.permit), question)
        except RegistrarFailed as failure:
            self._failed(asked, failure, record)
            return None
        except BaseException:
            with suppress(RsspotError):
                self._ledger.end_question(asked, f"{UNANSWERED}: stopped while it was asked")
            raise

    def _failed(self, asked: QuestionRecord, failure: RegistrarFailed, record: RegistrationRecord) -> None:
        """Record a failure. Raises it if it was the last one that is allowed."""
        refused = not isinstance(failure, RegistrarSilent)
        outcome = f"{REFUSED if refused else UNANSWERED}: {failure.message}"
        failures = self._ledger.progress(self._key).failures + 1
        retry_at = self._terms.clock.now() + timedelta(seconds=self._terms.retry.pause(failures))
        too_late = asked.question == CONFIRM and refused and token_has_expired(record)
        progress = self._ledger.fail(asked, outcome, failure.message, retry_at=retry_at, restart=too_late)
        self._refuse_beyond_limit(progress.failures, failure.message)

    def _put(self, asked: QuestionRecord, record: RegistrationRecord) -> Coroutine[Any, Any, Document]:
        """Put a question to the registrar, which answers it once this is awaited."""

        def started(process: str) -> None:
            self._ledger.asked_by(asked, process)
            self._terms.permit()

        message = message_of(asked, record, self._terms.machine)
        return self._terms.registrar.ask(Question(message, asked.idempotency_key, self._terms.timeout, started))
