"""The events of a run and its end as lines for a terminal or a log. Renders; decides nothing."""

from __future__ import annotations

from rsspot.applier.events import Event, Recap, RunStarted, Settled, StepEnded, StepStarted, Waiting
from rsspot.state.ledger.protocol import StepState

DOING = {
    "create": "creating",
    "patch": "updating",
    "detach": "detaching",
    "delete": "deleting",
    "expand": "registering",
}
DONE = {"create": "created", "patch": "updated", "detach": "detached", "delete": "deleted", "expand": "registered"}


def recap_line(recap: Recap, *, requests: int, retries: int, elapsed: float) -> str:
    """The last line of every apply: always the same keys in the same order."""
    counts = " ".join(f"{name}={count}" for name, count in recap.counts.items())
    tail = f"requests={requests} retries={retries} elapsed={elapsed:.1f}s exit={recap.exit_code}"
    return f"RECAP run={recap.run} {counts} {tail}"


def event_line(event: Event) -> str | None:
    """One event; None for one that says nothing to people."""
    if isinstance(event, RunStarted):
        return f"run {event.run}: {event.steps} steps" if event.steps else None
    if isinstance(event, Settled):
        return f"{event.address}: left open by an earlier run; {event.detail}"
    if isinstance(event, StepStarted):
        return f"{event.address}: {DOING[event.verb]}"
    if isinstance(event, Waiting):
        return f"{event.address}: {event.phase}: {event.note}"
    return f"{event.address}: {_ending(event)}" if isinstance(event, StepEnded) else None


def _ending(event: StepEnded) -> str:
    state = DONE[event.verb] if event.state is StepState.DONE else event.state.value.upper()
    if event.verb == "wait":
        state = "ready" if event.readiness == "ready" else "not ready"
    elif event.state is StepState.SATISFIED:
        state = "already so"
    return state + (f" ({event.detail})" if event.detail else "")
