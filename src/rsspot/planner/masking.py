"""Masking: secrets leave a change as numbers, so that equal ones can be recognized and none is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rsspot.planner.change import Change, Path
from rsspot.planner.plan import Plan
from rsspot.utils.serialization import Document, at_path

MASK = "(secret #{})"


class Masks:
    """Numbers for secrets: the same number for the same secret."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mask(self, value: Any) -> str | None:
        """`(secret #1)` for a value; None for none."""
        if value is None:
            return None
        return MASK.format(self._numbers.setdefault(str(value), len(self._numbers) + 1))


def masked_plan(plan: Plan) -> Plan:
    """The same plan with every secret replaced by its number."""
    masks = Masks()
    changes = tuple(masked(change, masks) for change in plan.changes)
    return replace(plan, changes=changes, drifted=tuple(masked(change, masks) for change in plan.drifted))


def masked(change: Change, masks: Masks) -> Change:
    """The same change with every secret replaced by its number."""
    if not change.secrets and not any(edit.secret for edit in change.edits):
        return change
    hidden = tuple(
        replace(edit, before=masks.mask(edit.before), after=masks.mask(edit.after)) if edit.secret else edit
        for edit in change.edits
    )
    return replace(change, edits=hidden, body=_masked_body(change, masks))


def _masked_body(change: Change, masks: Masks) -> Document | None:
    body = change.body
    for path in change.secrets:
        if body is not None and at_path(body, path) is not None:
            body = with_value(body, path, masks.mask(at_path(body, path)))
    return body


def with_value(document: Document, path: Path, value: Any) -> Document:
    """A copy of a document with another value at a path."""
    key, *rest = path
    inner = with_value(document[key], tuple(rest), value) if rest else value
    return document | {key: inner}
