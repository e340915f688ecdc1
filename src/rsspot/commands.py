"""How a service declares commands of its own: async functions from (session, options) to a value to print.

    commands = Commands[CloudSpaces]("cloudspaces")

    @commands.add
    async def upgrade(session: CommandSession[CloudSpaces], name: str, version: str) -> object:
        ...

Opens nothing, prints nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

Api = TypeVar("Api")
Api_co = TypeVar("Api_co", covariant=True)
Command = Callable[..., Awaitable[object]]


class CommandSession(Protocol[Api_co]):
    """What a command is given. The CLI implements it."""

    @property
    def api(self) -> Api_co:
        """The service's own group of the client, opened on first use."""
        ...

    @property
    def region(self) -> str | None:
        """The region to use when the command names none: --region, or the profile's."""
        ...


class Commands(Generic[Api]):
    """The commands of one service, in the order in which they were added. group: its name on the client."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.all: dict[str, Command] = {}

    def add(self, command: Command) -> Command:
        """Add a command under its function's name; its docstring is its help."""
        self.all[command.__name__.replace("_", "-")] = command
        return command
