"""Settling: what became of a write, decided by reading and never by guessing. Sends only GETs.

A create is done when the object is there with the declared fields; another object of that name, or one that differs, is
stale: nothing may be sent. A patch is done when its fields have the planned values, and stale when the object is no
longer what the plan was made on. A delete is done when the very object (its uid) is gone or being deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rsspot.applier.context import ApplyContext
from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.errors import NotFound
from rsspot.planner.change import Change
from rsspot.planner.diff import edits, managed, managed_digest
from rsspot.planner.order import Verb
from rsspot.planner.ownership import LABEL_PATH, label_of, made_without_an_answer
from rsspot.planner.wire_form import wire_form
from rsspot.resources.documents import Documents
from rsspot.resources.kind import Kind
from rsspot.utils.clock import Clock
from rsspot.utils.serialization import Document, at_path

OUR_MARKS = frozenset({LABEL_PATH, ("metadata", "annotations", NAME_ANNOTATION)})
VISIBLE_WITHIN: Sequence[float] = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between looks for an object whose create was not answered: 30 in all."""


class Found(Enum):
    """What a look at the live object says about a write."""

    DONE = "done"
    NOT_DONE = "not done"
    STALE = "stale"


@dataclass(frozen=True)
class Verdict:
    """What a look at a live object says about a write.

    live: the object, if it exists · detail: why nothing may be sent · now: how it differs from what was asked for
    """

    found: Found
    live: Document | None = None
    detail: str = ""
    now: str = ""


async def settle(
    change: Change, documents: Documents, clock: Clock, looks: Sequence[float] = VISIBLE_WITHIN
) -> Verdict:
    """Look the object of an unanswered create up, giving it time to become visible."""
    live = await look(documents, change.ref.name)
    for pause in looks:
        if live is not None:
            break
        await clock.sleep(pause)
        live = await look(documents, change.ref.name)
    return judge(change, Verb.CREATE, documents, live)


async def look(documents: Documents, name: str) -> Document | None:
    """An object, or None when there is none."""
    try:
        return await documents.get(name)
    except NotFound:
        return None


async def is_from_us(live: Document, kind: Kind[Any], context: ApplyContext, *, may_have_arrived: bool) -> bool:
    """Whether an object that a create was to make is there because of that create, or because of somebody else.

    may_have_arrived: whether a request of ours may have been carried out
    """
    if label_of(live) is not None:
        return label_of(live) == context.stack
    if not made_without_an_answer(kind, may_have_arrived=may_have_arrived, labels_kept=False):
        return False
    return not await _labels_are_kept(kind, context)


async def _labels_are_kept(kind: Kind[Any], context: ApplyContext) -> bool:
    """Whether the service shows our label on anything of a kind, or of what that lives in."""
    looked_at = [kind, context.kinds[kind.parent.kind]] if kind.parent else [kind]
    for each in looked_at:
        if any(label_of(live) for live in await context.documents(each).list(labels=STACK_LABEL)):
            return True
    return False


def judge(change: Change, verb: Verb, documents: Documents, live: Document | None) -> Verdict:
    """Whether a live object is what a write would have made of it."""
    if verb is Verb.CREATE:
        return _judge_create(change, documents, live)
    if verb is Verb.DELETE:
        return _judge_delete(change, documents, live)
    return _judge_patch(change, documents, live)


def _judge_create(change: Change, documents: Documents, live: Document | None) -> Verdict:
    if live is None:
        return Verdict(Found.NOT_DONE)
    if live["metadata"].get("deletionTimestamp"):
        going = "is still being deleted"
        return Verdict(Found.STALE, live, f"an object of that name {going}", f"it {going}")
    assert change.body is not None
    if change.surge and change.base and live["metadata"].get("uid") == change.base.uid:
        return _taken(live, "is the one that is to be replaced")
    label = at_path(live, LABEL_PATH)
    if label not in (None, at_path(change.body, LABEL_PATH)):
        return _taken(live, f"belongs to {_stack(label)}")
    # The service may drop marks that it does not know; the ledger then carries on alone.
    desired = {path: value for path, value in managed(documents.kind, change.body).items() if path not in OUR_MARKS}
    differences = edits(documents.kind, desired, live, None)
    if differences:
        names = ", ".join("/".join(edit.path) for edit in differences)
        return _taken(live, f"differs in {names}")
    return Verdict(Found.DONE, live)


def _taken(live: Document, how: str) -> Verdict:
    return Verdict(Found.STALE, live, f"an object of that name exists and {how}", f"it {how}")


def _judge_delete(change: Change, documents: Documents, live: Document | None) -> Verdict:
    base = change.base
    assert base is not None
    if live is None or live["metadata"].get("uid") != base.uid:
        return Verdict(Found.DONE)
    if live["metadata"].get("deletionTimestamp"):
        return Verdict(Found.DONE, live)
    if (moved := _moved(change, documents, live)) is not None:
        return Verdict(Found.STALE, live, moved)
    return Verdict(Found.NOT_DONE, live)


def _moved(change: Change, documents: Documents, live: Document) -> str | None:
    """How a live object is no longer what the change was planned on, or None."""
    base = change.base
    assert base is not None
    owner = at_path(live, LABEL_PATH)
    if owner != base.owner:
        return f"it belonged to {_stack(base.owner)} when the plan was made, and belongs to {_stack(owner)} now"
    if base.digest is not None and managed_digest(documents.kind, live, base.paths) != base.digest:
        return "it changed since the plan was made"
    return None


def _stack(label: object) -> str:
    return "no stack" if label is None else f"the stack {label!r}"


def _judge_patch(change: Change, documents: Documents, live: Document | None) -> Verdict:
    base = change.base
    assert base is not None
    if live is None or live["metadata"].get("uid") != base.uid:
        return Verdict(Found.STALE, live, "it was deleted since the plan was made")
    desired = {edit.path: edit.after for edit in change.edits}
    left = edits(documents.kind, desired, live, None)
    if not left:
        return Verdict(Found.DONE, live)
    moved = _moved(change, documents, live)
    if moved is None:
        return Verdict(Found.NOT_DONE, live)
    if at_path(live, LABEL_PATH) != base.owner:
        return Verdict(Found.STALE, live, moved)
    names = ", ".join(f"{'/'.join(edit.path)} is now {_shown(edit.before, edit.secret)}" for edit in left)
    return Verdict(Found.STALE, live, f"it changed since the plan was made: {names}", names)


def _shown(value: object, secret: bool) -> str:
    return "(secret)" if secret else repr(wire_form(value))
