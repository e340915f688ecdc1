"""A process that is killed, without a process: from that moment on nothing of it reaches the ledger or the service."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from rsspot.state.ledger import open_database
from rsspot.state.ledger.protocol import Ledger
from rsspot.utils.process import identity_of
from rsspot.wire import httpx
from support import ledger_places
from support.witness import is_mutation

WRITES = ("acquire", "renew", "release", "begin", "intend", "answered", "settle", "skip", "ready", "finish")
"""The durable writes of a run."""


class Killed(asyncio.CancelledError):
    """What everything that a killed process still tries comes to. No `except Exception` catches it."""


class Life:
    """Ends right after a write of the ledger, or before or after a mutation: after so many of them, if at all."""

    def __init__(self, moment: str = "never", number: int = 0) -> None:
        self._moment, self._left = moment, number
        self.over = False

    def check(self) -> None:
        """Raise Killed once it is over."""
        if self.over:
            raise Killed

    def passes(self, moment: str) -> None:
        """One of the moments at which it may end."""
        self._left -= moment == self._moment
        self.over = self.over or (moment == self._moment and self._left < 0)
        self.check()


class MortalLedger:
    """A ledger that a killed process can no longer use. What it wrote before stays, as it does after SIGKILL."""

    def __init__(self, ledger: Ledger, life: Life) -> None:
        self._ledger, self._life = ledger, life

    @contextmanager
    def together(self) -> Iterator[None]:
        """Ends at one of its writes: none of them is durable then. Or right after it: all of them are."""
        self._life.check()
        with self._ledger.together():
            yield
        self._life.passes("write")

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._ledger, name)

        def called(*args: Any, **kwargs: Any) -> Any:
            self._life.check()
            result = method(*args, **kwargs)
            if name in WRITES:
                self._life.passes("write")
            return result

        return called


class MortalTransport(httpx.AsyncBaseTransport):
    """A way to the service on which a killed process sends nothing more."""

    def __init__(self, inner: httpx.AsyncBaseTransport, life: Life) -> None:
        self._inner, self._life = inner, life

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._life.check()
        if not is_mutation(request):
            return await self._inner.handle_async_request(request)
        self._life.passes("before")
        response = await self._inner.handle_async_request(request)
        self._life.passes("after")
        return response


def bury(ledger: Path) -> None:
    """Have the leases that were left behind be those of a process of this machine that has ended."""
    here = identity_of(os.getpid()).partition(".")[0]
    with closing(open_database(ledger_places.url_of(ledger.parent))) as opened, opened.transaction() as db:
        db.execute("UPDATE leases SET process = ? WHERE holder IS NOT NULL", (f"{here}.0",))
