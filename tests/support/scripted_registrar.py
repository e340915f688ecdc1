"""Registrars in the process: one that answers as a test says, and a stand-in for a service that many talk to."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from rsspot.services.registrations.registrars.protocol import Question, RegistrarFailed, RegistrarSilent
from rsspot.utils.serialization import Document

TOKEN = {"tokenId": "t1", "tokenExpiresAt": "2999-01-01T00:00:00Z"}
NO = RegistrarFailed("no")
SILENCE = RegistrarSilent("silence")
Answer = Document | Exception | Callable[[Question], Any]


class ScriptedRegistrar:
    """Gives the answers that a test lists for each question, in turn, and then succeeds. asked: what it was asked."""

    def __init__(self, **answers: list[Answer]) -> None:
        self._answers = {question: list(listed) for question, listed in answers.items()}
        self.asked: list[Document] = []

    async def ask(self, question: Question) -> Document:
        """See `RegistrarClient`."""
        self.asked.append(question.message)
        waiting = self._answers.get(question.message["ask"], [])
        answer = waiting.pop(0) if waiting else TOKEN if question.message["ask"] == "issue_token" else {}
        if callable(answer):
            answer = await answer(question)
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)

    @property
    def questions(self) -> list[str]:
        """The questions, in order."""
        return [each["ask"] for each in self.asked]

    def keys(self, question: str) -> list[str]:
        """The idempotency keys that a question came with."""
        return [each["idempotencyKey"] for each in self.asked if each["ask"] == question]


async def hang(_: Question) -> Document:
    """Never answers."""
    await asyncio.Event().wait()
    return {}


SERVICES: dict[str, Service] = {}
"""The stand-ins by the cluster that they are asked about: a function cannot be given one otherwise."""


class Service:
    """A cluster manager that honors idempotency keys.

    misbehave: (name of the machine, question, how often it was asked) -> what it does
    joined: how often each machine joined · asked: how often it was asked each question about each machine
    """

    def __init__(self, misbehave: Callable[[str, str, int], str]) -> None:
        self._misbehave = misbehave
        self._answered: dict[str, Document] = {}
        self.joined: Counter[str] = Counter()
        self.asked: Mapping[str, Counter[str]] = defaultdict(Counter)

    async def answer(self, message: Document) -> Document:
        """Answers one question, or fails in one of the ways that a registrar may."""
        machine, question, key = message["registrationKey"], message["ask"], message["idempotencyKey"]
        self.asked[machine][question] += 1
        behavior = self._misbehave(str(message["vm"]["name"]), question, self.asked[machine][question])
        if behavior == "hang":
            await asyncio.Event().wait()
        if behavior == "fail":
            raise RuntimeError("not today")
        if key not in self._answered:
            self._answered[key] = dict(TOKEN) if question == "issue_token" else {}
            self.joined[machine] += question == "submit"
        if behavior == "lose":
            raise RegistrarSilent("the answer was lost")
        return self._answered[key]


async def service(message: Document) -> Document:
    """The function that an `entryPoint` names."""
    return await SERVICES[message["omniCluster"]].answer(message)
