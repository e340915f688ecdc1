"""The JSON form of one change of a plan, its edits, places and problems. Used by `codec`, which has the whole plan."""

from __future__ import annotations

from collections.abc import Iterable

from rsspot.errors import Origin, Problem, UsageError
from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Base, Change, Edit
from rsspot.planner.diff import key_path, path_key
from rsspot.planner.masking import Masks, masked
from rsspot.planner.plan_document import PlanBase, PlanChange, PlanEdit, PlanProblem
from rsspot.planner.policy_codec import PlanSource, dump_source
from rsspot.planner.sealing import seals_of
from rsspot.planner.wire_form import wire_form
from rsspot.utils.serialization import Document


def problem_json(problem: Problem) -> Document:
    """A problem as JSON."""
    return dump_problem(problem).model_dump(mode="json", by_alias=True)


def dump_change(change: Change, masks: Masks) -> PlanChange:
    """A change with its secrets masked. masks: those of its plan, so that equal secrets have one mask"""
    hidden = masked(change, masks)
    return PlanChange(
        address=change.address,
        kind=change.ref.kind,
        name=change.ref.name,
        action=change.action,
        reason=change.reason,
        source=dump_source(change.origin) if change.origin else None,
        parent=change.parent,
        surge=change.surge,
        deferred=change.deferred,
        takes=change.takes,
        gives=change.gives,
        drift=change.drift,
        diff=[_dump_edit(edit) for edit in hidden.edits],
        patch=_operations(hidden),
        body=wire_form(hidden.body),
        image=change.image,
        secrets=[list(path) for path in change.secrets],
        filled=[list(path) for path in change.filled],
        after=list(change.after),
        filled_from={path_key(path): source for path, source in change.filled_from.items()},
        seals=dict(change.seals) or seals_of(change),
        patched_by=[dump_source(each) for each in change.origin.patched_by] if change.origin else [],
        base=_dump_base(change.base) if change.base else None,
    )


def load_change(index: int, saved: PlanChange) -> Change:
    """Raises UsageError if it is none, or if the patch that people read is not what the edits would do."""
    if lack := _lack(saved):
        raise UsageError(f"not a saved plan: changes[{index}].{lack}")
    change = as_change(saved)
    if not _is_same_patch(saved.patch, _operations(change)):
        raise UsageError(f"not a saved plan: the patch of {saved.address} does not say what its diff says")
    return change


def _is_same_patch(written: list[Document], derived: list[Document]) -> bool:
    from jsonpatch import JsonPatch, JsonPatchException, JsonPointerException

    try:
        return bool(JsonPatch(written) == JsonPatch(derived))
    except (JsonPatchException, JsonPointerException, TypeError):
        return False


def as_change(saved: PlanChange) -> Change:
    """A change as it was written, unchecked."""
    return Change(
        address=saved.address,
        action=saved.action,
        ref=Ref(saved.kind, saved.name),
        reason=saved.reason,
        origin=_load_origin(saved.source, saved.patched_by),
        parent=saved.parent,
        edits=tuple(_load_edit(edit) for edit in saved.diff),
        body=saved.body,
        image=saved.image,
        base=_load_base(saved.base) if saved.base else None,
        surge=saved.surge,
        deferred=saved.deferred,
        takes=saved.takes,
        gives=saved.gives,
        secrets=tuple(map(tuple, saved.secrets)),
        filled=tuple(map(tuple, saved.filled)),
        after=tuple(saved.after),
        filled_from={key_path(key): source for key, source in saved.filled_from.items()},
        seals=saved.seals,
    )


def _lack(saved: PlanChange) -> str | None:
    """What a change needs for its action and does not have, or None."""
    if saved.body is None and (saved.action in (Action.CREATE, Action.REPLACE) or saved.secrets):
        return "body is missing"
    if saved.base is None and saved.action is not Action.CREATE and not saved.deferred:
        return "base is missing"
    if saved.surge and saved.action is not Action.REPLACE:
        return f"surge cannot be true: its action is {saved.action.value}"
    if not all(saved.secrets) or not all(edit.path for edit in saved.diff):
        return "a path in secrets or diff is empty"
    return None


def _dump_edit(edit: Edit) -> PlanEdit:
    return PlanEdit(
        path=list(edit.path),
        before=wire_form(edit.before),
        after=wire_form(edit.after),
        drift=edit.drift,
        secret=edit.secret,
        forces_replacement=edit.forces_replacement,
        applied=edit.applied,
        by=edit.by,
        since=edit.since,
    )


def _load_edit(saved: PlanEdit) -> Edit:
    return Edit(
        tuple(saved.path),
        saved.before,
        saved.after,
        saved.drift,
        saved.secret,
        saved.forces_replacement,
        saved.applied,
        saved.by,
        saved.since,
    )


def _dump_base(base: Base) -> PlanBase:
    paths = [list(path) for path in base.paths]
    return PlanBase(name=base.name, uid=base.uid, paths=paths, managed_digest=base.digest, owner=base.owner)


def _load_base(saved: PlanBase) -> Base:
    return Base(saved.name, saved.uid, tuple(map(tuple, saved.paths)), saved.managed_digest, saved.owner)


def dump_problem(problem: Problem) -> PlanProblem:
    """A problem with its place."""
    source = dump_source(problem.origin) if problem.origin else None
    return PlanProblem(rule=problem.rule, message=problem.message, source=source, hint=problem.hint)


def load_problem(saved: PlanProblem) -> Problem:
    """The same, read back."""
    return Problem(saved.message, _load_origin(saved.source), saved.hint, saved.rule)


def _load_origin(saved: PlanSource | None, patched_by: Iterable[PlanSource] = ()) -> Origin | None:
    if saved is None:
        return None
    overlays = tuple(Origin(each.file, each.line, each.column) for each in patched_by)
    return Origin(saved.file, saved.line, saved.column, overlays)


def _operations(change: Change) -> list[Document]:
    """A change's edits as an RFC 6902 patch that tests what it was planned on."""
    operations: list[Document] = []
    for edit in change.edits:
        pointer, before, after = "/" + path_key(edit.path), wire_form(edit.before), wire_form(edit.after)
        if edit.before is None:
            operations.append({"op": "add", "path": pointer, "value": after})
            continue
        operations.append({"op": "test", "path": pointer, "value": before})
        removal = {"op": "remove", "path": pointer}
        operations.append(removal if edit.after is None else {"op": "replace", "path": pointer, "value": after})
    return operations
