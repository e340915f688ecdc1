"""Small pure tools with no knowledge of Spot: time, digests, spelling, safe files. Imports no other room."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, TypeAlias

_making = Lock()
Document: TypeAlias = dict[str, Any]
"""A JSON object as it travels. The border where `Any` is allowed."""


def utc_now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC to the second, as Kubernetes writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def canonical(value: Any) -> str:
    """JSON with one spelling: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def digest(value: Any) -> str:
    """`sha256:…` of the canonical JSON."""
    return "sha256:" + hashlib.sha256(canonical(value).encode()).hexdigest()


def at_path(document: Any, path: Iterable[str | int], default: Any = None) -> Any:
    """The value at a path of keys and indexes, or `default`."""
    for key in path:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return default
    return document


def did_you_mean(word: str, known: Iterable[str], *, closeness: float = 0.6) -> str | None:
    """A sentence naming the closest known word, or None when nothing is close. closeness: 1 is the same word."""
    import difflib

    choices = list(known)
    folded = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=closeness)
    return f"did you mean {folded[close[0]]!r}?" if close else None


def printable(text: str) -> str:
    """A text that cannot move a terminal's cursor, colour it or hide behind it."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; readable by its owner only at every moment. A link is followed.

    Raises OSError, also for what is no regular file: replacing a device or a pipe would destroy it.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def private_file(path: Path) -> Path:
    """Make sure a file exists with mode 0600 before anything is written into it.

    One that exists is not opened: closing it would drop every lock that this process has on it, as POSIX says, and
    two writers then spoil a database.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _making:
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    if path.is_file() and path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return path


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """One process at a time may change what stands at a path. Raises OSError where no lock file can be made."""
    handle = os.open(private_file(path.with_name(f".{path.name}.lock")), os.O_RDWR)
    try:
        # Not every system can lock files; there, two writers in the same moment may lose a change.
        with suppress(ImportError, OSError):
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def collector_paused() -> Iterator[None]:
    """No cycle collection meanwhile: for making thousands of objects that will all live on.

    The collector would look at all of them again and again, and take longer than the making.
    """
    import gc

    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def process_lives(pid: int) -> bool:
    """Whether a process of this machine is still there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class Clock(Protocol):
    """Time as an argument: the real one, or one that a test or the sandbox drives."""

    def now(self) -> datetime:
        """Wall time, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let that many seconds of this clock pass."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return utc_now()

    async def sleep(self, seconds: float) -> None:
        from rsspot.concurrency import pause

        await pause(seconds)
