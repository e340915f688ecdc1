"""Runs a registrar program: one JSON object in, one JSON object out, within a timeout. Knows nothing of states."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress

from rsspot.errors import RsspotError
from rsspot.utils.reading import parse_json
from rsspot.utils.secrets import Secrets
from rsspot.utils.serialization import Document

LONGEST_COMPLAINT = 300
MOST_OUTPUT = 1024 * 1024
"""Bytes of standard output, and of standard error, after which the registrar is killed."""
HARMLESS = frozenset(
    {"PATH", "HOME", "PWD", "OLDPWD", "USER", "LOGNAME", "HOST", "HOSTNAME", "LANG", "LANGUAGE", "SHELL", "TERM", "TZ"}
)
"""Environment variables whose values may be shown; any other may hold a password that the registrar prints."""
SHORTEST_SECRET = 6


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
        out, errors = await asyncio.wait_for(_exchange(process, json.dumps(question).encode()), timeout)
    except TimeoutError:
        raise RegistrarFailed(f"the registrar {command[0]} did not answer in {timeout:g} s") from None
    except ValueError:
        raise RegistrarFailed(f"the registrar {command[0]} printed more than {MOST_OUTPUT} bytes") from None
    finally:
        _kill(process)
        if process.returncode is None:
            await process.wait()
    if process.returncode:
        complaint = from_environment(os.environ).mask(errors.decode(errors="replace").strip())
        reason = complaint[-LONGEST_COMPLAINT:]
        raise RegistrarFailed(f"the registrar {command[0]} exited with {process.returncode}: {reason}")
    try:
        answer = parse_json(out)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise RegistrarFailed(f"the registrar {command[0]} did not print a JSON object")
    return answer


def from_environment(environ: Mapping[str, str]) -> Secrets:
    """The values of the environment that may be secrets. A path is none."""
    return Secrets(
        value
        for name, value in environ.items()
        if name not in HARMLESS
        and not name.startswith(("LC_", "XDG_"))
        and len(value) >= SHORTEST_SECRET
        and not value.startswith("/")
    )


def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill the registrar and its children, which would keep the pipes open: nothing that reads them would return."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def _exchange(process: asyncio.subprocess.Process, question: bytes) -> tuple[bytes, bytes]:
    """What the registrar prints on standard output and standard error until it ends."""
    assert process.stdin and process.stdout and process.stderr
    _, out, errors = await asyncio.gather(
        _write(process.stdin, question),
        _read(process.stdout, process),
        _read(process.stderr, process),
    )
    await process.wait()
    return out, errors


async def _write(stream: asyncio.StreamWriter, question: bytes) -> None:
    # A registrar need not read its question.
    with suppress(BrokenPipeError, ConnectionResetError):
        stream.write(question)
        await stream.drain()
        stream.close()
        await stream.wait_closed()


async def _read(stream: asyncio.StreamReader, process: asyncio.subprocess.Process) -> bytes:
    """All bytes of a stream. Kills the registrar and raises ValueError for more than MOST_OUTPUT."""
    content = bytearray()
    while chunk := await stream.read(65536):
        if len(content) <= MOST_OUTPUT:
            content += chunk
        else:
            # What is in the pipe is read to its end, so that the pipe is closed.
            _kill(process)
    if len(content) > MOST_OUTPUT:
        raise ValueError("too much output")
    return bytes(content)
