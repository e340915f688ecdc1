"""Lets time pass in a served world while nobody sends requests, in short ticks so that requests get their turn."""

from __future__ import annotations

import sys
import threading

from rsspot.simulator.api import TURN, Api

EVERY = 1.0
"""Seconds between ticks of a world that keeps up with its clock."""


class Ticker:
    """Calls `tick` in a thread of its own, which ends with the Api or the process."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._reported = ""

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        pause = EVERY
        while not self._api.stopping.wait(pause):
            pause = EVERY if self._tick() else TURN

    def _tick(self) -> bool:
        try:
            finished = self._api.tick()
            if news := self._api.pace.news():
                print(news, file=sys.stderr, flush=True)
            return finished
        except Exception as error:
            # Requests report it too. A clock that ended here would not even try again.
            if (message := f"time does not pass: {error!r}") != self._reported:
                print(message, file=sys.stderr, flush=True)
                self._reported = message
            return True
