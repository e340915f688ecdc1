"""Private files: written atomically, readable by their owner only, and locked against other processes."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Lock

_creating = Lock()


def write_private(path: Path, text: str, *, follow: bool = True) -> None:
    """Replace a file atomically. Only its owner can read it at any time.

    follow: follow every symbolic link, as for a config file among its user's dotfiles. Without it, a link is replaced
    by the file, unless link and target are both the caller's own: in a shared folder, others choose where a link leads.
    Raises OSError, also for a device or a pipe, because replacing it would destroy it.
    """
    path = path.resolve() if follow or _is_own_link(path) else path.parent.resolve() / path.name
    if path.exists() and not path.is_file() and not path.is_symlink():
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    private_folder(path.parent)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        # A umask may take permissions from the owner too.
        Path(temporary).chmod(0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def replace_text(path: Path, new: str, *, old: str | None = None) -> None:
    """Replace the text of somebody's own file atomically, with its mode, links and line ends kept.

    old: what the file must still hold, if that matters. Raises OSError, also if it holds something else by now.
    """
    path = path.resolve()
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(stat.S_IMODE(path.stat().st_mode))
        if old is not None and path.read_bytes() != old.encode():
            raise OSError(errno.EBUSY, "it was changed meanwhile", str(path))
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _is_own_link(path: Path) -> bool:
    """Whether a path is a symbolic link of the caller to a file of the caller, or to none yet."""
    if not path.is_symlink():
        return False
    owners = {path.lstat().st_uid} | ({path.stat().st_uid} if path.exists() else set())
    # Windows has no users by number, and gives every file the owner 0.
    return owners == {getattr(os, "geteuid", int)()}


def private_folder(path: Path) -> Path:
    """Make sure that a folder exists. Every folder that is missing on the way gets mode 0700, whatever the umask."""
    if not path.is_dir():
        private_folder(path.parent)
        # `mkdir(parents=True)` would give its mode to the last folder only.
        path.mkdir(mode=0o700, exist_ok=True)
        # A umask may take permissions from the owner too.
        if path.stat().st_mode & 0o700 != 0o700:
            path.chmod(0o700)
    return path


def private_file(path: Path) -> Path:
    """Make sure that a file exists with mode 0600 before anything is written to it.

    An existing file is not opened. Under POSIX, closing it would drop all locks of this process on it, and two writers
    could then corrupt a database.
    """
    private_folder(path.parent)
    with _creating:
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    _hide(path)
    return path


def private_database(path: Path) -> Path:
    """Make sure that a SQLite file exists with mode 0600, and nothing of it is readable by others.

    SQLite gives a new write-ahead log the mode of the file, but keeps the mode of one that a killed process left.
    """
    for suffix in ("-wal", "-shm"):
        # The last process that closes the database deletes both, maybe at this very moment.
        with suppress(FileNotFoundError):
            _hide(path.with_name(path.name + suffix))
    return private_file(path)


def others_can_read(path: Path) -> bool:
    """Whether users other than its owner can read a file that exists, on a system that has such permissions."""
    try:
        return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
    except OSError:
        return False


def _hide(path: Path) -> None:
    mode = path.stat().st_mode
    if stat.S_ISREG(mode) and mode & 0o077:
        path.chmod(0o600)


class LockFile:
    """An advisory lock on a separate file. On a system that cannot lock files, acquiring it always succeeds.

    The operating system releases the lock when the process ends, so no stale lock can remain.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError if the lock file cannot be created."""
        self._handle = os.open(private_file(path), os.O_RDWR)

    def acquire(self, *, wait: bool = True) -> bool:
        """Take the lock. Without `wait`, returns False if another process holds it."""
        try:
            import fcntl

            fcntl.flock(self._handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        except (ImportError, OSError):
            # Some systems cannot lock files. There, two concurrent writers may lose a change.
            return True
        return True

    def close(self) -> None:
        """Release the lock."""
        os.close(self._handle)


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the lock for changes to a file. Raises OSError if the lock file cannot be created."""
    with closing(LockFile(path.with_name(f".{path.name}.lock"))) as lock:
        lock.acquire()
        yield
