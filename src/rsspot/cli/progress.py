"""Progress: shows the events of a run as they happen, in the format of a report. Decides nothing about the run.

A run of many steps is one bar with the last events on a terminal, and a summary now and then elsewhere; failures are
always lines of their own. A run of few steps prints every event. So does one whose events are read by a program.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from rsspot.applier.events import Event, Recap, RunStarted, StepEnded, StepStarted, Waiting
from rsspot.cli.waits import EVERY, LIVE_TICK, PLAIN_TICK, Draw, Waits, waiting_line
from rsspot.reports.protocol import Report, Traffic
from rsspot.reports.run_lines import DOING
from rsspot.state.ledger.protocol import StepState
from rsspot.utils.clock import Clock, SystemClock

if TYPE_CHECKING:
    from rsspot.cli.session import CliSession

MANY = 40
"""A run of more steps does not print every event, unless it is asked to."""
LAST_EVENTS = 5
"""Events shown above the bar."""
SUMMARY_STEPS = 50
"""Steps after which a run of many steps prints a summary, if not enough seconds pass before."""
MOST_REPEATED = 10
"""Objects whose last `Waiting` is repeated at a time."""
BAR = 24
"""Characters of a bar."""
BAD = (StepState.FAILED, StepState.REFUSED, StepState.UNKNOWN)


class Lines(Enum):
    """Which events are printed, each on a line of its own."""

    FEW = "those of a run of few steps, and failures"
    ALL = "all"
    REPEATED = "all; while something is waited for, its last event is repeated for the program that reads them"


@dataclass
class _Open:
    """A step that has begun and not ended. waiting: how far it is · since, told: seconds of the clock"""

    waiting: Waiting
    since: float
    told: float


def progress_of(here: CliSession, report: Report) -> Progress:
    """What shows the run of a command from now on."""
    as_json = here.options.output == "json"
    lines = Lines.REPEATED if as_json else Lines.ALL if here.every_event else Lines.FEW
    draw = None if as_json else here.drawing(sys.stdout)
    here.display = progress = Progress(report, SystemClock(), here.waits, lines=lines, draw=draw)
    return progress


class Progress:
    """What a run tells. draw: for a terminal on which lines can be replaced; None for plain lines."""

    def __init__(
        self, report: Report, clock: Clock, waits: Waits, *, lines: Lines = Lines.FEW, draw: Draw | None = None
    ) -> None:
        self._report, self._clock, self._waits, self._draw = report, clock, waits, draw
        self._lines = lines
        self._began = self._told = clock.monotonic()
        self._told_steps = 0
        self._finished = False
        self._steps = self._ended = self._wrong = 0
        self._open: dict[str, _Open] = {}
        self._last: deque[str] = deque(maxlen=LAST_EVENTS)
        self._say: Callable[[str], None] = lambda line: print(line, flush=True)

    @property
    def pace(self) -> float:
        return LIVE_TICK if self._draw else PLAIN_TICK

    def show(self, event: Event) -> None:
        """Show one event, unless it only repeats the last one about the same object."""
        if self._repeats(event):
            return
        self._count(event)
        line = self._report.event(event, self.elapsed)
        if line is None:
            return
        if self._printed(event):
            self._say(line)
            self._told = self._clock.monotonic()
        else:
            self._last.append(line)

    def finish(self, recap: Recap, traffic: Traffic) -> None:
        """Print the recap. Nothing is shown any more after it."""
        self._finished = True
        print(self._report.recap(recap, traffic))

    def tick(self) -> None:
        """Draw the bar; without a terminal, print what is waited for if nothing was printed for a while."""
        if self._finished:
            return
        if self._draw is not None:
            self._draw([*self._last, *filter(None, [self._status()])])
            return
        self._waits.tick()
        if self._lines is Lines.REPEATED:
            self._repeat()
        elif self._is_time() and (status := self._status()):
            self._told, self._told_steps = self._clock.monotonic(), self._ended
            self._say(f"{self.elapsed:6.1f}s  {status}")

    @property
    def elapsed(self) -> float:
        """Seconds since the first event could have come."""
        return self._clock.monotonic() - self._began

    def _printed(self, event: Event) -> bool:
        """Whether an event gets a line of its own."""
        if self._lines is not Lines.FEW or self._steps <= MANY:
            return True
        return not isinstance(event, StepStarted | StepEnded | Waiting) or _is_wrong(event)

    def _is_time(self) -> bool:
        if self._steps > MANY and self._lines is Lines.FEW and self._ended - self._told_steps >= SUMMARY_STEPS:
            return True
        return self._clock.monotonic() - self._told >= EVERY and bool(self._open)

    def _repeats(self, event: Event) -> bool:
        known = self._open.get(event.address) if isinstance(event, Waiting) else None
        return known is not None and known.waiting == event

    def _count(self, event: Event) -> None:
        now = self._clock.monotonic()
        if isinstance(event, RunStarted):
            self._steps = event.steps
        elif isinstance(event, StepStarted):
            self._open[event.address] = _Open(Waiting(event.address, "progressing", DOING[event.verb]), now, now)
        elif isinstance(event, Waiting):
            since = self._open[event.address].since if event.address in self._open else now
            self._open[event.address] = _Open(event, since, now)
        elif isinstance(event, StepEnded):
            self._open.pop(event.address, None)
            self._ended += event.verb != "wait"
            self._wrong += _is_wrong(event)

    def _repeat(self) -> None:
        """Tell of objects that nothing was told of for a while, those first that have waited longest."""
        now = self._clock.monotonic()
        due = [each for each in self._open.values() if now - each.told >= EVERY]
        for each in sorted(due, key=lambda one: one.since)[:MOST_REPEATED]:
            each.told = now
            if line := self._report.event(each.waiting, self.elapsed):
                self._say(line)

    def _status(self) -> str:
        """How far the run is and what it waits for, in a line; empty when there is nothing to tell."""
        return ", ".join(filter(None, [self._count_of_steps(), self._waits.summary() or self._waited_for()]))

    def _count_of_steps(self) -> str:
        if not self._steps:
            return ""
        filled = BAR * self._ended // self._steps
        bar = f"[{'#' * filled}{'-' * (BAR - filled)}] " if self._draw else ""
        return f"{bar}{self._ended} of {self._steps} steps" + (f", {self._wrong} failed" if self._wrong else "")

    def _waited_for(self) -> str | None:
        if not self._open:
            return None
        longest = min(self._open.values(), key=lambda each: each.since)
        seconds, waiting = self._clock.monotonic() - longest.since, longest.waiting
        return waiting_line(waiting.address, waiting.note or waiting.phase, seconds, len(self._open) - 1)


def _is_wrong(event: Event) -> bool:
    return isinstance(event, StepEnded) and event.state in BAD
