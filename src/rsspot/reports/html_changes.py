"""The changes of a plan as JSON inside a page, for its script to list and search. Secrets are masked before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rsspot.planner.change import Action, Change
from rsspot.planner.plan import DRIFT, Plan
from rsspot.reports.grouping import in_order
from rsspot.reports.wording import (
    action_words,
    drift_words,
    edit_mark,
    field_name,
    filled_mark,
    kind_words,
    new_fields,
    value_text,
)
from rsspot.utils.text import printable

DESTRUCTIVE_FIRST = (Action.DELETE, Action.REPLACE)
_UNSAFE = str.maketrans({"<": r"\u003c", ">": r"\u003e", "&": r"\u0026"})


def changes_json(plan: Plan) -> str:
    """A list with an object for each change: what destroys first, then the others, then what somebody else did."""
    ordered = in_order(plan.changes)
    destroyed = [change for action in DESTRUCTIVE_FIRST for change in ordered if change.action is action]
    others = [change for change in ordered if change.action not in DESTRUCTIVE_FIRST]
    entries = [_entry(change) for change in (*destroyed, *others)]
    verb = drift_words if plan.command == DRIFT else lambda _: "drifted"
    found = [{**_entry(change), "verb": verb(change)} for change in in_order(plan.drifted)]
    entries = [*found, *entries] if plan.command == DRIFT else [*entries, *found]
    # Within a script element, nothing but its end tag and a comment are markup.
    return json.dumps(entries, ensure_ascii=True, separators=(",", ":")).translate(_UNSAFE)


def _entry(change: Change) -> dict[str, Any]:
    return {
        "action": change.action.value,
        "verb": action_words(change, kind_words()),
        "address": printable(change.address),
        "reason": printable(change.reason),
        "where": printable(str(change.origin)) if change.origin else "",
        "fields": list(_fields(change)),
    }


def _fields(change: Change) -> Iterator[tuple[str, str | None, str | None, str]]:
    for edit in change.edits:
        yield field_name(edit.path), value_text(edit.before), value_text(edit.after), edit_mark(edit)
    if change.body and not change.edits:
        for path, value in new_fields(change):
            yield field_name(path), None, value_text(value), filled_mark(change, path)
