"""Lets a service declare its own CLI commands: async functions that take a session and options and return a value.

    commands = Commands[CloudSpaces]("cloudspaces")

    @commands.add
    async def upgrade(session: CommandSession[CloudSpaces], name: str, version: str) -> object:
        ...

The CLI opens the session and prints the value. This file does neither.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from rsspot.models.charts import PriceChart

Api = TypeVar("Api")
Api_co = TypeVar("Api_co", covariant=True)
Command = Callable[..., Awaitable[object]]


@dataclass(frozen=True)
class CommandResult:
    """What a command prints, where one value does not suit every format.

    value: for JSON and YAML · rows: for a table · released: for JSON and YAML in the shape of rsspot 0.3
    chart: for pictures · plotted: whether it takes the place of a table
    """

    value: object
    rows: object = None
    released: object = None
    chart: PriceChart | None = None
    plotted: bool = False


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


@dataclass(frozen=True)
class CommandOption:
    """What a service adds to an option of its commands: a help, short names, other names, and bounds of a number.

    metavar: what its value is called in help, where neither its type nor its name says so
    """

    help: str
    short: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    min: float | None = None
    max: float | None = None
    metavar: str | None = None


class Commands(Generic[Api]):
    """The commands of one service, in the order they were added. group: the service's name on the client.

    plural: what they list, in one word · address: how `-o name` calls a row, such as `serverclass/{server_class}`
    first, extra: the columns of tables that stand first, and those of wide tables only
    whole: the columns that matter most, in order: they are shortened last, and left out last
    options: parameter name -> more about the option
    """

    def __init__(
        self,
        group: str,
        *,
        plural: str = "",
        address: str = "{name}",
        first: Sequence[str] = (),
        extra: Sequence[str] = (),
        whole: Sequence[str] = (),
        options: Mapping[str, CommandOption] | None = None,
    ) -> None:
        self.group, self.plural, self.address = group, plural or group, address
        self.first, self.extra, self.whole = first, extra, whole
        self.options = options or {}
        self.all: dict[str, Command] = {}

    def add(self, command: Command) -> Command:
        """Add a command under its function's name; its docstring is its help."""
        self.all[command.__name__.replace("_", "-")] = command
        return command
