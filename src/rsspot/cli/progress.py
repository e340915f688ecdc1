"""Events as they happen, as lines or as JSON lines. Repeats nothing, decides nothing."""

from __future__ import annotations

import json
import time
from dataclasses import asdict

from rsspot.applier.events import Event, Recap, RunStarted, Settled, StepEnded, StepStarted, Waiting
from rsspot.state.ledger.protocol import StepState
from rsspot.utils.text import printable

DOING = {"create": "creating", "patch": "updating", "delete": "deleting", "expand": "registering"}
DONE = {"create": "created", "patch": "updated", "delete": "deleted", "expand": "registered"}


class Progress:
    """Prints what an apply tells."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._began = time.monotonic()
        self._seen: dict[str, tuple[str, str]] = {}

    def show(self, event: Event) -> None:
        """Print one event, unless it says what the last one about the same object said."""
        if isinstance(event, Waiting):
            if self._seen.get(event.address) == (event.phase, event.note):
                return
            self._seen[event.address] = (event.phase, event.note)
        if self._as_json:
            print(json.dumps({"type": type(event).__name__, **asdict(event)}, ensure_ascii=False), flush=True)
        elif line := _line(event):
            print(f"{self.elapsed:6.1f}s  {printable(line)}", flush=True)

    @property
    def elapsed(self) -> float:
        """Seconds since the first event could have come."""
        return time.monotonic() - self._began


def _line(event: Event) -> str | None:
    if isinstance(event, RunStarted):
        return f"run {event.run}: {event.steps} steps" if event.steps else None
    if isinstance(event, Settled):
        return f"{event.address}: left open by an earlier run; {event.detail}"
    if isinstance(event, StepStarted):
        return f"{event.address}: {DOING[event.verb]}"
    if isinstance(event, Waiting):
        return f"{event.address}: {event.phase}: {event.note}"
    if isinstance(event, StepEnded):
        state = DONE[event.verb] if event.state is StepState.DONE else event.state.value.upper()
        state = "already so" if event.state is StepState.SATISFIED else state
        return f"{event.address}: {state}" + (f" ({event.detail})" if event.detail else "")
    return None


def recap_line(recap: Recap, *, requests: int, retries: int, elapsed: float) -> str:
    """The last line of every apply: the same keys in the same order, for ever."""
    counts = " ".join(f"{name}={count}" for name, count in recap.counts.items())
    tail = f"requests={requests} retries={retries} elapsed={elapsed:.1f}s exit={recap.exit_code}"
    return f"RECAP run={recap.run} {counts} {tail}"
