"""CliSession: the client, settings and output of one command. Each command runs in its own event loop."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Awaitable
from contextlib import suppress
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

from rsspot.cli.listed_names import ListedNames
from rsspot.cli.options import CliOptions
from rsspot.cli.printing import Printing
from rsspot.cli.timing import RequestCount
from rsspot.errors import RsspotError
from rsspot.utils.text import printable

if TYPE_CHECKING:
    from datetime import datetime

    from rsspot.cli.event_file import EventFiles
    from rsspot.cli.plan_display import PlanDisplay
    from rsspot.cli.waits import Display, Draw, Waits
    from rsspot.client.async_client import AsyncSpotClient
    from rsspot.config.loader import Resolved
    from rsspot.http.hooks import Exchange, Hooks
    from rsspot.state.ledger.protocol import Ledger
    from rsspot.state.store import StateStore
    from rsspot.utils.clock import Clock

T = TypeVar("T")
_current: ContextVar[CliSession] = ContextVar("session")


class CliSession(Printing):
    """Opens the client on first use and closes it when the command ends. clock: the system's unless given"""

    def __init__(self, options: CliOptions, clock: Clock | None = None) -> None:
        self.options = options
        self._clock = clock
        self.fresh = options.no_cache
        """Whether to bypass the response cache; plan and apply set it."""
        self.writes = False
        """Whether the command is to write to the ledger; apply and its like set it."""
        self.every_event = False
        """Whether a run prints every event, however many steps it has."""
        self.event_files: EventFiles | None = None
        """The files that tell programs of a run."""
        self.plan_display: PlanDisplay | None = None
        """How plans are shown, and where else they are written to; the usual way unless options say."""
        self.display: Display | None = None
        """What is shown instead of the waits while a run lasts."""
        self.request_count = RequestCount()
        self._listed = ListedNames()
        _current.set(self)

    @cached_property
    def clock(self) -> Clock:
        """The time of day here. The sandbox has another one, that of its client."""
        from rsspot.utils.clock import SystemClock

        return self._clock or SystemClock()

    def now(self) -> datetime:
        """The time by the clock of the client, if there is one: the sandbox has its own."""
        return (self.client.clock if self.used_service else self.clock).now()

    @cached_property
    def client(self) -> AsyncSpotClient:
        client = self._new_client()
        client.on_list = self._listed.add
        return client

    def _new_client(self) -> AsyncSpotClient:
        if self.options.sandbox:
            from rsspot.cli.sandbox import sandbox_client

            return sandbox_client(self.resolved, cache=not self.fresh, hooks=self.hooks)
        from rsspot.cli.login import on_terminal
        from rsspot.client.async_client import AsyncSpotClient

        return AsyncSpotClient(
            resolved=self.resolved,
            clock=self.clock,
            cache=not self.fresh,
            hooks=self.hooks,
            token_folder=self.token_folder,
            log_in=on_terminal(self.clock, self.resolved.get("organization"), self.hooks, sys.stdin, sys.stderr),
        )

    @cached_property
    def reading_ledger(self) -> Ledger:
        """The ledger, for what can do without it. If it cannot be read, this warns and gives an empty one.

        A command that is to write to it ends here, before anything is planned, asked or sent.
        """
        from rsspot.errors import StateError
        from rsspot.state.database import Database
        from rsspot.state.ledger.sqlite import SqliteLedger

        try:
            return self.whole_ledger
        except StateError as error:
            if self.writes:
                raise
            print(f"warning: {printable(error.message)}; continuing without the ledger", file=sys.stderr)
            return SqliteLedger(Database(None))

    @cached_property
    def whole_ledger(self) -> Ledger:
        """The ledger, which is not created if missing. Raises StateError if it cannot be read."""
        from rsspot.state.ledger import open_ledger

        return open_ledger(self.ledger_url or self.state_path, create=False, reading=not self.writes)

    @cached_property
    def resolved(self) -> Resolved:
        """The settings of this command. Warns if others can read the token in the config file."""
        resolved = self.resolve_again()
        if resolved.exposed:
            file = printable(str(resolved.config_file))
            hint = f"run: chmod 600 {shlex.quote(file)}"
            print(f"warning: {file} holds a token and can be read by other users; {hint}", file=sys.stderr)
        return resolved

    def resolve_again(self) -> Resolved:
        """Resolve the settings anew, after something was written."""
        if self.options.sandbox:
            from rsspot.cli.sandbox import sandbox_settings

            return sandbox_settings(self.options.region, self.options.ledger)
        from rsspot.client.resolve import resolved_here

        options = self.options
        return resolved_here(
            profile=options.profile,
            config_path=self.config_file,
            ledger=options.ledger,
            organization=options.organization,
            region=options.region,
        )

    def resolve_profile(self) -> str:
        """The name of the selected profile, even if the config file does not have it yet."""
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
        """The default region: --region, or the profile's."""
        return self.resolved.options.region

    @property
    def config_file(self) -> Path | None:
        """The file given by --config-file."""
        return Path(self.options.config_file) if self.options.config_file else None

    @property
    def state_path(self) -> Path:
        """Path of state.db. It depends on the config file, not on the profile."""
        if self.options.sandbox:
            return self.resolved.state_path
        from rsspot.config.loader import state_path_of

        file = self.config_file
        if file is not None and not file.exists():
            # The command is about to create it.
            return file.parent / "state.db"
        return state_path_of(file)

    @property
    def ledger_url(self) -> str | None:
        """URL of the ledger; None if it is in state.db. Like that, it does not depend on the profile."""
        if self.options.ledger or self.options.sandbox:
            return self.options.ledger
        from rsspot.config.loader import ledger_of

        file = self.config_file
        return ledger_of(file if file is None or file.exists() else None)

    @property
    def token_folder(self) -> Path:
        """The folder that caches tokens between commands."""
        return self.state_path.parent / "tokens"

    @cached_property
    def waits(self) -> Waits:
        """What the command waits for, told on standard error."""
        from rsspot.cli.waits import Waits
        from rsspot.utils.clock import SystemClock

        return Waits(SystemClock(), lambda line: print(printable(line), file=sys.stderr), self.drawing(sys.stderr))

    @cached_property
    def hooks(self) -> Hooks:
        """What this command hears of its requests and waits."""
        from rsspot.http.hooks import Hooks

        def log(exchange: Exchange) -> None:
            print(printable(str(exchange)), file=sys.stderr)

        return Hooks(
            after=[log, self.request_count.add] if self.options.verbose else [],
            waits=[self.waits.begin],
        )

    def drawing(self, stream: TextIO) -> Draw | None:
        """How to show lines that are replaced in place; None unless the stream is a terminal that can do that."""
        usable = stream is not None and stream.isatty() and not self.plain_text
        return getattr(stream, "draw", None) if usable else None

    def run(self, work: Awaitable[T]) -> T:
        """Run a command's coroutine, then close the client if it was opened."""
        results: list[T] = []

        async def run_and_close() -> None:
            ticking = asyncio.create_task(keep_ticking(lambda: self.display or self.waits, SystemClock()))
            try:
                results.append(await work)
            finally:
                ticking.cancel()
                if "client" in self.__dict__:
                    await self.client.aclose()

        import asyncio

        from rsspot.cli.waits import keep_ticking
        from rsspot.errors import Cancelled
        from rsspot.utils.clock import SystemClock

        try:
            # Not as the result of the task: on its way out, asyncio would make a text of that, however long.
            asyncio.run(run_and_close())
        except KeyboardInterrupt:
            # Typer would exit with its own code and no message.
            raise Cancelled("interrupted") from None
        return results[0]

    @property
    def used_service(self) -> bool:
        """Whether the command has opened a client."""
        return "client" in self.__dict__

    def state(self, *, create: bool = False) -> StateStore:
        """The state.db of this command; one that is not there is made only with `create`."""
        from rsspot.state.store import StateStore

        if create and self.options.sandbox:
            from rsspot.cli.sandbox import claim

            claim()
        return StateStore(self.state_path, create=create, ledger=self.ledger_url)

    def close(self) -> None:
        """Close the ledger if it was opened, and keep the names that were listed, for shell completion."""
        for name in ("reading_ledger", "whole_ledger"):
            if name in self.__dict__:
                getattr(self, name).close()
        if self._listed and not self.fresh:
            # Invalid settings: the command itself has already reported what matters.
            with suppress(RsspotError):
                self._listed.keep(self.resolved, self.state_path)


def session() -> CliSession:
    """The session of the running command."""
    return _current.get()
