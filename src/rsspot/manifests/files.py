"""Finds the files that hold manifests, and reads their text. Knows no YAML.

A folder is searched whole, through links too. What cannot be entered or read is a problem, because a plan that prunes
would delete what those files declare. Files whose names begin with a dot are passed over, and named to the caller. Only
folders whose names begin with a dot and what `.rsspotignore` names are left out without a word.
"""

from __future__ import annotations

import fnmatch
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rsspot.errors import Origin, Problem
from rsspot.manifests.rules import ManifestRule
from rsspot.utils.reading import read_text

LARGEST_FILE = 16 * 1024 * 1024
SUFFIXES = (".yaml", ".yml", ".json")
IGNORE_FILE = ".rsspotignore"
SCHEMA_FILE = ".rsspot.schema.json"
"""What `init` writes for editors. Its name begins with a dot, so that it is not read as a manifest."""
SCHEMA_HEADER = f"# yaml-language-server: $schema=./{SCHEMA_FILE}\n"
"""The first line of a file, which leads an editor to the schema beside it."""
STANDARD_INPUT = Path("-")


@dataclass(frozen=True)
class ManifestFile:
    """A file to read. named: by the caller, and not found in a folder."""

    path: Path
    named: bool


def find_files(paths: Sequence[Path], hidden: list[Path] | None = None) -> tuple[list[ManifestFile], list[Problem]]:
    """The files that paths stand for: files as given, folders searched whole, each file once, sorted.

    hidden: gets the files that were passed over because they are hidden, sorted
    """
    files: dict[Path, ManifestFile] = {}
    problems: list[Problem] = []
    passed_over: list[Path] = []
    for path in paths:
        if path == STANDARD_INPUT or _is_readable(path):
            files.setdefault(path, ManifestFile(path, named=True))
        elif _is_folder(path):
            inside = sorted(_walk(path, path, _patterns(path, problems), problems, passed_over, ()))
            if not inside and not problems:
                hint = "put a .yaml file here, or name another directory"
                problems.append(Problem("no manifests here", Origin(str(path)), hint, ManifestRule.FILE))
            for file in inside:
                files.setdefault(file, ManifestFile(file, named=False))
        else:
            problems.append(Problem("no such file or directory", Origin(str(path)), rule=ManifestRule.FILE))
    if hidden is not None:
        hidden += sorted(set(passed_over) - set(files))
    return list(files.values()), problems


def text_of(file: ManifestFile) -> str:
    """The text of a file. Raises ValueError with a clause about what is wrong with it."""
    if file.path == STANDARD_INPUT:
        return _standard_input()
    try:
        return read_text(file.path, most=LARGEST_FILE, pipes=file.named)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"cannot be read: {error}") from None


def _standard_input() -> str:
    if sys.stdin is None:
        raise ValueError("there is no standard input")
    content = sys.stdin.buffer.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ValueError(f"longer than {LARGEST_FILE} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"cannot be read: not UTF-8 (byte {error.start})") from None


def _is_readable(path: Path) -> bool:
    """Whether a path that a caller named is a file, or a pipe such as a shell's `<(…)`."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISDIR(mode)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        # Such as a name that is too long.
        return False


def _walk(
    folder: Path,
    root: Path,
    patterns: Sequence[str],
    problems: list[Problem],
    hidden: list[Path],
    above: tuple[str, ...],
) -> Iterator[Path]:
    real = os.path.realpath(folder)
    if real in above:
        # A link to a folder that holds it: all of it is being read already.
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        message = f"the folder cannot be read: {error.strerror}"
        problems.append(Problem(message, Origin(str(folder)), rule=ManifestRule.FILE))
        return
    for entry in entries:
        if _ignored(entry, root, patterns):
            continue
        if entry.name.startswith("."):
            is_manifest = entry.suffix.lower() in SUFFIXES and entry.name != SCHEMA_FILE and entry.is_file()
            hidden += [entry] if is_manifest else []
        elif entry.is_dir():
            yield from _walk(entry, root, patterns, problems, hidden, (*above, real))
        elif entry.is_symlink() and not entry.exists():
            message = "a link to a file that does not exist"
            problems.append(Problem(message, Origin(str(entry)), _WAY_OUT, ManifestRule.FILE))
        elif entry.suffix.lower() in SUFFIXES:
            yield entry


_WAY_OUT = f"remove it, or name it in {IGNORE_FILE}"


def _patterns(folder: Path, problems: list[Problem]) -> list[str]:
    """The patterns of a folder's ignore file: one a line, `#` begins a comment."""
    file = folder / IGNORE_FILE
    try:
        lines = read_text(file).splitlines()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        problems.append(Problem(f"cannot be read: {reason}", Origin(str(file)), rule=ManifestRule.FILE))
        return []
    return [line.strip().strip("/") for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _ignored(entry: Path, root: Path, patterns: Sequence[str]) -> bool:
    """Whether a pattern matches the name of an entry, or its path below the folder."""
    relative = entry.relative_to(root).as_posix()
    return any(fnmatch.fnmatchcase(entry.name, each) or fnmatch.fnmatchcase(relative, each) for each in patterns)
