"""ProgramRegistrar: a registrar that is an executable. One JSON object to its stdin, one from its stdout.

It runs in a process group of its own, which is killed with all that it started when it has answered, takes too long,
prints too much, or is no longer wanted. If rsspot itself is killed, nothing can do that any more. So the process is on
record before it is told the question, and whoever asks about the same machine next ends it first. A signal at the death
of the parent (PR_SET_PDEATHSIG) would not do: it is Linux alone, and it reaches the program but not its children, such
as the curl of a shell script.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Sequence
from contextlib import suppress

from rsspot.services.registrations.registrars.complaints import complaint
from rsspot.services.registrations.registrars.protocol import (
    MOST_OUTPUT,
    Question,
    RegistrarFailed,
    RegistrarSilent,
    answer_of,
    no_answer_in,
)
from rsspot.utils.process import name_of
from rsspot.utils.serialization import Document

DEATH_SECONDS = 5.0
"""How long a killed program may take to die: longer only when the system is stuck, and then it is not waited for."""
NO_ANSWER = 75
"""The exit code (EX_TEMPFAIL) by which a program says that nobody knows whether it has done what it was asked."""
OUT, ERRORS = 1, 2


class ProgramRegistrar:
    """A registrar that is an executable, started anew for each question."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._name = command[0]

    async def ask(self, question: Question) -> Document:
        """See `RegistrarClient`."""
        conversation = await self._started()
        try:
            question.started(name_of(conversation.pid))
            conversation.tell(json.dumps(question.message).encode())
            async with asyncio.timeout(question.timeout):
                code = await conversation.ended
        except TimeoutError:
            raise no_answer_in(self._name, question.timeout) from None
        finally:
            await conversation.kill()
        return self._answer(conversation, code)

    async def _started(self) -> _Conversation:
        loop = asyncio.get_running_loop()
        try:
            _, conversation = await loop.subprocess_exec(_Conversation, *self._command, start_new_session=True)
        except OSError as error:
            raise RegistrarFailed(f"cannot run the registrar {self._name}: {error.strerror}") from None
        return conversation

    def _answer(self, conversation: _Conversation, code: int) -> Document:
        if conversation.too_long:
            raise RegistrarSilent(f"the registrar {self._name} printed more than {MOST_OUTPUT} bytes")
        if code < 0:
            raise RegistrarSilent(f"the registrar {self._name} was ended by {signal.Signals(-code).name}")
        if code:
            said = complaint(conversation.text(ERRORS).decode(errors="replace"))
            failed = RegistrarSilent if code == NO_ANSWER else RegistrarFailed
            raise failed(f"the registrar {self._name} exited with {code}: {said}")
        return answer_of(self._name, conversation.text(OUT))


class _Conversation(asyncio.SubprocessProtocol):
    """What is exchanged with one process. ended: its exit code, once it has ended and closed what it prints to."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.too_long = False
        self._printed = {OUT: bytearray(), ERRORS: bytearray()}
        self._open = {OUT, ERRORS}
        self._exited = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport
        self.pid = transport.get_pid()

    def text(self, descriptor: int) -> bytes:
        """What was printed to stdout or stderr."""
        return bytes(self._printed[descriptor])

    def tell(self, question: bytes) -> None:
        """Write the question. A program need not read it."""
        stdin = self._transport.get_pipe_transport(0)
        assert isinstance(stdin, asyncio.WriteTransport)
        stdin.write(question)
        stdin.close()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        printed = self._printed[fd]
        if len(printed) <= MOST_OUTPUT:
            printed += data
        if len(printed) > MOST_OUTPUT:
            self.too_long = True
            self._signal()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._open.discard(fd)
        self._check()

    def process_exited(self) -> None:
        self._exited.set()
        self._check()

    def _check(self) -> None:
        code = self._transport.get_returncode()
        if code is not None and not self._open and not self.ended.done():
            self.ended.set_result(code)

    async def kill(self) -> None:
        """Kill the program and all that it started, and wait until it is gone; close what it prints to."""
        self._signal()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(DEATH_SECONDS):
                    await self._exited.wait()
        finally:
            self._transport.close()

    def _signal(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
