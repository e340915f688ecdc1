"""A program that is run once: something to its standard input, bounded in time, killed with all that it started."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from threading import Event
from time import monotonic

LOOK_SECONDS = 0.2
"""How long it may take until a stop is seen."""
DEATH_SECONDS = 5.0
"""How long a killed program may take to die: longer only when the system is stuck, and then it is not waited for."""


@dataclass(frozen=True)
class ProgramEnd:
    """How a program ended. code: None if it took too long and was killed · output: what it printed, if that was kept"""

    code: int | None
    output: bytes = b""


def run_program(
    command: Sequence[str],
    given: bytes,
    *,
    timeout: float,
    environ: Mapping[str, str] | None = None,
    keep_output: bool = False,
    stop: Event | None = None,
) -> ProgramEnd:
    """Run a program, without a shell, until it ends or its time is up. It need not read what it is given.

    timeout: seconds · keep_output: whether to keep what it prints instead of passing it on
    stop: once it is set by another thread, the program is killed as if its time were up
    Raises OSError or ValueError if it cannot be started.
    """
    with Popen(
        command,
        stdin=PIPE,
        stdout=PIPE if keep_output else None,
        stderr=DEVNULL if keep_output else None,
        env=environ,
        start_new_session=True,
    ) as process:
        code: int | None
        try:
            output = _exchanged(process, given, timeout, stop)
            code = process.returncode
        except TimeoutExpired as late:
            output, code = late.output, None
        finally:
            _kill(process)
    return ProgramEnd(code, output or b"")


def _exchanged(process: Popen[bytes], given: bytes, timeout: float, stop: Event | None) -> bytes | None:
    """What a program prints until it ends. Raises TimeoutExpired with what it had printed by then."""
    until, told = monotonic() + timeout, given
    while True:
        left = max(0.0, until - monotonic())
        try:
            # What was given stays given: communicate goes on where it was.
            output, _ = process.communicate(told or None, timeout=left if stop is None else min(left, LOOK_SECONDS))
        except TimeoutExpired:
            if left == 0 or stop is None or stop.is_set():
                raise
            told = b""
        else:
            return output


def _kill(process: Popen[bytes]) -> None:
    """Kill a program and its children, which would keep what it prints to open."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        process.kill()
    with suppress(TimeoutExpired):
        process.wait(DEATH_SECONDS)
