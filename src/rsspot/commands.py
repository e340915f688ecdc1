"""Lets a service declare its own CLI commands: async functions that take a session and options and return a value.

    commands = Commands[CloudSpaces]("cloudspaces")

    @commands.add
    async def upgrade(session: CommandSession[CloudSpaces], name: str, version: str) -> object:
        ...

The CLI opens the session and prints the value. This file does neither.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

Api = TypeVar("Api")
Api_co = TypeVar("Api_co", covariant=True)
Command = Callable[..., Awaitable[object]]


class CommandSession(Protocol[Api_co]):
    """What a command gets as its first argument. The CLI implements it."""

    @property
    def api(self) -> Api_co:
        """The service's own group of the client, opened on first use."""
        ...

    @property
    def region(self) -> str | None:
        """The region to use if the command names none: from --region or the profile."""
        ...


class Commands(Generic[Api]):
    """The commands of one service, in the order they were added. group: the service's name on the client."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.all: dict[str, Command] = {}

    def add(self, command: Command) -> Command:
        """Add a command under its function's name; its docstring is its help."""
        self.all[command.__name__.replace("_", "-")] = command
        return command
