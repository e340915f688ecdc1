"""The `man` command: prints manual pages in roff, made from the commands, so that they are never out of date."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.value_names import argument_usage, value_name
from rsspot.constants import VERSION
from rsspot.errors import UsageError
from rsspot.utils.text import did_you_mean

if TYPE_CHECKING:
    from rsspot.cli.command_tree import CommandNode

WORDS = typer.Argument(None, metavar="COMMAND", help="The command; default: rsspot itself.")
OUT = typer.Option(None, "--out", help="Write a page for each command to this folder instead, as rsspot-plan.1.")


def man(words: list[str] = WORDS, out: Path | None = OUT) -> None:
    """Print the manual page of rsspot, or of one command: `rsspot man plan | man -l -`."""
    from rsspot.cli.command_tree import command_tree

    tree = command_tree()
    node = _find(tree, words or [])
    if out is None:
        print(page(node), end="")
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        for each in node.walk():
            (out / f"{_title(each)}.1").write_text(page(each), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write to {out}: {error.strerror}") from None


def page(node: CommandNode) -> str:
    """The manual page of a command or group."""
    return "\n".join([*_head(node), *_commands(node), *_parameters(node), *_global_options(), *_foot(node)]) + "\n"


def _find(tree: CommandNode, words: list[str]) -> CommandNode:
    from rsspot.cli.command_table import spelled

    node = tree
    for position, word in enumerate(words):
        known = {child.words[-1]: child for child in node.children}
        found = known.get(word) or known.get(word if position else spelled(word))
        if found is None:
            raise UsageError(f"no such command {word!r}", hint=did_you_mean(word, known))
        node = found
    return node


def _title(node: CommandNode) -> str:
    return "-".join(["rsspot", *node.words])


def _head(node: CommandNode) -> Iterator[str]:
    yield f'.TH "{_title(node).upper()}" "1" "" "rsspot {VERSION}" "rsspot"'
    yield from (".SH NAME", f"{_text(_title(node))} \\- {_text(node.help.rstrip('.'))}", ".SH SYNOPSIS")
    yield f".B {_text(' '.join(['rsspot', *node.words]))}"
    if node.options:
        yield "[\\fIOPTIONS\\fR]"
    if node.children:
        yield "\\fICOMMAND\\fR ..."
    yield from (f"\\fI{_text(argument_usage(each))}\\fR" for each in node.arguments)
    yield ".SH DESCRIPTION"
    for paragraph in node.whole_help.split("\n\n"):
        yield from (".PP", _text(" ".join(paragraph.split())))


def _commands(node: CommandNode) -> Iterator[str]:
    if node.children:
        yield ".SH COMMANDS"
    for child in node.children:
        yield from (".TP", f".B {_text(' '.join(child.words))}", _text(child.help))


def _parameters(node: CommandNode) -> Iterator[str]:
    described = [each for each in node.arguments if getattr(each, "help", None)]
    if described:
        yield ".SH ARGUMENTS"
    for each in described:
        yield from (".TP", f".I {_text(value_name(each))}", _text(each.help))
    if node.options:
        yield ".SH OPTIONS"
    for each in node.options:
        names = ", ".join(f"\\fB{_text(name)}\\fR" for name in (*each.opts, *each.secondary_opts))
        value = "" if each.is_flag else f" \\fI{_text(value_name(each))}\\fR"
        yield from (".TP", f"{names}{value}", _text(each.help or ""))


def _global_options() -> Iterator[str]:
    from rsspot.cli.options import GLOBAL_OPTIONS

    yield ".SH GLOBAL OPTIONS"
    yield "Accepted anywhere on the line."
    for option in GLOBAL_OPTIONS:
        if option.help:
            names = ", ".join(f"\\fB{_text(name)}\\fR" for name in option.names)
            value = f" \\fI{option.metavar}\\fR" if option.metavar else ""
            yield from (".TP", f"{names}{value}", _text(option.help))


def _foot(node: CommandNode) -> Iterator[str]:
    from rsspot.cli.examples import examples_of

    examples = examples_of(" ".join(["rsspot", *node.words]))
    if examples:
        yield ".SH EXAMPLES"
    for line in examples:
        yield from (".PP", ".nf", ".RS", _text(line), ".RE", ".fi")
    if node.words:
        yield from (".SH SEE ALSO", f".BR {_text('-'.join(['rsspot', *node.words[:-1]]))} (1)")


def _text(text: str) -> str:
    """A text in which roff sees nothing of its own: no escapes, no hyphens to break at, and no macro at its start."""
    escaped = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    # Not every roff reads UTF-8.
    escaped = "".join(each if each.isascii() else f"\\[u{ord(each):04X}]" for each in escaped)
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


COMMANDS: dict[str, Any] = {"man": man}
