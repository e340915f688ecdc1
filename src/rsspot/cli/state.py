"""The `state` commands: where state.db is, moving its records to another machine, and clearing cached responses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from rsspot.cli.documents import read_document, write_document
from rsspot.cli.grammar import App
from rsspot.cli.session import session
from rsspot.cli_history import shown

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
    write_document(out, document)


@state.command("import")
def import_(
    file: Path = shown(typer.Argument(help="File written by `state export`; - reads standard input.")),
    replace: bool = typer.Option(False, "--replace", help="Overwrite existing records that differ."),
) -> None:
    """Import exported preferences and registrations: all of them or none."""
    document = read_document(file)
    with session().state(create=True) as store:
        session().emit({"taken": store.import_(document, replace=replace)})


@state.command("clear-cache")
def clear_cache() -> None:
    """Delete every cached response."""
    with session().state() as store:
        session().emit({"forgotten": store.http_cache.clear()})


COMMANDS: dict[str, Any] = {"state": state}
