"""The root of the command line: which commands there are, imported only when one is used."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from contextlib import closing
from functools import cache
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from rsspot import services
from rsspot.cli import errors
from rsspot.cli.options import CliOptions, split
from rsspot.cli.session import CliSession
from rsspot.errors import UsageError

OWN = {
    "plan": ("rsspot.cli.reconcile", "Show what an apply would change. Changes nothing."),
    "apply": ("rsspot.cli.reconcile", "Make it so."),
    "destroy": ("rsspot.cli.reconcile", "Delete everything a stack owns."),
    "validate": ("rsspot.cli.reconcile", "Check manifests without speaking to the service."),
    "login": ("rsspot.cli.account", "Log in on another screen, and keep the refresh token."),
    "logout": ("rsspot.cli.account", "Forget the refresh token of a profile."),
    "whoami": ("rsspot.cli.account", "Show who the token is of, and until when."),
    "configure": ("rsspot.cli.account", "Write a profile into the config file."),
    "profiles": ("rsspot.cli.account", "The profiles of the config file."),
    "config": ("rsspot.cli.config", "What is set, and where it was set."),
    "history": ("rsspot.cli.history", "The commands that were run, without their secrets."),
    "state": ("rsspot.cli.history", "Records of state.db, to move them elsewhere."),
    "ledger": ("rsspot.cli.ledger", "What was applied, step by step."),
    "simulator": ("rsspot.cli.simulator", "The Spot API on this machine."),
}
EPILOG = (
    "CliOptions for every command, anywhere on the line: --sandbox, --profile/-p NAME, --config-file/-c FILE,"
    " --org NAME, --region NAME, --output/-o table|json|yaml, --no-color, --no-cache, --verbose/-v."
)
SETTINGS: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "no_args_is_help": True,
}
"""Settings of every Typer: rich help alone would double the start-up."""


@cache
def groups() -> dict[str, tuple[str, str]]:
    """Command groups of the services: name -> (folder, help). Reads only the folders' first lines."""
    found: dict[str, tuple[str, str]] = {}
    for folder in services.folders():
        package = importlib.import_module(f"{services.__name__}.{folder}")
        found |= {name: (folder, help) for name, help in getattr(package, "GROUPS", {}).items()}
    return found


class LazyGroup(TyperGroup):
    """Knows every command by name and help; imports the one that is used."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*OWN, *sorted(groups())]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = OWN.get(cmd_name) or groups().get(cmd_name)
        return TyperCommand(cmd_name, help=entry[1], rich_markup_mode=None) if entry else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, stub, rest = super().resolve_command(ctx, args)
        return (name, _load(stub.name), rest) if stub is not None and stub.name else (name, stub, rest)


def _load(name: str) -> Any:
    if name in OWN:
        found = importlib.import_module(OWN[name][0]).COMMANDS[name]
        app = found if isinstance(found, typer.Typer) else _single(found)
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


root = typer.Typer(cls=LazyGroup, epilog=EPILOG, **SETTINGS)


@root.callback()
def _root() -> None:
    """Rackspace Spot: plan and apply YAML manifests, list and inspect what runs."""


def run(arguments: list[str]) -> int:
    """Run a command line; gives the exit code."""
    began = time.monotonic()
    options = CliOptions()
    code = errors.ERROR
    try:
        options, rest = split(arguments)
        with closing(CliSession(options)) as session:
            try:
                code = _run(options, rest)
            finally:
                session.note(arguments, code, time.monotonic() - began)
    except UsageError as error:
        code = errors.report(error, options)
    return code


def _run(options: CliOptions, rest: list[str]) -> int:
    try:
        result = typer.main.get_command(root)(rest or ["--help"], prog_name="rsspot", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
        return result if isinstance(result, int) else errors.OK
    except typer.Exit as end:
        return end.exit_code
    except typer.Abort:
        return errors.report(KeyboardInterrupt(), options)
    except (BrokenPipeError, SystemExit):
        # Whoever read us went away; there is nobody to tell. Typer turns some of these into SystemExit.
        sys.stderr.close()
        return errors.ERROR
    except BaseException as error:
        return _usage(error, options) if hasattr(error, "format_message") else errors.report(error, options)


def _usage(error: Any, options: CliOptions) -> int:
    """What the command line parser has to say. Its errors have no public base class in every version we support."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message(), file=sys.stderr)
        return errors.USAGE
    return errors.report(UsageError(error.format_message(), hint=context and context.get_usage()), options)
