"""Commits: writes to the ledger that become durable together. Decides nothing, and knows no write.

A commit waits for the disk, and dozens of steps are under way at a time. So what steps want to write is collected until
each of them has had its turn, and then made durable by one commit. None goes on before that: an intent is durable
before its request goes out, as if it had a commit of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from rsspot.state.ledger.interruptions import persistently
from rsspot.state.ledger.protocol import Ledger

T = TypeVar("T")
Write = Callable[[], Any]


class Commits:
    """The writes of one run, in the order in which they were asked for."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: list[tuple[Write, asyncio.Future[Any]]] = []

    async def durable(self, write: Callable[[], T]) -> T:
        """Make a write, and go on once it is durable. Raises what it raises; it alone is then taken back."""
        done: T = await self._add(write)
        return done

    def note(self, write: Write) -> None:
        """Make a write that nothing waits for: it is durable with the next one that something does."""
        # Whoever waits for a later one hears of a ledger that cannot be written; nothing else is wrong with a note.
        self._add(write).add_done_callback(lambda done: done.cancelled() or done.exception())

    def flush(self) -> None:
        """Make all that was asked for durable at once."""
        # Whoever was cut off meanwhile wants nothing written any more.
        waiting = [each for each in self._waiting if not each[1].cancelled()]
        self._waiting = []
        if not waiting:
            return
        try:
            results = persistently(lambda: self._all([write for write, _ in waiting]))
        except BaseException as error:
            # Nothing of it is durable.
            results = [error] * len(waiting)
        for (_, future), result in zip(waiting, results, strict=True):
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _all(self, writes: Sequence[Write]) -> list[Any]:
        """Make all of them durable. Returns what each returned, or what it raised."""
        with self._ledger.together():
            return [_result(write) for write in writes]

    def _add(self, write: Write) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self.flush)
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((write, future))
        return future


def _result(write: Write) -> Any:
    """What a write returns, or what it raises."""
    try:
        return write()
    except Exception as error:
        return error
