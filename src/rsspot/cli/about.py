"""The commands `help` and `version`: other ways to write --help and --version."""

from __future__ import annotations

from typing import Any

import typer

from rsspot.constants import VERSION

WORDS = typer.Argument(None, metavar="COMMAND", help="The command; default: rsspot itself.")


def version() -> None:
    """Show the version."""
    print(f"rsspot {VERSION}")


def help_(words: list[str] | None = WORDS) -> None:
    """Show the help of a command."""
    from rsspot.cli.app import root

    typer.main.get_command(root)([*(words or []), "--help"], prog_name="rsspot", standalone_mode=False)


COMMANDS: dict[str, Any] = {"version": version, "help": help_}
