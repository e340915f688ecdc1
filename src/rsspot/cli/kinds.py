"""The commands of one group: the verbs of its kind, and the special ones of its service beside them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

import typer

from rsspot.cli.app import SETTINGS
from rsspot.cli.session import session
from rsspot.cli.verbs import verbs_of
from rsspot.commands import Command
from rsspot.resources.registry import kinds, part


def group_app(name: str, folder: str, help: str) -> typer.Typer:
    """The commands of one group."""
    app = typer.Typer(**SETTINGS)
    # With a callback, a group of one command stays a group.
    app.callback(help=help)(lambda: None)
    kind = next((each for each in kinds().values() if each.plural == name), None)
    for verb, function in (verbs_of(kind) if kind else {}).items():
        app.command(verb)(function)
    special = part(folder, "cli")
    for command_name, command in special.commands.all.items() if special else ():
        app.command(command_name)(as_function(command))
    return app


def as_function(command: Command) -> Callable[..., None]:
    """A service's command as a function that Typer understands: without the session, and printing its value."""
    hints = get_type_hints(command)
    parameters = [each for each in inspect.signature(command).parameters.values() if each.name != "session"]

    @functools.wraps(command)
    def function(**given: Any) -> None:
        here = session()

        async def work() -> object:
            return await command(here, **given)

        here.emit(here.run(work()))

    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [each.replace(annotation=hints[each.name]) for each in parameters]
    )
    function.__annotations__ = {each.name: hints[each.name] for each in parameters}
    del function.__wrapped__
    return function
