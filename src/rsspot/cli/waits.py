"""Waits: tells a person what a command waits for and for how long, by a live line or by plain lines. Waits for nothing.

A display is anything with `tick`, which is called again and again while a command runs: `keep_ticking` does that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rsspot.http.hooks import Wait
    from rsspot.utils.clock import Clock

Draw = Callable[[Sequence[str]], None]
"""Shows lines at the bottom of a terminal, in place of those shown before."""
Say = Callable[[str], None]
"""Prints a line."""

FIRST = 3.0
"""Seconds after which a wait is worth a plain line."""
EVERY = 9.0
"""Seconds between two plain lines about waiting: with a tick each second, never more than ten pass."""
LIVE_FIRST = 0.5
"""Seconds after which a wait is worth a live line."""
LIVE_TICK, PLAIN_TICK = 0.1, 1.0
"""Seconds between two ticks: how often a terminal is drawn at most."""


class Display(Protocol):
    """What is shown while a command runs."""

    @property
    def pace(self) -> float:
        """Seconds between two ticks."""
        ...

    def tick(self) -> None:
        """Show what is waited for now, if it is time to."""
        ...


async def keep_ticking(display: Callable[[], Display], clock: Clock) -> None:
    """Call `tick` of the display that is in use at that moment, until cancelled."""
    while True:
        await clock.sleep(display().pace)
        display().tick()


class Waits:
    """The waits of one command. draw: for a terminal on which lines can be replaced; None for plain lines."""

    def __init__(self, clock: Clock, say: Say, draw: Draw | None) -> None:
        self._clock, self._say, self._draw = clock, say, draw
        self._waits: dict[Wait, float] = {}
        self._told = clock.monotonic()
        self._shown = False

    @property
    def pace(self) -> float:
        return LIVE_TICK if self._draw else PLAIN_TICK

    def begin(self, wait: Wait) -> None:
        """A hook: something is waited for from now on."""
        if not self._current():
            self._told = self._clock.monotonic() - EVERY + FIRST
        self._waits[wait] = self._clock.monotonic()

    def tick(self) -> None:
        if self._draw is None:
            self._tell()
            return
        lines = [text] if (text := self.summary(LIVE_FIRST)) else []
        if lines or self._shown:
            self._draw(lines)
        self._shown = bool(lines)

    def summary(self, least: float = 0.0) -> str | None:
        """What is waited for longest, in a line; None if nothing has been for that many seconds."""
        now, waits = self._clock.monotonic(), self._current()
        if not waits or now - min(waits.values()) < least:
            return None
        longest = min(waits, key=waits.__getitem__)
        return waiting_line(longest.what, longest.note, now - waits[longest], len(waits) - 1)

    def _tell(self) -> None:
        now = self._clock.monotonic()
        if now - self._told >= EVERY and (line := self.summary()):
            self._told = now
            self._say(line)

    def _current(self) -> dict[Wait, float]:
        self._waits = {wait: since for wait, since in self._waits.items() if not wait.over}
        return self._waits


def waiting_line(what: str, note: str, seconds: float, others: int) -> str:
    """What is waited for, for how long and how far it is. others: how much else is waited for"""
    note = f": {note}" if note else ""
    more = f"; and {others} more" if others else ""
    return f"waiting for {what} for {duration(seconds)}{note}{more}"


def duration(seconds: float) -> str:
    """A number of seconds for people: `45 s`, `2 m 05 s`, `1 h 02 m`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} m"
