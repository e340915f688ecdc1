"""Progress: prints the events of a run as they happen, in the format of a report. Repeats nothing, decides nothing."""

from __future__ import annotations

import time

from rsspot.applier.events import Event, Recap, Waiting
from rsspot.reports.protocol import Report, Traffic


class Progress:
    """What a run tells, line by line."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._began = time.monotonic()
        self._last: dict[str, tuple[str, str]] = {}
        """Address -> what was last told about waiting for it."""

    def show(self, event: Event) -> None:
        """Print one event, unless it only repeats the last one about the same object."""
        if isinstance(event, Waiting):
            if self._last.get(event.address) == (event.phase, event.note):
                return
            self._last[event.address] = (event.phase, event.note)
        if line := self._report.event(event, self.elapsed):
            print(line, flush=True)

    def finish(self, recap: Recap, *, requests: int, retries: int) -> None:
        """Print the recap."""
        print(self._report.recap(recap, Traffic(requests, retries, self.elapsed)))

    @property
    def elapsed(self) -> float:
        """Seconds since the first event could have come."""
        return time.monotonic() - self._began
