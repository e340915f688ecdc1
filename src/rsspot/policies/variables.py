"""What an expression may look at: the plan as `rsspot.plan/1`, its changes with old and new values, and its money."""

from __future__ import annotations

from typing import Any

from rsspot.models.costs import Cost, Measure
from rsspot.planner.change import Action, Change
from rsspot.planner.codec import dump_plan
from rsspot.planner.masking import masked_plan
from rsspot.planner.money import StackCost
from rsspot.planner.plan import Plan
from rsspot.planner.wire_form import wire_form
from rsspot.utils.serialization import Document

BRIEF = ("tool", "scope", "command", "complete", "summary")
"""What an expression about one change sees of the plan: nothing that grows with it."""
ROOMS = ("metadata", "spec")
NOT_OF_THE_PLAN = ("changes", "policies", "refusals", "digest")
"""What a plan has only once it was judged, and its changes, which stand beside it."""


def variables_of(plan: Plan) -> Document:
    """plan, brief, changes and money, as JSON. Secrets are masked in all of it."""
    masked, written = masked_plan(plan), dump_plan(plan)
    changes = [
        {**document, "old": _old(change), "new": _new(change), "destructive": change.destructive}
        for change, document in zip(masked.changes, written["changes"], strict=True)
    ]
    around = {key: value for key, value in written.items() if key not in NOT_OF_THE_PLAN}
    brief = {key: written[key] for key in BRIEF}
    return {"plan": {"cost": None, **around}, "brief": brief, "changes": changes, "money": money_of(plan.cost)}


def _new(change: Change) -> Document:
    """The object that is made, or the fields that an object gets."""
    if change.action in (Action.CREATE, Action.REPLACE) and change.body:
        return _rooms(wire_form(change.body))
    return _rooms(_nested(change, "after"))


def _old(change: Change) -> Document:
    """The fields that an object had, or all of one that goes."""
    edited = _nested(change, "before")
    return _rooms(edited if change.edits else change.image or {})


def _nested(change: Change, side: str) -> Document:
    fields: Document = {}
    for edit in change.edits:
        value = getattr(edit, side)
        if value is None:
            continue
        place = fields
        for key in edit.path[:-1]:
            place = place.setdefault(key, {})
        place[edit.path[-1]] = wire_form(value)
    return fields


def _rooms(document: Document) -> Document:
    """Both halves of an object are always there, so that has() can ask for a field in them."""
    return {room: document.get(room) or {} for room in ROOMS}


def money_of(cost: StackCost | None) -> Document:
    """Dollars as numbers: {perHour, perMonth: {floor, expected, ceiling: {before, after, change}}}, with `known`.

    A sum of which a part is unknown is 0 with known false; so is a stack that costs nothing, with known true.
    """
    before, after = (cost.shift.before, cost.shift.after) if cost else (None, None)
    sides = {
        "perHour": {measure.value: _sides(before, after, "per_hour", measure) for measure in Measure},
        "perMonth": {measure.value: _sides(before, after, "per_month", measure) for measure in Measure},
    }
    return {"currency": "USD", **sides}


def _sides(before: Cost | None, after: Cost | None, unit: str, measure: Measure) -> dict[str, Any]:
    was, will = (getattr(side, unit)(measure) if side else 0 for side in (before, after))
    known = was is not None and will is not None
    numbers = {"before": float(was or 0), "after": float(will or 0)}
    return {**numbers, "change": float((will or 0) - (was or 0)), "known": known}
