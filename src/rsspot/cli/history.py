"""The history of commands: list it and clear it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from rsspot.cli.grammar import App
from rsspot.cli.session import session

history = App(help="List past commands, with secrets removed.")


@history.command("list")
def list_(limit: int = typer.Option(50, "--limit", min=1, help="How many commands to list.")) -> None:
    """List past commands, newest first."""
    with session().state() as state:
        session().emit([asdict(entry) for entry in state.history.entries(limit)])


@history.command()
def clear() -> None:
    """Delete the history."""
    with session().state() as state:
        session().emit({"forgotten": state.history.clear()})


COMMANDS: dict[str, Any] = {"history": history}
