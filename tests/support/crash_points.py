"""Every moment at which a killed apply leaves something else behind: around each ledger write, request and wait.

Kills the process at one of them, or keeps a list of all.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from rsspot.state.ledger.protocol import Ledger
from rsspot.utils.clock import Clock
from rsspot.wire import httpx

READS = frozenset(
    {
        *(
            "leases",
            "current_lease",
            "holds",
            "owned",
            "owned_refs",
            "together",
            "open_steps",
            "unfinished_runs",
            "runs",
            "plan",
            "made_by",
            "steps",
        ),
        *("attempts", "registration", "registrations", "registered", "close", "keeps_time", "time"),
    }
)
"""The methods of a ledger that write nothing. Whatever else it has is a write."""
TIMED = frozenset({"renew"})
"""The writes that come when the clock of this machine says so, and that tell the next run nothing: no crash points."""


class Moment(NamedTuple):
    """One moment. what: `ledger settle`, `part settle` of a commit to come, `POST`, `sleep`

    side: before or after its effect
    """

    what: str
    side: str

    @property
    def is_durable(self) -> bool:
        """Whether something that lasts has just been done, which had not been done at the moment before."""
        return self.side == "after" and (self.is_write or self.is_mutation)

    @property
    def is_write(self) -> bool:
        return self.what.startswith("ledger ")

    @property
    def is_mutation(self) -> bool:
        return self.what in ("POST", "PATCH", "DELETE")

    def __str__(self) -> str:
        return f"{self.what} {self.side}"


CHOICES: dict[str, Callable[[Moment], bool]] = {
    "any": lambda _: True,
    "write": lambda moment: moment.is_write and moment.side == "after",
    "mutation": lambda moment: moment.is_mutation and moment.side == "after",
    "never": lambda _: False,
}


class Fuse:
    """Kills the process at the number-th moment of a choice, or of its own words. seen: hears of every moment before"""

    def __init__(self, choice: str = "never", number: int = 0, seen: Callable[[Moment], None] | None = None) -> None:
        self._chosen = CHOICES.get(choice, lambda moment: str(moment) == choice)
        self._left, self._seen = number, seen

    def touch(self, moment: Moment) -> None:
        """This is such a moment."""
        if self._seen is not None:
            self._seen(moment)
        if not self._chosen(moment):
            return
        self._left -= 1
        if not self._left:
            os.write(2, str(moment).encode())
            os.kill(os.getpid(), signal.SIGKILL)


class DeadlyLedger:
    """A ledger with a moment before and after each durable write."""

    def __init__(self, ledger: Ledger, fuse: Fuse) -> None:
        self._ledger, self._fuse = ledger, fuse
        self._within = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """Between its first moment and its last one nothing is durable."""
        with self._ledger.together():
            self._within = True
            try:
                yield
            finally:
                self._within = False
            self._fuse.touch(Moment("ledger together", "before"))
        self._fuse.touch(Moment("ledger together", "after"))

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._ledger, name)
        if name in READS or name in TIMED:
            return method

        def written(*args: Any, **kwargs: Any) -> Any:
            what = f"part {name}" if self._within else f"ledger {name}"
            self._fuse.touch(Moment(what, "before"))
            result = method(*args, **kwargs)
            self._fuse.touch(Moment(what, "after"))
            return result

        return written


class DeadlyTransport(httpx.AsyncBaseTransport):
    """Carries out each request, with a moment before that, and another one before its answer is seen."""

    def __init__(self, inner: httpx.AsyncBaseTransport, fuse: Fuse) -> None:
        self._inner, self._fuse = inner, fuse

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        what = "token" if request.url.path.startswith("/oauth") else request.method
        self._fuse.touch(Moment(what, "before"))
        try:
            return await self._inner.handle_async_request(request)
        finally:
            self._fuse.touch(Moment(what, "after"))


class DeadlyClock:
    """A clock with a moment before and after each sleep."""

    def __init__(self, inner: Clock, fuse: Fuse) -> None:
        self._inner, self._fuse = inner, fuse

    def now(self) -> datetime:
        return self._inner.now()

    def monotonic(self) -> float:
        return self._inner.monotonic()

    async def sleep(self, seconds: float) -> None:
        self._fuse.touch(Moment("sleep", "before"))
        await self._inner.sleep(seconds)
        self._fuse.touch(Moment("sleep", "after"))
