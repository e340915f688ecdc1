"""Files that tell programs of a run: each event as a line of JSON while it happens, and how it ended.

What is printed stays as it is. A file that cannot be written any more is given up with a warning: the run goes on.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TextIO

from rsspot.applier.events import Event, Recap, RunStarted
from rsspot.errors import UsageError
from rsspot.reports.json import event_document, recap_document
from rsspot.reports.protocol import Traffic
from rsspot.utils.clock import exact_stamp, utc_now
from rsspot.utils.files import write_private
from rsspot.utils.output import as_json, as_json_line
from rsspot.utils.text import printable

VERSION = 1
"""Of the form of a line. It changes when a member changes its meaning, not when one is added."""


class EventFiles:
    """Raises UsageError for a file of events that cannot be opened: before anything is done."""

    def __init__(self, events: Path | None = None, result: Path | None = None) -> None:
        self._result = result
        self._events = _opened(events) if events else None
        self._number = self._run = 0

    def add(self, event: Event) -> None:
        """Write one event."""
        if isinstance(event, RunStarted):
            self._run = event.run
        self._add(event_document(event))

    def finish(self, recap: Recap, traffic: Traffic) -> None:
        """Write how the run ended."""
        document = recap_document(recap, traffic)
        self._add(document)
        if self._events is not None:
            self._events.close()
        if self._result is not None:
            try:
                write_private(self._result, as_json(document) + "\n")
            except OSError as error:
                _warn(self._result, error)

    def _add(self, document: dict[str, object]) -> None:
        if self._events is None:
            return
        self._number += 1
        envelope = {"v": VERSION, "seq": self._number, "ts": exact_stamp(utc_now()), "run": self._run}
        try:
            print(as_json_line({**envelope, **document}), file=self._events, flush=True)
        except OSError as error:
            _warn(Path(self._events.name), error)
            self._events = None


def _opened(path: Path) -> TextIO:
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None


def _warn(path: Path, error: OSError) -> None:
    print(f"warning: {printable(str(path))} could not be written: {error.strerror}", file=sys.stderr)
