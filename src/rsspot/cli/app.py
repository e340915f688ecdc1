"""The root of the command line: parses the arguments, runs one command and returns its exit code."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from rsspot.cli import command_table, errors
from rsspot.cli.grammar import App, CommandGroup, no_such_option
from rsspot.cli.loading import load
from rsspot.cli.options import CliOptions, split
from rsspot.cli.recording import asks_for_help, record, words
from rsspot.cli.root_help import root_help, terminal_width
from rsspot.cli.session import CliSession
from rsspot.errors import Cancelled, UsageError
from rsspot.utils.streams import safe_streams

if TYPE_CHECKING:
    from rsspot.utils.clock import Clock


class LazyGroup(CommandGroup):
    """Lists every command with its help, but imports only the command that is used."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(f"{root_help(terminal_width())}\n")

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        with _interrupts_as_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        with _interrupts_as_errors():
            return super().invoke(ctx)

    def list_commands(self, ctx: Any) -> list[str]:
        return command_table.names()

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        help = command_table.help_of(cmd_name)
        return TyperCommand(cmd_name, help=help, rich_markup_mode=None) if help is not None else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, stub, rest = super().resolve_command(ctx, [command_table.spelled(args[0]), *args[1:]])
        return (name, load(stub.name), rest) if stub is not None and stub.name else (name, stub, rest)


@contextmanager
def _interrupts_as_errors() -> Iterator[None]:
    """Typer would end with a code of its own and without a message."""
    try:
        yield
    except KeyboardInterrupt:
        raise Cancelled("interrupted") from None


root = App(cls=LazyGroup)


@root.callback()
def _root() -> None:
    """The help is in `root_help`."""


def run(arguments: list[str], clock: Clock | None = None) -> int:
    """Run a command line and return its exit code. clock: that of this machine unless given"""
    with safe_streams():
        return _reported(arguments, clock)


def _reported(arguments: list[str], clock: Clock | None) -> int:
    """Run a command line, with its errors reported, and record it in the history."""
    began = time.monotonic()
    options = CliOptions()
    code = errors.ERROR
    rest, problem = _split(arguments, options)
    with closing(CliSession(options, clock)) as session:
        try:
            code = errors.report(problem, options) if problem else errors.delivered(_run(options, rest))
        finally:
            if problem or not asks_for_help(rest):
                _finish(session, arguments, code, time.monotonic() - began)
    return code


def _split(arguments: list[str], options: CliOptions) -> tuple[list[str], UsageError | None]:
    try:
        return split(arguments, options)[1], None
    except UsageError as error:
        return [], error


def _finish(session: CliSession, arguments: list[str], code: int, seconds: float) -> None:
    """Record a command that has ended, and with -v print how long it took."""
    parser = typer.main.get_command(root)
    record(session, parser, arguments, code, seconds)
    if session.options.verbose:
        from rsspot.cli.timing import timing

        print(timing(words(parser, arguments), seconds, session.request_count), file=sys.stderr)


def _run(options: CliOptions, rest: list[str]) -> int:
    try:
        result = typer.main.get_command(root)(rest or ["--help"], prog_name="rsspot", standalone_mode=False)
        return result if isinstance(result, int) else errors.OK
    except typer.Exit as end:
        return end.exit_code
    except typer.Abort:
        return errors.report(KeyboardInterrupt(), options)
    except BaseException as error:
        return _usage(error, options) if hasattr(error, "format_message") else errors.report(error, options)


def _usage(error: Any, options: CliOptions) -> int:
    """Report an error of the command line parser. These have no public base class in every version we support."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message(), file=sys.stderr)
        return errors.USAGE
    if hasattr(error, "option_name") and context is not None and hasattr(error, "possibilities"):
        return errors.report(no_such_option(error.option_name, context), options)
    usage = " ".join(context.get_usage().split()) if context else None
    return errors.report(UsageError(error.format_message(), hint=getattr(error, "hint", usage)), options)
