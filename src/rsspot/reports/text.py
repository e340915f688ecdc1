"""A plan and a run as lines for a terminal or a log. Renders; decides nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from rsspot.applier.events import Event, Recap, RunStarted, Settled, StepEnded, StepStarted, Waiting
from rsspot.manifests.stack import DEFAULT_STACK
from rsspot.planner.change import REMOVALS, Action, Change, Edit
from rsspot.planner.masking import Masks, masked
from rsspot.planner.plan import Plan
from rsspot.planner.wire_form import wire_form
from rsspot.reports.money import money_lines
from rsspot.reports.protocol import Traffic
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import StepState
from rsspot.utils.text import columns, padded, printable

SYMBOLS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPLACE: "-/+",
    Action.ADOPT: "<",
    Action.DETACH: ">",
    Action.DELETE: "-",
}
COLORS = {
    Action.CREATE: "32",
    Action.UPDATE: "33",
    Action.REPLACE: "31",
    Action.ADOPT: "36",
    Action.DETACH: "36",
    Action.DELETE: "31",
}
SEQUENCE = (Action.ADOPT, Action.CREATE, Action.UPDATE, Action.DETACH, Action.REPLACE, Action.DELETE)
"""Destructive changes come last, next to the summary."""
REFRESH = "refresh"
LONGEST_VALUE = 120
WIDEST_ADDRESS = 60
NAME_WIDTH = 22

DOING = {
    "create": "creating",
    "patch": "updating",
    "detach": "detaching",
    "delete": "deleting",
    "expand": "registering",
}
DONE = {"create": "created", "patch": "updated", "detach": "detached", "delete": "deleted", "expand": "registered"}


class TextReport:
    """Lines for people. color: with ANSI colors."""

    def __init__(self, *, color: bool = False) -> None:
        self.color = color
        self.verbose = False

    def plan(self, plan: Plan) -> str:
        words = {name: dict(kind.words) for name, kind in kinds().items()}
        return f"{heading(plan)}\n\n{render_plan(plan, words, color=self.color, verbose=self.verbose)}"

    def event(self, event: Event, elapsed: float) -> str | None:
        line = _event_line(event)
        return f"{elapsed:6.1f}s  {printable(line)}" if line else None

    def recap(self, recap: Recap, traffic: Traffic) -> str:
        return recap_line(recap, requests=traffic.requests, retries=traffic.retries, elapsed=traffic.elapsed)


def recap_line(recap: Recap, *, requests: int, retries: int, elapsed: float) -> str:
    """The last line of every apply: always the same keys in the same order."""
    counts = " ".join(f"{name}={count}" for name, count in recap.counts.items())
    tail = f"requests={requests} retries={retries} elapsed={elapsed:.1f}s exit={recap.exit_code}"
    return f"RECAP run={recap.run} {counts} {tail}"


def heading(plan: Plan) -> str:
    """What a plan is about: the stack, whose it is, and how much was read."""
    stack = f"Stack {plan.stack} in {plan.organization}"
    if not plan.files:
        return printable(stack)
    files = f"{len(plan.files)} file{'s' if len(plan.files) > 1 else ''}"
    # A part of a stack says nothing of how much the manifests declare.
    declared = plan.unchanged + sum(change.action not in REMOVALS for change in plan.changes)
    objects = f"{declared} object{'' if declared == 1 else 's'}"
    return printable(f"{stack}: {files}" if plan.partial else f"{stack}: {objects} in {files}")


def render_plan(
    plan: Plan, words: dict[str, dict[str, str]] | None = None, *, color: bool = False, verbose: bool = False
) -> str:
    """The whole plan. words: a kind's own words for actions · verbose: with what unchanged objects cost."""
    lines = (*_lines(plan, words or {}, _Paint(color)), *money_lines(plan, every_object=verbose), _headline(plan))
    return "\n".join(lines)


def render_changes(plan: Plan) -> Iterator[str]:
    """The changes of a plan with their fields, without anything else."""
    masks = Masks()
    words = {name: dict(kind.words) for name, kind in kinds().items()}
    changes = [masked(change, masks) for change in plan.changes]
    return _section(changes, words, _Paint(on=False)) if changes else iter(())


def _lines(plan: Plan, words: dict[str, dict[str, str]], paint: _Paint) -> Iterator[str]:
    masks = Masks()
    changes = [masked(change, masks) for change in plan.changes]
    drift = [change for change in changes if change.drift]
    intent = [change for change in changes if not change.drift]
    if plan.drifted:
        yield "Drift (what somebody else did since the last apply)"
        yield from _section([masked(change, masks) for change in plan.drifted], words, paint)
        yield ""
    if drift:
        yield "Drift (changed by somebody else; the plan puts it back)"
        yield from _section(drift, words, paint)
        yield ""
    if intent:
        yield "Changes"
        yield from _section(intent, words, paint)
        yield ""
    for note in plan.notes:
        yield f"Note: {printable(note)}"
    for each in plan.pending:
        yield f"Not ready yet: {printable(each.address)}: {printable(each.note)}"
    if plan.undeclared:
        names = ", ".join(printable(leftover.address) for leftover in plan.undeclared[:5])
        more = f" and {len(plan.undeclared) - 5} more" if len(plan.undeclared) > 5 else ""
        way = "--prune deletes" if plan.stack != DEFAULT_STACK else "name the stack, and --prune deletes"
        yield f"Left alone: {names}{more}: of this stack, in no manifest ({way})"
        yield ""


def _section(changes: Iterable[Change], words: dict[str, dict[str, str]], paint: _Paint) -> Iterator[str]:
    ordered = sorted(changes, key=lambda each: (SEQUENCE.index(each.action), each.address))
    width = min(WIDEST_ADDRESS, max(columns(printable(change.address)) for change in ordered))
    for change in ordered:
        verb = words.get(change.ref.kind, {}).get(change.action.value, change.action.value)
        if change.action is Action.DETACH and change.edits[0].after is not None:
            verb = "move"
        if change.action is Action.REPLACE:
            verb += ", new one first" if change.surge else ", old one first"
        symbol = paint(COLORS[change.action], f"{SYMBOLS[change.action]:>3}")
        where = f"  {printable(str(change.origin))}" if change.origin else ""
        yield f"{symbol} {padded(printable(change.address), width)}  {verb}: {printable(change.reason)}{where}"
        yield from _details(change)


def _details(change: Change) -> Iterator[str]:
    for edit in change.edits:
        yield f"      {padded(_name(edit), NAME_WIDTH)} {_value(edit.before)} -> {_value(edit.after)}{_mark(edit)}"
    if change.body and not change.edits:
        for path, value in _leaves(change.body.get("spec", {}), ()):
            yield f"      {padded(printable('.'.join(path)), NAME_WIDTH)} {_value(value)}{_filled(change, path)}"


def _filled(change: Change, path: tuple[str, ...]) -> str:
    """Where a value comes from that its author did not write; empty for one that was written."""
    place = ("spec", *path)
    if place not in change.filled:
        return ""
    source = change.filled_from.get(place)
    return f"   filled in: {printable(source)}" if source else "   filled in, since nothing was written"


def _name(edit: Edit) -> str:
    return printable(".".join(edit.path[1:] if edit.path[0] == "spec" else edit.path))


def _mark(edit: Edit) -> str:
    if edit.forces_replacement:
        return "   immutable: forces replacement"
    if edit.by is None:
        return "   changed by somebody else" if edit.drift else ""
    was = "" if edit.drift or edit.secret else f", was {_value(edit.applied)} when last applied"
    return f"   changed by {printable(edit.by)} at {printable(edit.since or '')}{was}"


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    else:
        yield path, value


def _value(value: Any) -> str:
    if value is None:
        return "(none)"
    value = wire_form(value)
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    text = printable(text)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


def _headline(plan: Plan) -> str:
    if plan.command == REFRESH:
        count = len(plan.drifted)
        return f"{count} drifted, {plan.unchanged} as applied." if count else "No drift."
    if plan.empty and plan.complete:
        return "No changes."
    summary = plan.summary
    parts = [f"{summary[action.value]} to {action.value}" for action in SEQUENCE if summary[action.value]]
    parts += [f"{summary['drift']} drifted"] if summary["drift"] else []
    parts.append(f"{plan.unchanged} unchanged")
    unread = "; ".join(printable(f"{kind}: {why}") for kind, why in plan.incomplete.items())
    state = f"  INCOMPLETE: {unread}" if unread else ""
    state += "  PARTIAL: only what --target and --exclude leave" if plan.partial else ""
    return f"Plan: {', '.join(parts)}.{state}"


class _Paint:
    """Wraps text in a color, or does not."""

    def __init__(self, on: bool) -> None:
        self._on = on

    def __call__(self, color: str, text: str) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self._on else text


def _event_line(event: Event) -> str | None:
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
        if event.verb == "wait":
            state = "ready" if event.readiness == "ready" else "not ready"
        elif event.state is StepState.SATISFIED:
            state = "already so"
        return f"{event.address}: {state}" + (f" ({event.detail})" if event.detail else "")
    return None
