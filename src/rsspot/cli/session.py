"""CliSession: what one command works with, and how its value gets out. One event loop for each command."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rsspot.cli.options import CliOptions

if TYPE_CHECKING:
    from rsspot.client.async_client import AsyncSpotClient
    from rsspot.config.loader import Resolved
    from rsspot.http.hooks import Exchange, Hooks
    from rsspot.state.ledger.protocol import Ledger

T = TypeVar("T")
_current: ContextVar[CliSession] = ContextVar("session")


class CliSession:
    """Opens the client on first use and closes it with the command."""

    def __init__(self, options: CliOptions) -> None:
        self.options = options
        self.fresh = options.no_cache
        """Whether kept answers will not do; plan and apply set it."""
        _current.set(self)

    @cached_property
    def client(self) -> AsyncSpotClient:
        if self.options.sandbox:
            from rsspot.cli.sandbox import sandbox_client

            return sandbox_client(self.resolved, cache=not self.fresh, hooks=self._hooks())
        from rsspot.cli.login import on_this_terminal
        from rsspot.client.async_client import AsyncSpotClient
        from rsspot.utils.clock import SystemClock

        clock = SystemClock()
        return AsyncSpotClient(
            resolved=self.resolved,
            clock=clock,
            cache=not self.fresh,
            hooks=self._hooks(),
            token_folder=self.token_folder,
            log_in=on_this_terminal(clock, self.resolved.get("organization")),
        )

    @cached_property
    def reading_ledger(self) -> Ledger:
        """The ledger for reading only.

        One that is not there is not made, and one that cannot be read is done without.
        """
        from rsspot.errors import StateError
        from rsspot.state.database import Database
        from rsspot.state.ledger import open_ledger
        from rsspot.state.ledger.sqlite import SqliteLedger

        try:
            return open_ledger(self.state_path, create=False)
        except StateError as error:
            print(f"warning: {error.message}; going on without the ledger", file=sys.stderr)
            return SqliteLedger(Database(None))

    @cached_property
    def resolved(self) -> Resolved:
        """The settings of this command."""
        return self.resolve_again()

    def resolve_again(self) -> Resolved:
        """The settings as they are now, after something was written."""
        if self.options.sandbox:
            from rsspot.cli.sandbox import sandbox_settings

            return sandbox_settings(self.options.region)
        from rsspot.client.resolve import resolved_here

        said = self.options
        return resolved_here(
            profile=said.profile, config_path=self.config_file, organization=said.organization, region=said.region
        )

    def resolve_profile(self) -> str:
        """The profile that is meant, whether or not the config file knows it yet."""
        from rsspot.errors import ConfigError

        if self.config_file is not None and not self.config_file.exists():
            return self.options.profile or "default"
        try:
            return self.resolved.profile
        except ConfigError:
            if self.options.profile is None:
                raise
            return self.options.profile

    @property
    def region(self) -> str | None:
        """The region that is meant when nobody says another."""
        return self.resolved.options.region

    @property
    def config_file(self) -> Path | None:
        """The config file that was named on the command line."""
        return Path(self.options.config_file) if self.options.config_file else None

    @property
    def state_path(self) -> Path:
        """Where the ledger of these options lives; found without opening a client, whatever the profile."""
        if self.options.sandbox:
            return self.resolved.state_path
        from rsspot.config.loader import state_path_of

        named = self.config_file
        if named is not None and not named.exists():
            # It is about to be made.
            return named.parent / "state.db"
        return state_path_of(named)

    @property
    def token_folder(self) -> Path:
        """Where tokens are kept between commands."""
        return self.state_path.parent / "tokens"

    @property
    def color(self) -> bool:
        """Whether to color what goes to standard output."""
        import os

        return (
            sys.stdout is not None
            and sys.stdout.isatty()
            and not self.options.no_color
            and not os.environ.get("NO_COLOR")
        )

    def _hooks(self) -> Hooks:
        from rsspot.http.hooks import Hooks

        def told(exchange: Exchange) -> None:
            print(exchange, file=sys.stderr)

        return Hooks(after=[told] if self.options.verbose else [])

    def run(self, work: Awaitable[T]) -> T:
        """Run a command's coroutine and let go of what it opened."""

        async def whole() -> T:
            try:
                return await work
            finally:
                if "client" in self.__dict__:
                    await self.client.aclose()

        import asyncio

        from rsspot.errors import Cancelled

        try:
            return asyncio.run(whole())
        except KeyboardInterrupt:
            # Typer would end with a code of its own, and without a word.
            raise Cancelled("stopped") from None

    def note(self, arguments: Sequence[str], exit_code: int, seconds: float) -> None:
        """Add the command to the history, if there is a state.db and it can be written; never make one for that."""
        if not {"client", "resolved"} & set(self.__dict__):
            return
        from rsspot.errors import RsspotError

        # Settings that cannot be used, or a file that cannot be written: the command has told of what matters.
        with suppress(RsspotError):
            if not self.resolved.options.history or not self.state_path.is_file():
                return
            from rsspot.cli_history import redacted
            from rsspot.state.database import IMPATIENT, Database
            from rsspot.state.history import History, HistoryEntry
            from rsspot.utils.clock import stamp, utc_now

            database = Database(self.state_path, durable=False, patience=IMPATIENT)
            entry = HistoryEntry(
                stamp(utc_now()), redacted(arguments), self.resolved.profile, exit_code, round(seconds, 3)
            )
            History(database).add(entry)
            database.close()

    def close(self) -> None:
        """Let go of the ledger that was read."""
        if "reading_ledger" in self.__dict__:
            self.reading_ledger.close()

    def emit(self, value: object) -> None:
        """Print a command's value in the format asked for."""
        from rsspot.utils.output import render

        print(render(value, self.options.output))


def session() -> CliSession:
    """The session of the command that runs."""
    return _current.get()
