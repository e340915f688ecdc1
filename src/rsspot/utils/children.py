"""A program that is run once: something to its standard input, bounded in time, killed with all that it started."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired

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
) -> ProgramEnd:
    """Run a program, without a shell, until it ends or its time is up. It need not read what it is given.

    timeout: seconds · keep_output: whether to keep what it prints instead of passing it on
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
            output, _ = process.communicate(given, timeout=timeout)
            code = process.returncode
        except TimeoutExpired as late:
            output, code = late.output or b"", None
        finally:
            _kill(process)
    return ProgramEnd(code, output or b"")


def _kill(process: Popen[bytes]) -> None:
    """Kill a program and its children, which would keep what it prints to open."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        process.kill()
    with suppress(TimeoutExpired):
        process.wait(DEATH_SECONDS)
