"""Writes manifests to a folder: all of them or none, and nothing is overwritten unless that is asked for."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from rsspot.errors import UsageError


def require_room(folder: Path, names: Iterable[str], *, hint: str = "name another folder") -> None:
    """Raises UsageError if the folder cannot be one, or has a file of one of these names."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder")
    # A link to a file that does not exist is in the way too.
    if present := [name for name in names if os.path.lexists(folder / name)]:
        raise UsageError(f"{folder} has {', '.join(present)} already, and nothing is overwritten", hint=hint)


def write_files(folder: Path, files: Mapping[str, str], *, overwrite: bool = False) -> list[Path]:
    """Write files, given by their paths in the folder: all or none. Raises UsageError if one cannot be written.

    All are written beside their places first, so that a full disk leaves everything as it was.
    """
    prepared: dict[Path, Path] = {}
    placed: list[Path] = []
    try:
        for name, text in files.items():
            _prepare(folder / name, text, prepared)
        for path, waiting in prepared.items():
            if overwrite:
                waiting.replace(path)
            else:
                _place(waiting, path)
                placed.append(path)
    except OSError as error:
        for path in placed:
            path.unlink(missing_ok=True)
        raise UsageError(f"cannot write to {folder}: {error.strerror}") from None
    finally:
        for waiting in prepared.values():
            with suppress(OSError):
                waiting.unlink(missing_ok=True)
    return list(prepared)


def _prepare(path: Path, text: str, prepared: dict[Path, Path]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_name(f".{path.name}.{os.getpid()}.new")
    with waiting.open("x", encoding="utf-8", newline="\n") as file:
        prepared[path] = waiting
        file.write(text)


def _place(waiting: Path, path: Path) -> None:
    """Give a new file its name. Raises FileExistsError for one that somebody else has made in the meantime."""
    with suppress(OSError):
        os.link(waiting, path)
        return
    # Also where a file system knows no links.
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    waiting.rename(path)
