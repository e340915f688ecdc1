"""How much a plan changes, in words: the line that ends it, and a line for each action. Renders no report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rsspot.planner.plan import DRIFT, Plan
from rsspot.reports.wording import SEQUENCE
from rsspot.resources.registry import kinds
from rsspot.utils.text import printable

REFRESH = "refresh"


def headline(plan: Plan) -> str:
    """What a plan would do, in one line."""
    if plan.command == REFRESH:
        count = len(plan.drifted)
        return f"{count} drifted, {plan.unchanged} as applied." if count else "No drift."
    if plan.command == DRIFT:
        found = f"{len(plan.drifted)} drifted" if plan.drifted else "No drift"
        left = f"; {', '.join(_actions(plan))}: declared and not applied yet" if plan.changes else ""
        return f"{found}{left}.{'  PARTIAL: only what --target and --exclude leave' if plan.partial else ''}"
    if plan.empty and plan.complete:
        return "No changes."
    unread = "; ".join(printable(f"{kind}: {why}") for kind, why in plan.incomplete.items())
    state = f"  INCOMPLETE: {unread}" if unread else ""
    state += "  PARTIAL: only what --target and --exclude leave" if plan.partial else ""
    return f"Plan: {', '.join(counts(plan))}.{state}"


def counts(plan: Plan) -> list[str]:
    """How many objects each action is for: `3 to create`; actions that are for none are left out."""
    drift = plan.summary["drift"]
    return [*_actions(plan), *([f"{drift} drifted"] if drift else []), f"{plan.unchanged} unchanged"]


def _actions(plan: Plan) -> list[str]:
    summary = plan.summary
    return [f"{summary[action.value]} to {action.value}" for action in SEQUENCE if summary[action.value]]


def by_kind(plan: Plan) -> Iterator[tuple[str, str]]:
    """For each action of the plan: its name, and how many objects of which kinds it is for."""
    found = Counter((change.action, change.ref.kind) for change in plan.changes)
    for action in SEQUENCE:
        numbers = {kind: number for (of, kind), number in found.items() if of is action}
        if numbers:
            yield action.value, ", ".join(_counted(kind, numbers[kind]) for kind in sorted(numbers))


def _counted(kind: str, number: int) -> str:
    known = kinds().get(kind)
    singular = printable(kind.lower())
    return f"{number} {singular if number == 1 else known.plural if known else singular}"
