"""The protocol of registrars: a question goes in, an answer comes out. Knows no states and no ledger."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from rsspot.errors import RsspotError
from rsspot.utils.reading import parse_json
from rsspot.utils.serialization import Document

MOST_OUTPUT = 1024 * 1024
"""Bytes of an answer at most."""


class RegistrarFailed(RsspotError):
    """The registrar refused, or could not be asked: it has not done what it was asked."""


class RegistrarSilent(RegistrarFailed):
    """The registrar was asked and gave no answer: it may have done what it was asked."""


def _nobody(_: str) -> None:
    """Nobody wants to know which process answers."""


@dataclass(frozen=True)
class Question:
    """message: what is asked, as JSON · idempotency_key: the same for a question that is asked again

    timeout: seconds · started: told the identity of the process that answers, before it gets the question
    """

    message: Document
    idempotency_key: str
    timeout: float
    started: Callable[[str], None] = _nobody


class RegistrarClient(Protocol):
    """Makes machines known to a cluster manager."""

    def ask(self, question: Question) -> Coroutine[Any, Any, Document]:
        """The answer to a question. Raises RegistrarFailed and RegistrarSilent.

        When it is cancelled, nothing that it started goes on.
        """
        ...


def no_answer_in(name: str, timeout: float) -> RegistrarSilent:
    """The error about a registrar that took too long."""
    return RegistrarSilent(f"the registrar {name} did not answer in {timeout:g} s")


def answer_of(name: str, content: bytes) -> Document:
    """The answer that a registrar gave as JSON. Raises RegistrarSilent for what is no JSON object."""
    try:
        answer = parse_json(content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise RegistrarSilent(f"the registrar {name} did not print a JSON object")
    return answer
