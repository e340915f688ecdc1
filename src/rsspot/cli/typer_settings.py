"""The settings that every Typer application of the command line is created with."""

from __future__ import annotations

from typing import Any

SETTINGS: dict[str, Any] = {
    "add_completion": False,
    # Rich help alone would double the start-up time.
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "no_args_is_help": True,
}
