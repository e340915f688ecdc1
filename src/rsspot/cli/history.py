"""The history of commands: list it, clear it, and say whether and where it is kept."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from rsspot.cli.grammar import App
from rsspot.cli.session import session
from rsspot.cli_history import shown

history = App(help="List past commands, with secrets removed.")


@history.command("list")
def list_(limit: int = shown(typer.Option(50, "--limit", min=1, help="How many commands to list."))) -> None:
    """List past commands, newest first."""
    from rsspot.utils.output import Plain

    with session().state() as state:
        entries = [asdict(entry) for entry in state.history.entries(limit)]
    session().show(Plain(entries, whole=("command", "started_at", "exit_code")))


@history.command()
def clear() -> None:
    """Delete the history."""
    with session().state() as state:
        session().emit({"forgotten": state.history.clear()})


@history.command()
def info() -> None:
    """Show whether commands are recorded, how many there are, and how many are kept at most."""
    from rsspot.state.first_release import own_file
    from rsspot.state.history import MAX_COMMANDS

    here = session()
    with here.state() as state:
        count = state.history.count()
    enabled, file = here.resolved.options.history, str(own_file(here.state_path))
    here.emit(
        {"enabled": enabled, "entries": count, "maxEntries": MAX_COMMANDS, "state": file},
        lambda _: {"enabled": enabled, "max_entries": MAX_COMMANDS, "count": count},
    )


COMMANDS: dict[str, Any] = {"history": history}
