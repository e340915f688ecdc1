"""The command group of one kind or service: the verbs of the kind, and the service's own commands."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any, get_type_hints

import typer

from rsspot.cli.session import CliSession, session
from rsspot.cli.typer_settings import SETTINGS
from rsspot.cli.verbs import verbs_of
from rsspot.commands import Command, Commands
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
    if cli_module:
        commands: Commands[Any] = cli_module.commands
        for command_name, command in commands.all.items():
            app.command(command_name)(as_function(command, commands.group))
    return app


@dataclass
class ServiceSession:
    """What a service's command is given: the group of the client that it is about, and the region in use."""

    here: CliSession
    group: str

    @property
    def api(self) -> Any:
        return getattr(self.here.client, self.group)

    @property
    def region(self) -> str | None:
        return self.here.region


def as_function(command: Command, group: str) -> Callable[..., None]:
    """Wrap a service's command for Typer: hides its session parameter and prints the value it returns."""
    hints = _option_types(command)
    parameters = [
        parameter for parameter in inspect.signature(command).parameters.values() if parameter.name != "session"
    ]

    @functools.wraps(command)
    def function(**arguments: Any) -> None:
        here = session()

        async def work() -> object:
            return await command(ServiceSession(here, group), **arguments)

        here.emit(here.run(work()))

    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [parameter.replace(annotation=hints[parameter.name]) for parameter in parameters]
    )
    function.__annotations__ = {parameter.name: hints[parameter.name] for parameter in parameters}
    del function.__wrapped__
    return function


def _option_types(command: Command) -> dict[str, Any]:
    """The types of a command's options. That of its session is left out: it is imported for type checkers only."""
    assert isinstance(command, FunctionType)
    options = FunctionType(command.__code__, command.__globals__)
    options.__annotations__ = {
        name: hint for name, hint in command.__annotations__.items() if name not in ("session", "return")
    }
    return get_type_hints(options)
