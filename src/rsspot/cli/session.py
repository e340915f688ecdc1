"""CliSession: what one command works with, and how its value gets out. One event loop for each command."""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rsspot.cli.options import Options

if TYPE_CHECKING:
    from rsspot.client.aio import AsyncSpotClient
    from rsspot.config.load import Resolved
    from rsspot.state.ledger import Ledger

T = TypeVar("T")
_current: ContextVar[CliSession] = ContextVar("session")


class CliSession:
    """Opens the client on first use and closes it with the command."""

    def __init__(self, options: Options) -> None:
        self.options = options
        _current.set(self)

    @cached_property
    def client(self) -> AsyncSpotClient:
        if self.options.sandbox:
            from rsspot.cli.sandbox import sandbox_client

            return sandbox_client()
        from rsspot.client.aio import AsyncSpotClient

        resolved = self._resolved()
        return AsyncSpotClient(resolved=resolved, token_folder=resolved.state_path.parent / "tokens")

    @cached_property
    def reading_ledger(self) -> Ledger:
        """The ledger for reading only.

        One that is not there is not made, and one that cannot be read is done without.
        """
        from rsspot.errors import StateError
        from rsspot.state.database import Database
        from rsspot.state.sqlite import SqliteLedger, open_ledger

        try:
            return open_ledger(self.state_path, create=False)
        except StateError as error:
            print(f"warning: {error.message}; going on without the ledger", file=sys.stderr)
            return SqliteLedger(Database(None))

    @cached_property
    def state_path(self) -> Path:
        """Where the ledger of these options lives; found without opening a client."""
        if self.options.sandbox:
            from rsspot.cli.sandbox import sandbox_settings

            return sandbox_settings().state_path
        return self._resolved().state_path

    def _resolved(self) -> Resolved:
        from rsspot.config.load import resolve

        said = self.options
        file = Path(said.config_file) if said.config_file else None
        return resolve(profile=said.profile, config_path=file, organization=said.organization)

    @property
    def colour(self) -> bool:
        """Whether to colour what goes to standard output."""
        import os

        return (
            sys.stdout is not None
            and sys.stdout.isatty()
            and not self.options.no_color
            and not os.environ.get("NO_COLOR")
        )

    def run(self, work: Awaitable[T]) -> T:
        """Run a command's coroutine and let go of what it opened."""

        async def whole() -> T:
            try:
                return await work
            finally:
                if "client" in self.__dict__:
                    await self.client.aclose()

        import asyncio

        return asyncio.run(whole())

    def close(self) -> None:
        """Let go of the ledger that was read."""
        if "reading_ledger" in self.__dict__:
            self.reading_ledger.close()

    def emit(self, value: object) -> None:
        """Print a command's value in the format asked for."""
        from rsspot.cli.render import render

        print(render(value, self.options.output))


def session() -> CliSession:
    """The session of the command that runs."""
    return _current.get()
