"""Imports a command when it is used, and makes it what the command line parser needs."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

import typer

from rsspot.cli.command_table import OWN, declared, groups
from rsspot.cli.grammar import App


@cache
def load(name: str) -> Any:
    """Import a command and return it as the command line parser needs it. Made once: the history reads it again."""
    app = _app(name)
    command = typer.main.get_command(app)
    command.name = name
    return command


def _app(name: str) -> typer.Typer:
    if name in OWN:
        command_or_group = importlib.import_module(OWN[name][0]).COMMANDS[name]
        return command_or_group if isinstance(command_or_group, typer.Typer) else _single(command_or_group)
    from rsspot.cli.kinds import group_app

    if name in groups():
        return group_app(name, *groups()[name])
    help, members = declared("FAMILIES")[name]
    family = App(help=help)
    for member, group in members.items():
        family.add_typer(group_app(group, *groups()[group]), name=member)
    return family


def _single(function: Callable[..., Any]) -> typer.Typer:
    app = App(no_args_is_help=False)
    app.command()(function)
    return app
