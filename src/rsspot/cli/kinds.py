"""The command group of one kind or service: the verbs of the kind, and the service's own commands."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

import typer

from rsspot.cli.session import session
from rsspot.cli.typer_settings import SETTINGS
from rsspot.cli.verbs import verbs_of
from rsspot.commands import Command
from rsspot.resources.registry import kinds, part


def group_app(name: str, folder: str, help: str) -> typer.Typer:
    """Build the command group of this name, from the kind and the service folder that define it."""
    app = typer.Typer(**SETTINGS)
    # Without a callback, Typer would collapse a group of one command into that command.
    app.callback(help=help)(lambda: None)
    kind = next((kind for kind in kinds().values() if kind.plural == name), None)
    for verb, function in (verbs_of(kind) if kind else {}).items():
        app.command(verb)(function)
    cli_module = part(folder, "cli")
    for command_name, command in cli_module.commands.all.items() if cli_module else ():
        app.command(command_name)(as_function(command))
    return app


def as_function(command: Command) -> Callable[..., None]:
    """Wrap a service's command for Typer: hides its session parameter and prints the value it returns."""
    hints = get_type_hints(command)
    parameters = [
        parameter for parameter in inspect.signature(command).parameters.values() if parameter.name != "session"
    ]

    @functools.wraps(command)
    def function(**arguments: Any) -> None:
        here = session()

        async def work() -> object:
            return await command(here, **arguments)

        here.emit(here.run(work()))

    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [parameter.replace(annotation=hints[parameter.name]) for parameter in parameters]
    )
    function.__annotations__ = {parameter.name: hints[parameter.name] for parameter in parameters}
    del function.__wrapped__
    return function
