"""Walks every command, with its options and arguments, for what is derived from them. Imports all commands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer

from rsspot.cli.app import root
from rsspot.cli.command_table import group_at, names
from rsspot.cli.loading import load
from rsspot.cli.root_help import TITLE


@dataclass(frozen=True)
class CommandNode:
    """One command or group. words: how it is called, without `rsspot` · command: as the parser has it

    group: the command group that it belongs to, whichever way that is written
    """

    words: tuple[str, ...]
    command: Any
    children: tuple[CommandNode, ...] = ()
    group: str | None = None

    @property
    def whole_help(self) -> str:
        """Its help, as paragraphs."""
        return (self.command.help or "").strip() if self.words else TITLE

    @property
    def help(self) -> str:
        """The first sentence of its help."""
        first = self.whole_help.split("\n")[0]
        sentence, stop, _ = first.partition(". ")
        return f"{sentence}." if stop else first

    @property
    def options(self) -> list[Any]:
        """Its options that help shows."""
        if hasattr(self.command, "describe"):
            self.command.describe()
        return [each for each in self.command.params if each.param_type_name == "option" and not each.hidden]

    @property
    def arguments(self) -> list[Any]:
        """Its arguments in order."""
        return [each for each in self.command.params if each.param_type_name == "argument"]

    def walk(self) -> Iterator[CommandNode]:
        """The node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def command_tree() -> CommandNode:
    """The root, with all commands below it, in the order that help lists them."""
    top = tuple(_node((name,), load(name)) for name in names())
    return CommandNode((), typer.main.get_command(root), top)


def _node(words: tuple[str, ...], command: Any) -> CommandNode:
    commands: dict[str, Any] = getattr(command, "commands", {})
    children = tuple(_node((*words, name), each) for name, each in commands.items() if not each.hidden)
    groups = (group_at(list(words[:length])) for length in range(len(words), 0, -1))
    return CommandNode(words, command, children, next(filter(None, groups), None))
