"""Runs a program that prints a refresh token: no shell, bounded in time and size. Never quotes what it prints."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from threading import Thread

from rsspot.errors import ConfigError
from rsspot.utils.tokens import LONGEST_TOKEN, is_token, trimmed

TIMEOUT = 30.0
"""Seconds that the program may take."""
MOST_BYTES = LONGEST_TOKEN
"""What the program may print."""


def printed_token(command: Sequence[str], timeout: float = TIMEOUT) -> str:
    """The token that a program prints. command: the program and its arguments · timeout: in seconds

    Raises ConfigError if the program fails, takes or prints too much, or prints something that is not a token.
    Only the program's name is in the message: its arguments and its output may be secret.
    """
    text = trimmed(_output(command, timeout))
    if not is_token(text):
        raise _failure(command, "printed something that is not a token")
    return text


def _output(command: Sequence[str], timeout: float) -> str:
    try:
        process = Popen(command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, start_new_session=True)
    except (OSError, ValueError) as error:
        raise _failure(command, f"cannot be run: {getattr(error, 'strerror', None) or type(error).__name__}") from None
    with _ended(process):
        try:
            printed = _read(process, timeout)
            code = process.wait(timeout) if len(printed) <= MOST_BYTES else 0
        except TimeoutExpired:
            raise _failure(command, f"did not end within {timeout:g} s") from None
    if len(printed) > MOST_BYTES:
        raise _failure(command, f"printed more than {MOST_BYTES} bytes")
    if code:
        raise _failure(command, f"failed ({code})")
    return printed.decode("utf-8", "replace")


def _read(process: Popen[bytes], timeout: float) -> bytes:
    """What a program prints until it closes its output, or until that is too much.

    A thread reads it, because a pipe can be read with a time limit only on some systems. Raises TimeoutExpired.
    """
    printed: list[bytes] = []

    def read() -> None:
        with process.stdout or nullcontext() as pipe:
            printed.append(pipe.read(MOST_BYTES + 1) if pipe else b"")

    reader = Thread(target=read, daemon=True)
    reader.start()
    reader.join(timeout)
    if not printed:
        raise TimeoutExpired(process.args, timeout)
    return printed[0]


@contextmanager
def _ended(process: Popen[bytes]) -> Iterator[None]:
    """Kill the program if it is still running after the block, also after Ctrl-C."""
    try:
        yield
    finally:
        if process.returncode is None:
            _kill(process)
            process.wait()


def _kill(process: Popen[bytes]) -> None:
    """Kill the program and its children, which would keep the pipe open: nothing that reads it would return."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _failure(command: Sequence[str], what: str) -> ConfigError:
    name = Path(command[0]).name
    return ConfigError(f"the credential command {name!r} {what}", hint="run it yourself to see what it says")
