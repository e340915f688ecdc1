"""Stop: the wish that a controller ends, and how a run under way hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from rsspot.applier.options import CancelToken
from rsspot.utils.clock import Clock


class Stop:
    """The wish that a controller ends: it begins nothing more, and runs under way are stopped as Ctrl-C does it."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._runs: list[CancelToken] = []

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    @property
    def is_heard(self) -> bool:
        """Whether a run is under way that ends by itself once it is asked to."""
        return any(run.is_heard for run in self._runs)

    def ask(self) -> None:
        """End soon."""
        self._asked.set()
        for run in self._runs:
            run.ask()

    def abandon(self) -> None:
        """End without waiting for the requests under way."""
        self._asked.set()
        for run in self._runs:
            run.abandon()

    @contextmanager
    def during(self) -> Iterator[CancelToken]:
        """The token of a run that lasts as long as the block."""
        run = CancelToken()
        if self.asked:
            run.ask()
        self._runs.append(run)
        try:
            yield run
        finally:
            self._runs.remove(run)

    async def wait(self, seconds: float, clock: Clock) -> None:
        """Let that much time pass, or less if the end is asked for."""
        tasks = [asyncio.ensure_future(self._asked.wait()), asyncio.ensure_future(clock.sleep(seconds))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
