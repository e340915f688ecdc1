"""Asks at a prompt again and again, each time in a fork on a terminal that is sent SIGTERM as soon as it asks.

signalled_prompt TIMES prints how often the prompt did not end with 8, waiting up to a minute for each.
"""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from contextlib import suppress

from rsspot.cli import prompts, signals
from rsspot.errors import Cancelled

PATIENCE = 60.0


def ask() -> int:
    """Ask. Returns the exit code."""
    try:
        prompts.confirm("yes")
    except Cancelled:
        return Cancelled.exit_code
    return 0


def asked() -> int | None:
    """The exit code of a fork that asks; None if it had to be killed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os._exit(ask())
    shown = b""
    while b"to continue" not in shown:
        shown += os.read(terminal, 4096)
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            os.close(terminal)
            return os.waitstatus_to_exitcode(status)
        # What it prints has to be read, or it waits for that.
        with suppress(OSError):
            if select.select([terminal], [], [], 0.001)[0]:
                os.read(terminal, 4096)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)
    return None


if __name__ == "__main__":
    signals.treat_like_interrupts()
    missed = 0
    for _ in range(int(sys.argv[1])):
        missed += asked() != Cancelled.exit_code
        if missed:
            break
    print(missed)
