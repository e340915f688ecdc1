"""Signals during an apply: the first one asks for a stop, the second one stops at once. Decides nothing else."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rsspot.applier.options import CancelToken


class stopped_by_signals:  # noqa: N801 - reads as a statement where it is used
    """On the first signal, starts no further step. On the second, cancels the run at once.

    The next run settles the steps that a canceled run leaves open.
    """

    def __init__(self, stop: CancelToken) -> None:
        self._stop = stop

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with suppress(NotImplementedError, RuntimeError):
                asyncio.get_running_loop().add_signal_handler(number, self._on_signal)

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with suppress(NotImplementedError, RuntimeError):
                asyncio.get_running_loop().remove_signal_handler(number)

    def _on_signal(self) -> None:
        if self._stop.asked and self._task:
            self._task.cancel()
        self._stop.ask()
        print("stopping once the requests under way are done; send the signal again to stop now", file=sys.stderr)
