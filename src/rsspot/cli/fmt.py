"""The `fmt` command: puts manifests into the usual layout, or says which are not."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli import errors
from rsspot.cli.plan_options import PATHS
from rsspot.cli.session import session
from rsspot.errors import ManifestError, RsspotError, UsageError
from rsspot.utils.text import printable

if TYPE_CHECKING:
    from rsspot.workflows.formatting import FormattedFile


def fmt(
    paths: list[Path] = PATHS,
    check: bool = typer.Option(False, "--check", help="Write nothing, and exit with 2 if a file would change."),
    diff: bool = typer.Option(False, "--diff", help="Print what changes, with secrets masked."),
) -> None:
    """Put manifests into the usual layout, and print the names of the files that changed.

    Keys get the order apiVersion, kind, metadata, spec, and fields that of their kind; each level is indented by two
    spaces. Values, quotes, comments, anchors and blank lines stay. JSON is left as it is, and so is what other tools
    read. `-` formats standard input to standard output.
    """
    from rsspot.workflows.formatting import format_files

    if not paths:
        raise UsageError("no manifests given", hint="give files or directories, such as manifests/")
    files, problems = format_files(paths)
    changed = [file for file in files if file.changed]
    _note(files)
    if not check:
        _write(changed)
    _show(files, changed, diff=diff, check=check)
    if problems:
        raise ManifestError(problems, hint="these files are left as they are")
    if check and changed:
        raise typer.Exit(errors.CHANGES)


def _note(files: Iterable[FormattedFile]) -> None:
    for file in files:
        for note in file.notes:
            print(f"Note: {printable(note)}", file=sys.stderr)


def _write(changed: Iterable[FormattedFile]) -> None:
    for file in changed:
        if file.piped:
            continue
        try:
            file.write()
        except OSError as error:
            raise RsspotError(f"cannot write {file.path}: {error.strerror}") from None


def _show(files: list[FormattedFile], changed: list[FormattedFile], *, diff: bool, check: bool) -> None:
    here = session()
    if here.options.output != "table":
        here.emit([{"file": str(file.path), "changed": file.changed} for file in files])
        return
    for file in files:
        if file.piped and not check and not diff:
            sys.stdout.write(file.after)
    for file in changed:
        lines = file.diff() if diff else [] if file.piped and not check else [str(file.path)]
        for line in lines:
            print(printable(line))


COMMANDS: dict[str, Any] = {"fmt": fmt}
