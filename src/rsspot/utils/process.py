"""Helpers for processes: which one it is, whether it runs, ending what it left, and pausing the garbage collector."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROC = Path("/proc")
ENDED_STATES = frozenset("ZXx")
"""States of a process that has ended, and that its parent may not have taken note of yet."""
START_TIME = 19
"""Position of the start time, in ticks since boot, among the fields of /proc/PID/stat after the command."""


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


def identity_of(pid: int, proc: Path = PROC) -> str:
    """What tells a process from every other one, also of other boots and other containers; empty if nothing does.

    A number alone does not: another container may have the same host name, and numbers are used again.
    """
    try:
        boot = (proc / "sys/kernel/random/boot_id").read_text().strip()
        place = f"{boot} {(proc / str(pid) / 'ns/pid').readlink()}"
        return f"{hashlib.sha256(place.encode()).hexdigest()[:12]}.{_stat(pid, proc)[START_TIME]}"
    except (OSError, ValueError, IndexError):
        return ""


def has_ended(pid: int, identity: str, proc: Path = PROC) -> bool:
    """Whether a process is known to have ended. False for one that cannot be seen from here.

    identity: what `identity_of` gave while it was running
    """
    here = identity_of(os.getpid(), proc)
    if not identity or not here:
        # Where there is no /proc, there are no containers, and the number is all there is to go by.
        return identity == here and not _exists(pid)
    place, _, started = identity.partition(".")
    if place != here.partition(".")[0]:
        return False
    if not _exists(pid):
        return True
    try:
        fields = _stat(pid, proc)
    except OSError:
        return False
    return fields[0] in ENDED_STATES or fields[START_TIME] != started


def name_of(pid: int) -> str:
    """A name for a process that no other one will ever have, for `end_group`."""
    return f"{pid}#{identity_of(pid)}"


def end_group(name: str) -> bool:
    """Kill a process and its group if it is the very one that was named. Returns whether it was there.

    A process of another machine or container, or whose number belongs to another one by now, is left alone.
    """
    number, _, identity = name.partition("#")
    if not identity or identity_of(int(number)) != identity:
        return False
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(int(number), signal.SIGKILL)
    return True


def _stat(pid: int, proc: Path) -> list[str]:
    """The fields of a process from its state on; its name, which may hold anything, comes before."""
    return (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _exists(pid: int) -> bool:
    """Whether there is a process of this number, also one that has ended and is still listed."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
