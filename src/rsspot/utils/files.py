"""Private files: written in one step, readable by their owner only, locked against other processes."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock

_making = Lock()


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


class LockFile:
    """An advisory lock on a file of its own. Where files cannot be locked, acquiring it always succeeds.

    It ends with its process, however that ends; a lock that is only a file's existence would have to be cleaned up.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError where no lock file can be made."""
        self._handle = os.open(private_file(path), os.O_RDWR)

    def acquire(self, *, wait: bool = True) -> bool:
        """Take the lock; without `wait`, False while another process has it."""
        try:
            import fcntl

            fcntl.flock(self._handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        except (ImportError, OSError):
            # Not every system can lock files; there, two writers at the same moment may lose a change.
            return True
        return True

    def close(self) -> None:
        """Give the lock back."""
        os.close(self._handle)


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """One process at a time may change what stands at a path. Raises OSError where no lock file can be made."""
    with closing(LockFile(path.with_name(f".{path.name}.lock"))) as lock:
        lock.acquire()
        yield
