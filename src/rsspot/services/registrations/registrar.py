"""Runs a registrar: one JSON object in, one JSON object out, within a time. Decides nothing about states."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Sequence
from contextlib import suppress

from rsspot.errors import RsspotError
from rsspot.utils.serialization import Document

LONGEST_COMPLAINT = 300


class RegistrarFailed(RsspotError):
    """The registrar could not be run, said no, or did not answer with a JSON object."""


async def ask(command: Sequence[str], question: Document, timeout: float) -> Document:
    """The registrar's answer. Raises RegistrarFailed; the program never outlives its time."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
    except OSError as error:
        raise RegistrarFailed(f"cannot run the registrar {command[0]}: {error.strerror}") from None
    try:
        out, complaint = await asyncio.wait_for(process.communicate(json.dumps(question).encode()), timeout)
    except TimeoutError:
        raise RegistrarFailed(f"the registrar {command[0]} did not answer in {timeout:g} s") from None
    finally:
        with suppress(ProcessLookupError):
            # Its children too: they would keep the pipes open, and us waiting for their end.
            os.killpg(process.pid, signal.SIGKILL)
        if process.returncode is None:
            await process.wait()
    if process.returncode:
        said = complaint.decode(errors="replace").strip()[-LONGEST_COMPLAINT:]
        raise RegistrarFailed(f"the registrar {command[0]} ended with {process.returncode}: {said}")
    try:
        answer = json.loads(out)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise RegistrarFailed(f"the registrar {command[0]} did not print one JSON object")
    return answer
