"""Records a command line in the history: says what each of its words means, and adds it to state.db without secrets."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.grammar import declared_name, named_argument
from rsspot.cli.options import takes_value
from rsspot.cli_history import Word, is_shown, redacted
from rsspot.utils.text import did_you_mean

if TYPE_CHECKING:
    from rsspot.cli.session import CliSession
    from rsspot.config.loader import Resolved

HELP = frozenset({"--help", "-h", "--version", "-V"})
HELP_COMMANDS = frozenset({"help", "version"})

TYPO = 0.8
"""How close to a known command or option a word must be to count as a misspelling of it."""


def asks_for_help(rest: Sequence[str]) -> bool:
    """Whether a command line, without its global options, only asks for help. Then there is nothing to record."""
    own = rest[: rest.index("--")] if "--" in rest else rest
    return not rest or rest[0] in HELP_COMMANDS or bool(HELP & set(own))


def record(here: CliSession, root: Any, arguments: Sequence[str], exit_code: int, seconds: float) -> None:
    """Add a command to the history, unless the settings turn it off. root: the command line parser

    The first command that uses the service creates state.db; one that does not is recorded only if that exists.
    Whatever is wrong with the history, nothing is raised or printed: the command itself has done its work.
    """
    with suppress(Exception):
        if here.used_service or here.state_path.is_file():
            _record(here, root, arguments, exit_code, seconds)


def _record(here: CliSession, root: Any, arguments: Sequence[str], exit_code: int, seconds: float) -> None:
    from rsspot.state.history import HistoryEntry
    from rsspot.utils.clock import stamp

    settings, profile = _settings(here)
    if not settings.options.history:
        return
    started = stamp(here.clock.now() - timedelta(seconds=seconds))
    entry = HistoryEntry(started, redacted(words(root, arguments)), profile, exit_code, round(seconds, 3))
    with here.state(create=here.used_service) as state:
        state.history.add(entry)


def _settings(here: CliSession) -> tuple[Resolved, str | None]:
    """The settings that may turn off the history, and the name of the profile in use."""
    from rsspot.client.resolve import resolved_here
    from rsspot.errors import ConfigError

    try:
        return here.resolved, here.resolved.profile
    except ConfigError:
        # The selected profile does not exist. The default one decides, and the name may be anything.
        return resolved_here(config_path=here.config_file), None


def words(root: Any, arguments: Sequence[str]) -> Iterator[Word]:
    """What each word of a command line means. root: the command line parser"""
    reader = _Reader(root)
    return map(reader.read, arguments)


class _Reader:
    """Reads a command line like `options.split` and the parser do, but never fails: what it does not know is hidden."""

    def __init__(self, root: Any) -> None:
        self._global_value: bool | None = None
        self._values: deque[bool] = deque()
        self._globals_over = False
        self._options_over = False
        self._lost = False
        """Whether an option was unknown. From there on, nobody knows which word is what."""
        self._enter(root, None)

    def _enter(self, command: Any, parent: Any) -> None:
        self._command = command
        # The command keeps what it makes of its settings, such as its help option: they must be its own.
        settings = {"info_name": command.name, "parent": parent, "resilient_parsing": True, **command.context_settings}
        self._context = typer.Context(command, **settings)
        self._declared = _declarations(command)
        parameters = command.get_params(self._context)
        self._options = {
            name: each for each in parameters if _is_option(each) for name in (*each.opts, *each.secondary_opts)
        }
        self._arguments = deque(each for each in parameters if not _is_option(each))

    def read(self, text: str) -> Word:
        """What the next word means."""
        if self._global_value is not None:
            shown, self._global_value = self._global_value, None
            return Word(value=text, shown=shown)
        self._globals_over |= text == "--"
        word = None if self._globals_over else self._global(text)
        if word is not None:
            return word
        if self._values:
            return Word(value=text, shown=self._values.popleft())
        if self._options_over or not text.startswith("-") or text == "-":
            return self._positional(text)
        if text == "--":
            self._options_over = True
            return Word(text)
        return self._option(text) if text.startswith("--") or text in self._options else self._cluster(text)

    def _global(self, text: str) -> Word | None:
        name, equals, value = text.partition("=")
        if takes_value(name) and equals and name.startswith("--"):
            return Word(f"{name}=", value, shown=True)
        takes = takes_value(text)
        if takes:
            self._global_value = True
        return None if takes is None else Word(text)

    def _option(self, text: str) -> Word:
        name, equals, value = text.partition("=")
        option = self._options.get(declared_name(name, self._options))
        if option is None and name == "--name":
            option = named_argument(self._command)
            # The next word is the argument after the name.
            self._arguments = deque(each for each in self._arguments if each is not option)
        if option is None:
            self._lost = True
            # It may be a password that begins with a hyphen. A misspelled option is worth reading.
            known = did_you_mean(name, self._options, closeness=TYPO) is not None
            return Word(f"{name}=" if equals else name, value if equals else None) if known else Word("--", text[2:])
        if equals:
            return Word(f"{name}=", value, self._shows(option))
        self._expect_values(option)
        return Word(text)

    def _cluster(self, text: str) -> Word:
        """Short options in one word, such as `-yl app`; the last one may have its value in it."""
        for end, letter in enumerate(text[1:], start=2):
            option = self._options.get(f"-{letter}")
            if option is None:
                self._lost = True
                return Word(text[: end - 1], text[end - 1 :])
            if not _is_flag(option) and text[end:]:
                return Word(text[:end], text[end:], self._shows(option))
            self._expect_values(option)
        return Word(text)

    def _positional(self, text: str) -> Word:
        if hasattr(self._command, "resolve_command"):
            return self._subcommand(text)
        argument = self._arguments[0] if self._arguments else None
        if argument is None or self._lost:
            return Word(value=text)
        if argument.nargs != -1:
            self._arguments.popleft()
        return Word(value=text, shown=self._shows(argument))

    def _subcommand(self, text: str) -> Word:
        command = None
        with suppress(Exception):
            _, command, _ = self._command.resolve_command(self._context, [text])
        if command is not None:
            self._enter(command, self._context)
            return Word(text)
        self._lost = True
        # A misspelled command is worth reading. Any other word may be a token.
        known = self._command.list_commands(self._context)
        return Word(value=text, shown=did_you_mean(text, known, closeness=TYPO) is not None)

    def _expect_values(self, option: Any) -> None:
        self._values.extend([] if _is_flag(option) else [self._shows(option)] * option.nargs)

    def _shows(self, parameter: Any) -> bool:
        declared = self._declared.get(parameter.name)
        return declared is not None and (is_shown(declared.default) or is_shown(declared.annotation))


def _declarations(command: Any) -> Mapping[str, inspect.Parameter]:
    """The parameters of the function that a command calls, by name. None if they cannot be read, so all are hidden."""
    with suppress(TypeError, NameError):
        return inspect.signature(command.callback, eval_str=True).parameters
    return {}


def _is_option(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "option")


def _is_flag(option: Any) -> bool:
    """Whether an option has no value."""
    return bool(getattr(option, "is_flag", False) or getattr(option, "count", False))
