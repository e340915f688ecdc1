"""The `state` commands: where state.db is, moving its records to another machine, and clearing cached responses."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer

from rsspot.cli.grammar import App
from rsspot.cli.session import session
from rsspot.cli_history import shown
from rsspot.errors import UsageError
from rsspot.utils.files import write_private
from rsspot.utils.output import as_json
from rsspot.utils.reading import MOST_BYTES, parse_json, read_text

state = App(help="Export, import and clean up state.db.")


@state.command()
def path() -> None:
    """Show the path of state.db."""
    from rsspot.state.first_release import own_file

    session().emit({"state": str(own_file(session().state_path))})


@state.command("export")
def export(
    out: Path | None = shown(typer.Option(None, "--out", help="File to write; default: standard output.")),
) -> None:
    """Write preferences and registrations as JSON."""
    with session().state() as store:
        document = store.export()
    text = as_json(document) + "\n"
    if out is None:
        print(text, end="")
    else:
        try:
            write_private(out, text, follow=False)
        except OSError as error:
            raise UsageError(f"cannot write {out}: {error.strerror}") from None


@state.command("import")
def import_(
    file: Path = shown(typer.Argument(help="File written by `state export`; - reads standard input.")),
    replace: bool = typer.Option(False, "--replace", help="Overwrite existing records that differ."),
) -> None:
    """Import exported preferences and registrations: all of them or none."""
    try:
        if str(file) == "-" and sys.stdin is None:
            raise UsageError("standard input is closed")
        text = sys.stdin.read(MOST_BYTES) if str(file) == "-" else read_text(file, pipes=True)
        document = parse_json(text)
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from None
    except json.JSONDecodeError:
        raise UsageError(f"{file} is not valid JSON") from None
    except ValueError as error:
        raise UsageError(f"cannot read {file}: {error}") from None
    with session().state(create=True) as store:
        session().emit({"taken": store.import_(document, replace=replace)})


@state.command("clear-cache")
def clear_cache() -> None:
    """Delete every cached response."""
    with session().state() as store:
        session().emit({"forgotten": store.http_cache.clear()})


COMMANDS: dict[str, Any] = {"state": state}
