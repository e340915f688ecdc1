"""Runs a registrar program: one JSON object in, one JSON object out, within a timeout. Knows nothing of states."""

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
    """The registrar could not be run, reported a failure, timed out, or did not print a JSON object."""


async def ask(command: Sequence[str], question: Document, timeout: float) -> Document:
    """Run the registrar and return its answer. timeout: seconds, after which it is killed. Raises RegistrarFailed."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
    except OSError as error:
        raise RegistrarFailed(f"cannot run the registrar {command[0]}: {error.strerror}") from None
    try:
        out, errors = await asyncio.wait_for(process.communicate(json.dumps(question).encode()), timeout)
    except TimeoutError:
        raise RegistrarFailed(f"the registrar {command[0]} did not answer in {timeout:g} s") from None
    finally:
        with suppress(ProcessLookupError):
            # Kill its children too: they would keep the pipes open, and communicate() would not return.
            os.killpg(process.pid, signal.SIGKILL)
        if process.returncode is None:
            await process.wait()
    if process.returncode:
        reason = errors.decode(errors="replace").strip()[-LONGEST_COMPLAINT:]
        raise RegistrarFailed(f"the registrar {command[0]} exited with {process.returncode}: {reason}")
    try:
        answer = json.loads(out)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise RegistrarFailed(f"the registrar {command[0]} did not print a JSON object")
    return answer
