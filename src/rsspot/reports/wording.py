"""The words that every format of a plan uses: for actions, fields, values and their marks. Renders no report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.planner.change import Action, Change, Edit, Path
from rsspot.planner.plan import DRIFT, Plan
from rsspot.planner.wire_form import wire_form
from rsspot.resources.registry import kinds
from rsspot.utils.text import printable

SEQUENCE = (Action.ADOPT, Action.CREATE, Action.UPDATE, Action.DETACH, Action.REPLACE, Action.DELETE)
"""Destructive changes come last, next to the summary."""
SYMBOLS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPLACE: "-/+",
    Action.ADOPT: "<",
    Action.DETACH: ">",
    Action.DELETE: "-",
}
DRIFTED = dict.fromkeys(Action, "changed") | {
    Action.CREATE: "made",
    Action.REPLACE: "made again",
    Action.DELETE: "deleted",
}
NONE = "(none)"
SPEC = "spec"
OURS = {("metadata", "labels", STACK_LABEL), ("metadata", "annotations", NAME_ANNOTATION)}
"""What we add to every object, which nobody wants to read each time."""

Words = Mapping[str, Mapping[str, str]]
"""Kind -> its own words for actions."""


@cache
def kind_words() -> Words:
    """The words of all kinds."""
    return {name: dict(kind.words) for name, kind in kinds().items()}


def title_of(plan: Plan) -> str:
    """What a report is about, before the name of its stack."""
    return "Drift of" if plan.command == DRIFT else "Plan of"


def drift_words(change: Change) -> str:
    """What somebody else did to an object, in a word."""
    return DRIFTED[change.action]


def action_words(change: Change, words: Words) -> str:
    """What is done, with how it is done where that matters: `replace, new one first`."""
    action = change.action
    if action is Action.DETACH and change.edits and change.edits[0].after is not None:
        return "move"
    own: Mapping[str, str] = words.get(change.ref.kind, {})
    verb = own.get(action.value, action.value)
    if action is Action.REPLACE:
        return f"{verb}, new one first" if change.surge else f"{verb}, old one first"
    return verb


def field_name(path: Path) -> str:
    """A field as its author would look for it: `bidPrice`, `metadata.labels.team`."""
    return printable(".".join(path[1:] if path[0] == SPEC and len(path) > 1 else path))


def value_text(value: Any) -> str:
    """A value on one line, in full."""
    if value is None:
        return NONE
    value = wire_form(value)
    return printable(value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False))


def edit_mark(edit: Edit) -> str:
    """What else there is to say about an edit; empty for most."""
    if edit.forces_replacement:
        return "immutable: forces replacement"
    if edit.by is None:
        return "changed by somebody else" if edit.drift else ""
    was = "" if edit.drift or edit.secret else f", was {value_text(edit.applied)} when last applied"
    return f"changed by {printable(edit.by)} at {printable(edit.since or '')}{was}"


def filled_mark(change: Change, path: Path) -> str:
    """Where a value comes from that its author did not write; empty for one that was written."""
    if path not in change.filled:
        return ""
    source = change.filled_from.get(path)
    return f"filled in: {printable(source)}" if source else "filled in, since nothing was written"


def new_fields(change: Change) -> Iterator[tuple[Path, Any]]:
    """The fields of an object to create: labels and annotations, without our own, and then its spec."""
    body = change.body or {}
    metadata = body.get("metadata") or {}
    for member in ("labels", "annotations"):
        for path, value in _leaves(metadata.get(member) or {}, ("metadata", member)):
            if len(path) > 2 and path not in OURS:
                yield path, value
    yield from _leaves(body.get(SPEC, {}), (SPEC,))


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    else:
        yield path, value
