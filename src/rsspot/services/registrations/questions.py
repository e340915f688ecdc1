"""The questions about a machine: what they say, how long they are waited for, and which answers are none.

Knows neither the order of the questions nor what follows from their answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rsspot.errors import Cancelled, RsspotError
from rsspot.models.refs import wire_uuid
from rsspot.services.registrations.registrar import TIMEOUT_SECONDS, RegistrationRetry
from rsspot.services.registrations.registrars.protocol import RegistrarClient, RegistrarFailed
from rsspot.state.ledger.registration_history import QuestionRecord, RegistrationHistory
from rsspot.state.ledger.registrations import RegistrationRecord
from rsspot.utils.clock import Clock, utc_now
from rsspot.utils.serialization import Document

FIND = "find"
ISSUE_TOKEN = "issue_token"
SUBMIT = "submit"
CONFIRM = "confirm"
READS = (FIND, CONFIRM)
"""Questions that change nothing. Each attempt has a key of its own: a remembered answer would be an old one."""
LOOK_EVERY = 0.25
"""Seconds between two looks whether a question may still be waited for."""
FAREWELL = 2.0
"""Seconds that a question may still take once the run is stopped."""


@dataclass(frozen=True)
class Terms:
    """How a machine is to be registered, and what that works with.

    worker: the name of whoever does it; nobody else has it · permit: raises when nothing more may be begun
    machine: facts about it that are not on record
    """

    ledger: RegistrationHistory
    registrar: RegistrarClient
    clock: Clock
    worker: str
    permit: Callable[[], None]
    timeout: float = TIMEOUT_SECONDS
    retry: RegistrationRetry = field(default_factory=RegistrationRetry)
    find: bool = False
    machine: Mapping[str, Any] = field(default_factory=dict)


def message_of(asked: QuestionRecord, record: RegistrationRecord, machine: Mapping[str, Any]) -> Document:
    """What the registrar is asked, as JSON."""
    return {
        "ask": asked.question,
        "attempt": asked.attempt,
        "idempotencyKey": asked.idempotency_key,
        "registrationKey": record.registration_key,
        "omniCluster": record.omni_cluster,
        "tokenId": record.token_id,
        "vm": {
            "uid": record.vm_uid,
            "name": record.vm_name,
            "ipAddress": machine.get("ipAddress"),
            "vmCloudSpace": record.vmcloudspace,
            "vmPool": record.vmpool,
        },
    }


async def while_permitted(answer: Coroutine[Any, Any, Document], permit: Callable[[], None]) -> Document:
    """Wait for an answer. Once nothing may be begun any more, it has a moment left; then its registrar is ended.

    Raises what the registrar raises, and Cancelled.
    """
    asking = asyncio.ensure_future(_begin(answer, permit))
    try:
        while not (await asyncio.wait({asking}, timeout=LOOK_EVERY))[0]:
            try:
                permit()
            except RsspotError as stopped:
                if not (await asyncio.wait({asking}, timeout=FAREWELL))[0]:
                    raise Cancelled("stopped while the registrar was asked") from stopped
        return asking.result()
    finally:
        if not asking.done():
            asking.cancel()
            with suppress(asyncio.CancelledError, RegistrarFailed):
                await asking


async def _begin(answer: Coroutine[Any, Any, Document], permit: Callable[[], None]) -> Document:
    """Ask whether it may begin at the moment when it does: others had their turn since it was decided."""
    try:
        permit()
    except BaseException:
        answer.close()
        raise
    return await answer


def idempotency_key(record: RegistrationRecord, question: str, generation: int, attempt: int) -> str:
    """The key of a question: a UUID that whoever asks the same arrives at, also with a ledger that is lost."""
    asked = question if question not in READS else f"{question}/{attempt}"
    return wire_uuid(record.registration_key, record.omni_cluster, str(generation), asked)


def token_has_expired(record: RegistrationRecord) -> bool:
    """Whether the token of a machine is of no use any more. One without an expiry time lasts.

    Tokens are issued in the real world: the clock of the sandbox does not count.
    """
    return record.token_expires_at is not None and _is_past(record.token_expires_at)


def _is_past(moment: str) -> bool:
    try:
        return datetime.fromisoformat(moment) <= utc_now()
    except (ValueError, TypeError):
        return True


def checked(answer: Document, question: str) -> Document:
    """The answer, if the token's fields are strings or absent. Raises RegistrarFailed."""
    for name in ("tokenId", "tokenExpiresAt"):
        if not isinstance(answer.get(name), str | None):
            raise RegistrarFailed(f"the registrar's {name} is not a string")
    expires = answer.get("tokenExpiresAt")
    if question == "issue_token" and expires is not None and _is_past(expires):
        raise RegistrarFailed(f"the registrar issued a token that has expired already, or at no time: {expires}")
    return answer
