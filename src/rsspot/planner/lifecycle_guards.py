"""Guards over what authors say about the life of an object: protection, replacement, and names of before."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rsspot.constants import PREVIOUS_NAME_ANNOTATION, REPLACE_ANNOTATION
from rsspot.errors import Problem
from rsspot.manifests.lifecycle import OnRemove, Replace
from rsspot.planner.case import Case, Rule
from rsspot.planner.change import Action, Change
from rsspot.planner.protection import LIFT
from rsspot.utils.serialization import Document


def protection(case: Case) -> Iterator[Problem]:
    """A protected object is neither deleted nor replaced, and one that is to be detached goes down with nothing."""
    for change in case.changes:
        live = _live(case, change)
        if not change.destructive or live is None or live["metadata"].get("deletionTimestamp"):
            continue
        word = _on_remove(case, change, live)
        verb = "replaced" if change.action is Action.REPLACE else "deleted"
        if word is OnRemove.PROTECT:
            yield Problem(
                f"{change.address} is protected, and would be {verb}: {change.reason}",
                change.origin,
                LIFT,
                Rule.PROTECTION,
            )
        elif word is OnRemove.DETACH and change.action is Action.DELETE and change.parent in case.doomed:
            yield Problem(
                f"{change.address} is to stay when it is removed, and would be deleted: {change.reason}",
                change.origin,
                "to let it go, apply its manifest with `rsspot.dev/on-remove: delete` first",
                Rule.PROTECTION,
            )


def replacements(case: Case) -> Iterator[Problem]:
    """An object is replaced only as its author allows it."""
    for match in case.matches:
        change, mode = case.change_of(match.manifest), match.manifest.lifecycle.replace
        if change is None or change.action is not Action.REPLACE or mode in (None, Replace.RECREATE):
            continue
        if match.live is None or match.live["metadata"].get("deletionTimestamp"):
            continue
        path = next((edit.path for edit in change.edits if edit.forces_replacement), ())
        where = match.manifest.where(*path)
        if mode is Replace.FORBID:
            message = f"{change.address} would be replaced, which its manifest forbids: {change.reason}"
            hint = f"undo the change, or take `{REPLACE_ANNOTATION}: forbid` away"
            yield Problem(message, where, hint, Rule.REPLACEMENT)
        elif not change.surge:
            message = f"{change.address} cannot be replaced with the new one first: {change.reason}"
            yield Problem(
                message, where, f"undo the change, or write `{REPLACE_ANNOTATION}: recreate`", Rule.REPLACEMENT
            )


def renames(case: Case) -> Iterator[Problem]:
    """What an object was called before is not the name of another declared one."""
    for match in case.matches:
        manifest = match.manifest
        previous = manifest.lifecycle.previous_name
        if previous is None:
            continue
        address = manifest.kind.address(previous, manifest.spec)
        other = case.declared_at(address)
        if other is not None:
            yield Problem(
                f"{manifest.address} was called {previous!r} before, and {address} is declared too",
                manifest.where("metadata", "annotations", PREVIOUS_NAME_ANNOTATION),
                f"take `{PREVIOUS_NAME_ANNOTATION}` away, or give the other one a new name; it is at {other.origin}",
                Rule.RENAME,
            )


def _on_remove(case: Case, change: Change, live: Document) -> OnRemove:
    """What becomes of a live object. Protection that is declared and not applied yet counts as well."""
    declared = case.declared_at(change.address)
    if declared is not None and declared.lifecycle.on_remove is OnRemove.PROTECT:
        return OnRemove.PROTECT
    return case.context.owners.on_remove(case.kinds[change.ref.kind], live)


def _live(case: Case, change: Change) -> Document | None:
    return case.live(change.ref.kind).get(change.base.name) if change.base else None


LIFECYCLE_GUARDS: tuple[Callable[[Case], Iterator[Problem]], ...] = (protection, replacements, renames)
