"""The commands by name, with their help; imports the module of a command only when that command is used."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

import typer

from rsspot import services
from rsspot.cli.typer_settings import SETTINGS

OWN = {
    "plan": ("rsspot.cli.reconcile", "Show what apply would change."),
    "apply": ("rsspot.cli.reconcile", "Make live objects match the manifests."),
    "destroy": ("rsspot.cli.reconcile", "Delete everything a stack owns."),
    "validate": ("rsspot.cli.reconcile", "Check manifests without contacting the service."),
    "explain": ("rsspot.cli.explain", "Show why the plan does what it does with one object."),
    "login": ("rsspot.cli.account", "Log in with a browser and store the refresh token."),
    "logout": ("rsspot.cli.account", "Remove the refresh token of a profile."),
    "whoami": ("rsspot.cli.account", "Show the current user and when the token expires."),
    "configure": ("rsspot.cli.account", "Write a profile to the config file."),
    "profiles": ("rsspot.cli.account", "List, show, select and delete profiles."),
    "config": ("rsspot.cli.config", "Show settings and their sources, and set defaults."),
    "history": ("rsspot.cli.history", "List past commands, with secrets removed."),
    "state": ("rsspot.cli.state", "Export, import and clean up state.db."),
    "ledger": ("rsspot.cli.ledger", "Show past runs, step by step."),
    "simulator": ("rsspot.cli.simulator", "Run and control a local simulator of the Spot API."),
}
"""Commands of the CLI itself: name -> (module, help)."""


@cache
def groups() -> dict[str, tuple[str, str]]:
    """Command groups of the services: name -> (folder, help). Imports only the packages, not their modules."""
    groups_by_name: dict[str, tuple[str, str]] = {}
    for folder in services.folders():
        package = importlib.import_module(f"{services.__name__}.{folder}")
        groups_by_name |= {name: (folder, help) for name, help in getattr(package, "GROUPS", {}).items()}
    return groups_by_name


def load(name: str) -> Any:
    """Import a command and return it as the command line parser needs it."""
    if name in OWN:
        command_or_group = importlib.import_module(OWN[name][0]).COMMANDS[name]
        app = command_or_group if isinstance(command_or_group, typer.Typer) else _single(command_or_group)
    else:
        from rsspot.cli.kinds import group_app

        app = group_app(name, *groups()[name])
    command = typer.main.get_command(app)
    command.name = name
    return command


def _single(function: Callable[..., Any]) -> typer.Typer:
    app = typer.Typer(**{**SETTINGS, "no_args_is_help": False})
    app.command()(function)
    return app
