"""Undo: the changes that take back what a run did, from what the ledger kept of it. A pure function, like the planner.

What the run did      what undoes it
create                a deletion of that very object; refused where a later run made it anew
update                the values of before; a note where somebody has changed a field since
adopt                 the values of before, and our label off
detach                our label on
delete                the object as it was; nothing brings back what lived in it, so it is refused for what holds others
replace               the new object goes, the old one is made as it was; refused in the same way

A field or an object that held a secret is refused: the ledger keeps none.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from rsspot.errors import Problem
from rsspot.models.refs import Ref
from rsspot.planner.case import Rule
from rsspot.planner.change import Action, Base, Change, Edit
from rsspot.planner.decisions import NAME_PATH, base_of, delete, image_of
from rsspot.planner.dependents import may_go_down
from rsspot.planner.diff import SPEC, key_path, live_value, same
from rsspot.planner.draft import Draft, PlanContext
from rsspot.planner.ownership import LABEL_KEY, LABEL_PATH
from rsspot.resources.kind import Kind
from rsspot.resources.secrecy import masked_in, secret_paths
from rsspot.utils.serialization import Document, at_path


def inverse(done: Collection[Change], run: int, context: PlanContext, *, later: Collection[Ref] = frozenset()) -> Draft:
    """The draft that takes changes of a run back.

    done: those of its changes that were made, as the ledger kept them
    later: objects that runs after it made or deleted: what has such a name now is not what the run made
    """
    draft = Draft(())
    for change in done:
        draft = _undo(change, f"undoes run {run}", draft, context, later)
    return draft


def _undo(change: Change, reason: str, draft: Draft, context: PlanContext, later: Collection[Ref]) -> Draft:
    kind = context.kinds[change.ref.kind]
    if kind.name in context.state.incomplete:
        why = f"could not be looked up: {context.state.incomplete[kind.name]}"
        return draft.add(problems=[_refusal(change, why, "try again when the service answers")])
    live = context.state.of(kind.name).get(change.ref.name)
    if problem := _irreversible(change, kind, context):
        return draft.add(problems=[problem])
    if change.action is Action.DELETE:
        return _restored(change, live, reason, draft)
    if live is None and change.action is Action.REPLACE and change.ref not in later:
        # The old object was deleted, and the new one never made.
        return _restored(change, None, reason, draft)
    if live is None:
        return draft.add(notes=[f"{change.address} is gone already: nothing of it is undone"])
    if change.action in (Action.CREATE, Action.REPLACE) and (
        change.ref in later or context.owners.knows(kind, live) is None
    ):
        message = "is not the object that this run made, as far as the ledger knows"
        return draft.add(problems=[_refusal(change, message, "undo the later run first")])
    if change.action is not Action.DETACH and not context.owners.is_ours(kind, live):
        return draft.add(problems=[_refusal(change, "is not of this stack any more", "undo that first")])
    if change.action is Action.CREATE:
        return draft.add(changes=[replace(delete(kind, live, reason, context), address=change.address)])
    if change.action is Action.REPLACE:
        return _replaced_back(change, live, reason, draft, context)
    return _reverted(change, kind, live, reason, draft, context)


def _irreversible(change: Change, kind: Kind[Any], context: PlanContext) -> Problem | None:
    """Why a change can never be taken back; None if it can."""
    if kind.local or change.deferred:
        return _refusal(change, "is a registration, which cannot be taken back", "undo it at the cluster manager")
    if change.action not in (Action.DELETE, Action.REPLACE):
        return None
    if any(may_go_down(each, kind.name) for each in context.kinds.values()):
        message = "was deleted, and nothing brings back what lived in it"
        return _refusal(change, message, "apply the manifests of before to make it anew")
    if change.image is None:
        return _refusal(change, "was deleted by a version that kept nothing of it", "make it by hand")
    if masked_in(change.image):
        return _refusal(change, "held a secret, which is not kept", "apply the manifests of before to make it anew")
    return None


def _restored(change: Change, live: Document | None, reason: str, draft: Draft) -> Draft:
    """The object that was deleted, made again as it was. live: what has its name now"""
    if live is not None and live["metadata"].get("deletionTimestamp"):
        return draft.add(problems=[_refusal(change, "is still being deleted", "try again when it is gone")])
    if live is not None:
        return draft.add(notes=[f"{change.address} is there again: nothing of it is undone"])
    return draft.add(changes=[_made_again(change, reason)])


def _replaced_back(change: Change, live: Document, reason: str, draft: Draft, context: PlanContext) -> Draft:
    """The object of before, made first where it has a name of its own, and then the new one deleted."""
    kind, made = context.kinds[change.ref.kind], _made_again(change, reason)
    if made.ref != change.ref and made.ref.name in context.state.of(kind.name):
        # The run ended before the old object was deleted.
        return draft.add(changes=[replace(delete(kind, live, reason, context), address=change.address)])
    base, image = base_of(kind, live, ()), image_of(kind, live)
    surge = made.ref != change.ref
    return draft.add(changes=[replace(made, action=Action.REPLACE, base=base, image=image, surge=surge)])


def _made_again(change: Change, reason: str) -> Change:
    assert change.image is not None
    ref = change.ref._replace(name=change.image["metadata"]["name"])
    made = Change(change.address, Action.CREATE, ref, reason, parent=change.parent, takes=change.gives)
    return replace(made, body=change.image)


def _reverted(
    change: Change, kind: Kind[Any], live: Document, reason: str, draft: Draft, context: PlanContext
) -> Draft:
    """The values of before, in the very object that the run changed."""
    if change.base is not None and change.base.uid not in (None, at_path(live, ("metadata", "uid"))):
        return draft.add(notes=[f"{change.address} is another object by now: nothing of it is undone"])
    edits, problems, notes = [], [], []
    hidden = set(secret_paths(kind, live)) if kind.holds_secrets else set()
    for edit in change.edits:
        field, now = kind.field_at(edit.path), live_value(kind, live, edit.path)
        name = ".".join(edit.path)
        before, after = (field.canonical(value) if field else value for value in (edit.before, edit.after))
        if edit.secret or edit.path in hidden:
            clause = f"had another {name}, which is a secret and not kept"
            problems.append(_refusal(change, clause, "change it by hand"))
        elif not same(kind, edit.path, now, before):
            edits.append(Edit(edit.path, now, before))
            if not same(kind, edit.path, now, after):
                notes.append(f"{change.address}: {name} was changed again after that run, and goes back too")
    if not edits:
        return draft.add(problems=problems, notes=notes)
    stack = context.owners.stack
    detaching = any(edit.path == LABEL_PATH and edit.after != stack for edit in edits)
    adopting = any(edit.path == LABEL_PATH and edit.before != stack for edit in edits)
    action = Action.DETACH if detaching else Action.ADOPT if adopting else Action.UPDATE
    undone = Change(
        address=_address(change, edits, kind, live),
        action=action,
        ref=change.ref,
        reason=reason,
        parent=change.parent,
        edits=tuple(edits),
        base=_base(kind, live, edits, context),
    )
    return draft.add(changes=[undone], problems=problems, notes=notes)


def _base(kind: Kind[Any], live: Document, edits: list[Edit], context: PlanContext) -> Base:
    """What must not move meanwhile: what the ledger has on record of the object, and what changes."""
    owned = context.owners.knows(kind, live)
    recorded = {key_path(key) for key in owned.applied if key != LABEL_KEY} if owned else set()
    ours = {LABEL_PATH, NAME_PATH}
    return base_of(kind, live, tuple(sorted(recorded | {edit.path for edit in edits} - ours)))


def _address(change: Change, edits: list[Edit], kind: Kind[Any], live: Document) -> str:
    """How people will call the object."""
    name = next((edit.after for edit in edits if edit.path == NAME_PATH), None)
    return kind.address(str(name), live.get(SPEC) or {}) if name else change.address


def _refusal(change: Change, clause: str, hint: str) -> Problem:
    return Problem(f"{change.address} {clause}", None, hint, Rule.UNDO)
