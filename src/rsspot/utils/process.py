"""Helpers for processes: whether one is running, ending what one left behind, and pausing the garbage collector."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the garbage collector while creating thousands of objects that will all stay alive.

    Otherwise it scans them again and again, which takes longer than creating them.
    """
    import gc

    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def process_lives(pid: int) -> bool:
    """Whether a process of this machine is still running."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def process_space() -> str:
    """Where the number of a process of this one means the same process: this machine, and within it this container."""
    with suppress(OSError):
        return f"{socket.gethostname()}/{os.stat('/proc/self/ns/pid').st_ino}"  # noqa: PTH116 - no Path at each claim
    return socket.gethostname()


def identity_of(pid: int) -> str:
    """A name for a process that no other one will ever have, for `end_group`. Without /proc it names none."""
    return f"{process_space()}#{pid}#{_started(pid) or 'unknown'}"


def end_group(identity: str) -> bool:
    """Kill a process and its group if it is the very one that was named. Returns whether it was there.

    A process of another machine or container, or whose number belongs to another one by now, is left alone.
    """
    space, pid, started = identity.rsplit("#", 2)
    if space != process_space() or started == "unknown" or _started(int(pid)) != started:
        return False
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(int(pid), signal.SIGKILL)
    return True


def _started(pid: int) -> str | None:
    """When a process was started, in ticks since the system was; None if it has ended, or nothing tells."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name of the program, in parentheses, may contain blanks and parentheses itself.
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else fields[18]
