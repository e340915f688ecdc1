"""Signals: whatever asks a command to end is treated like Ctrl-C, and an apply ends in three grades."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TextIO

from rsspot.errors import Cancelled

if TYPE_CHECKING:
    from types import FrameType

ENDING = tuple(
    number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
)
"""The signals of Ctrl-C, of `kill` and job runners, and of a terminal that is closed."""
MESSAGES = (
    "stopping once the requests under way are done; send the signal again to abandon them",
    "abandoning the requests under way; the next run finds out what became of them",
)


class Stoppable(Protocol):
    """What signals stop: the `CancelToken` of a run, or the `Stop` of a controller."""

    @property
    def is_heard(self) -> bool:
        """Whether something is under way that ends by itself once it is asked to."""
        ...

    def ask(self) -> None:
        """Stop soon."""
        ...

    def abandon(self) -> None:
        """Stop at once."""
        ...


def treat_like_interrupts() -> None:
    """Let each of these signals do what Ctrl-C does, unless whoever started the process had it ignored."""
    for number in ENDING:
        if number != signal.SIGINT and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def wait_for_input(stream: TextIO) -> None:
    """Wait until there is something to read, or a signal whose handler raises.

    A signal that arrives right before a read is noted, and the read would sleep on nevertheless: Python looks for
    signals before, and the system call knows of none. So each also writes to a pipe that is waited for as well.
    """
    if sys.platform == "win32":
        return
    import select

    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    before = signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    try:
        while stream.fileno() not in select.select([stream.fileno(), woken], [], [])[0]:
            # A handler that did not raise has run by now.
            os.read(woken, 1)
    finally:
        signal.set_wakeup_fd(before)
        os.close(waking)
        os.close(woken)


def _interrupt(_: int, frame: FrameType | None) -> None:
    if callable(signal.getsignal(signal.SIGINT)):
        signal.raise_signal(signal.SIGINT)
    else:
        # What a shell starts in the background ignores Ctrl-C.
        raise KeyboardInterrupt


class stopped_by_signals:  # noqa: N801 - reads as a statement where it is used
    """First signal: no further write starts. Second: requests under way are abandoned. Third: the process ends.

    Before the first step of the run, when no request can be under way, the first signal ends it at once.
    """

    def __init__(self, stop: Stoppable) -> None:
        self._stop = stop
        self._received = 0

    def __enter__(self) -> None:
        import asyncio

        self._task = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        self._before = {number: signal.getsignal(number) for number in ENDING}
        for number in ENDING:
            if self._before[number] is not signal.SIG_IGN:
                with suppress(NotImplementedError, RuntimeError):
                    self._loop.add_signal_handler(number, self._on_signal)

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            with suppress(NotImplementedError, RuntimeError):
                self._loop.remove_signal_handler(number)
            if before is not None:
                signal.signal(number, before)

    def _on_signal(self) -> None:
        self._received += 1
        if self._received > len(MESSAGES):
            os._exit(Cancelled.exit_code)
        print(MESSAGES[self._received - 1], file=sys.stderr)
        if self._received == 1:
            self._stop.ask()
        else:
            self._stop.abandon()
        if not self._stop.is_heard and self._task is not None:
            self._task.cancel()
