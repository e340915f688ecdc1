"""How a service declares a command: an async function from (session, options) to a value.

Opens nothing, prints nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

Command = Callable[..., Awaitable[object]]


class CommandSession(Protocol):
    """What a command is given. The CLI fulfils it."""

    @property
    def client(self) -> Any:
        """The client of this run, opened on first use."""
        ...

    @property
    def region(self) -> str | None:
        """The region that is meant when nobody says another: --region, or the profile's."""
        ...


class Commands:
    """The special commands of one service, in the order in which they were added."""

    def __init__(self) -> None:
        self.all: dict[str, Command] = {}

    def add(self, command: Command) -> Command:
        """Add a command under its function's name; its docstring is its help."""
        self.all[command.__name__.replace("_", "-")] = command
        return command
