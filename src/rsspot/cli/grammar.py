"""What our commands have beyond Typer's: global options and examples in every help, and suggestions for wrong words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from rsspot.cli.examples import examples_of
from rsspot.cli.options import GLOBAL_OPTIONS
from rsspot.cli.value_names import argument_usage, value_name
from rsspot.errors import UsageError
from rsspot.utils.text import did_you_mean, squashed

DESCRIPTIONS = "descriptions"
"""The attribute of a command's function that gives option name -> description, where that is not known at once."""
HELP_NAMES = {"help_option_names": ["-h", "--help"]}


class Command(TyperCommand):
    """A command. `--server-class` can also be written `--serverclass`, and an argument NAME as `--name NAME`."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        for parameter in self.params:
            if parameter.param_type_name == "argument":
                parameter.metavar = value_name(parameter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words after the command's name."""
        return super().parse_args(ctx, _name_in_its_place(self, _as_declared(self, list(args))))

    def describe(self) -> None:
        """Give the options that are fields of a spec the descriptions of these fields. Reading them takes a while."""
        descriptions: dict[str, str] = getattr(self.callback, DESCRIPTIONS, dict)()
        for parameter in self.params:
            parameter.help = descriptions.get(parameter.name, getattr(parameter, "help", None))  # type: ignore[attr-defined]
            parameter.metavar = value_name(parameter)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words of the usage line."""
        arguments = [each for each in self.get_params(ctx) if each.param_type_name == "argument"]
        return [*filter(None, [self.options_metavar]), *map(argument_usage, arguments)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and options."""
        self.describe()
        records = [(each, each.get_help_record(ctx)) for each in self.get_params(ctx)]
        shown = [(each, record) for each, record in records if record]
        # The parser's own name of an argument has its type behind it.
        arguments = [(value_name(each), help) for each, (_, help) in shown if each.param_type_name == "argument"]
        _write_list(formatter, "Arguments", arguments)
        _write_list(formatter, "Options", [record for each, record in shown if each.param_type_name == "option"])

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write what follows the options in a help."""
        _write_examples(ctx, formatter)
        _write_global_options(formatter)


class CommandGroup(TyperGroup):
    """A group of commands. A word that is none of them is refused with the closest one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first word names, and the other words. Raises NoSuchCommand."""
        command = self.get_command(ctx, args[0])
        if command is None and not args[0].startswith("-"):
            known = [name for name in self.list_commands(ctx) if not _hidden(self, ctx, name)]
            raise NoSuchCommand(args[0], known, ctx.command_path)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, each with the whole first sentence of its help. The parser would cut it."""
        names = [name for name in self.list_commands(ctx) if not _hidden(self, ctx, name)]
        commands: list[Any] = [self.get_command(ctx, name) for name in names]
        helps = [each.get_short_help_str(limit=len(each.help or "")) for each in commands]
        _write_list(formatter, "Commands", list(zip(names, helps, strict=True)))

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write what follows the commands in a help."""
        _write_examples(ctx, formatter)
        _write_global_options(formatter)


class App(typer.Typer):
    """A Typer application whose commands and groups are ours."""

    def __init__(self, **settings: Any) -> None:
        defaults: dict[str, Any] = {
            "cls": CommandGroup,
            "context_settings": HELP_NAMES,
            "add_completion": False,
            # Rich help alone would double the start-up time.
            "rich_markup_mode": None,
            "pretty_exceptions_enable": False,
            "no_args_is_help": True,
        }
        super().__init__(**{**defaults, **settings})

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """Add a command, as Typer does."""
        own = {"cls": Command, **settings}
        own["context_settings"] = {**HELP_NAMES, **(settings.get("context_settings") or {})}
        return super().command(name, **own)


class NoSuchCommand(Exception):
    """A word is no command. An error of the parser, like those of Click."""

    def __init__(self, word: str, known: Sequence[str], path: str) -> None:
        super().__init__(word)
        self.message = f"no such command {word!r}"
        self.hint = did_you_mean(word, known) or f"`{path} --help` lists the commands"

    def format_message(self) -> str:
        """The message, under the name that Click's errors have it."""
        return self.message


def no_such_option(word: str, context: Any) -> UsageError:
    """The error about a word that is no option of the command, nor a global one."""
    own = [name for parameter in context.command.get_params(context) for name in parameter.opts]
    everywhere = [name for each in GLOBAL_OPTIONS for name in each.names]
    hint = (
        did_you_mean(word, [name for name in own + everywhere if name.startswith("--")])
        or f"`{context.command_path} --help` lists the options"
    )
    return UsageError(f"no such option {word}", hint=hint)


def _hidden(group: TyperGroup, ctx: Any, name: str) -> bool:
    command = group.get_command(ctx, name)
    return command is None or command.hidden


def declared_name(name: str, declared: Iterable[str]) -> str:
    """An option as its command declares it, where only hyphens, underscores or capitals differ."""
    names = set(declared)
    if name in names or not name.startswith("--"):
        return name
    return next((each for each in names if each.startswith("--") and squashed(each) == squashed(name)), name)


def named_argument(command: Any) -> Any:
    """The argument of a command that can also be given as `--name NAME`; None if it has none."""
    parameters = {parameter.name: parameter for parameter in command.params}
    name = parameters.get("name")
    return name if name is not None and name.param_type_name == "argument" else None


def _as_declared(command: TyperCommand, words: list[str]) -> list[str]:
    """The words with options as the command declares them."""
    declared = [name for each in command.params for name in (*each.opts, *each.secondary_opts)]
    end = words.index("--") if "--" in words else len(words)
    for index, word in enumerate(words[:end]):
        name, equals, value = word.partition("=")
        words[index] = f"{declared_name(name, declared)}{equals}{value}"
    return words


def _name_in_its_place(command: TyperCommand, words: list[str]) -> list[str]:
    """The words with `--name NAME` as an argument, for a command that has an argument NAME and no such option."""
    if named_argument(command) is None:
        return words
    end = words.index("--") if "--" in words else len(words)
    for index, word in enumerate(words[:end]):
        if word == "--name" and index + 1 < end:
            return [words[index + 1], *words[:index], *words[index + 2 :]]
        if word.startswith("--name="):
            return [word.removeprefix("--name="), *words[:index], *words[index + 1 :]]
    return words


def _write_examples(ctx: Any, formatter: Any) -> None:
    lines = examples_of(ctx.command_path)
    if lines:
        with formatter.section("Examples"):
            formatter.write("".join(f"{'':>{formatter.current_indent}}{line}\n" for line in lines))


def _write_global_options(formatter: Any) -> None:
    options = [option.help_record for option in GLOBAL_OPTIONS if option.help]
    _write_list(formatter, "Global options, accepted anywhere on the line", options)


def _write_list(formatter: Any, title: str, rows: list[tuple[str, str]]) -> None:
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows)
