"""The command group of one kind or service: the verbs of the kind, and the service's own commands."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any, get_type_hints

import typer

from rsspot.cli.command_table import declared, groups
from rsspot.cli.drawings import drawing_of
from rsspot.cli.grammar import App
from rsspot.cli.session import CliSession, session
from rsspot.cli.verbs import verbs_of
from rsspot.commands import Command, CommandResult, Commands
from rsspot.resources.registry import kinds, part
from rsspot.utils.output import LINES, Plain


def group_app(name: str, folder: str, help: str) -> App:
    """Build the command group of this name, from the kind and the service folder that define it."""
    app = App()
    # Without a callback, Typer would collapse a group of one command into that command.
    app.callback(help=help)(lambda: None)
    for command_name, function in _functions(name, folder).items():
        app.command(command_name)(function)
    for borrowed, lender in declared("BORROWED").items():
        group, command_name = borrowed.split()
        if group == name:
            lending_group, lent = lender.split()
            app.command(command_name)(_functions(lending_group, groups()[lending_group][0])[lent])
    return app


def _functions(name: str, folder: str) -> dict[str, Callable[..., None]]:
    """The commands of a group by name: the verbs of the kind with this plural, and the service's own."""
    kind = next((kind for kind in kinds().values() if kind.plural == name), None)
    functions = verbs_of(kind) if kind else {}
    cli_module = part(folder, "cli")
    commands: Commands[Any] | None = cli_module.commands if cli_module else None
    if commands and (kind is None or commands.group == kind.plural):
        functions |= {each: as_function(command, commands) for each, command in commands.all.items()}
    return functions


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


def as_function(command: Command, commands: Commands[Any]) -> Callable[..., None]:
    """Wrap a service's command for Typer: hides its session parameter and prints the value it returns."""
    hints = _option_types(command)
    parameters = [
        parameter for parameter in inspect.signature(command).parameters.values() if parameter.name != "session"
    ]

    @functools.wraps(command)
    def function(**arguments: Any) -> None:
        here = session()

        async def work() -> object:
            return await command(ServiceSession(here, commands.group), **arguments)

        result = here.run(work())
        drawn = drawing_of(result, here) if isinstance(result, CommandResult) else None
        if drawn is not None:
            print(drawn)
        else:
            here.show(_shown(result, here, commands), plural=commands.plural)

    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            parameter.replace(annotation=hints[parameter.name], default=_default(parameter, commands))
            for parameter in parameters
        ]
    )
    function.__annotations__ = {parameter.name: hints[parameter.name] for parameter in parameters}
    del function.__wrapped__
    return function


def _shown(result: object, here: CliSession, commands: Commands[Any]) -> Plain:
    """What a service's command returned, as the formats need it."""
    if isinstance(result, CommandResult):
        as_rows = here.options.output.partition("=")[0] in LINES and result.rows is not None
        as_released = here.as_released and result.released is not None
        result = result.rows if as_rows else result.released if as_released else result.value
    return Plain(result, commands.address, commands.first, commands.extra, commands.whole)


def _default(parameter: inspect.Parameter, commands: Commands[Any]) -> Any:
    """The default of a parameter, with the further names and the help that its service gives the option."""
    option = commands.options.get(parameter.name)
    if option is None:
        return parameter.default
    default = ... if parameter.default is inspect.Parameter.empty else parameter.default
    names = (f"--{parameter.name.replace('_', '-')}", *option.short)
    return typer.Option(
        default, *(option.names or names), help=option.help, min=option.min, max=option.max, metavar=option.metavar
    )


def _option_types(command: Command) -> dict[str, Any]:
    """The types of a command's options. That of its session is left out: it is imported for type checkers only."""
    assert isinstance(command, FunctionType)
    options = FunctionType(command.__code__, command.__globals__)
    options.__annotations__ = {
        name: hint for name, hint in command.__annotations__.items() if name not in ("session", "return")
    }
    return get_type_hints(options, include_extras=True)
