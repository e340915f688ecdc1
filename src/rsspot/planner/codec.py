"""The JSON form of a plan, `rsspot.plan/1`: written with its secrets masked, read back with its digest checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from rsspot.constants import VERSION
from rsspot.errors import Origin, Problem, UsageError
from rsspot.models.findings import findings
from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Base, Change, Edit
from rsspot.planner.diff import key_path, path_key
from rsspot.planner.masking import Masks, masked
from rsspot.planner.money_codec import dump_cost, load_cost
from rsspot.planner.plan import Leftover, Pending, Plan
from rsspot.planner.plan_document import (
    ADAPTER,
    FORMAT,
    PlanBase,
    PlanChange,
    PlanDocument,
    PlanEdit,
    PlanInputs,
    PlanPending,
    PlanProblem,
    PlanScope,
    PlanTool,
)
from rsspot.planner.policy_codec import RESULT, PlanSource, dump_result, dump_source, load_result
from rsspot.planner.sealing import seals_of
from rsspot.planner.wire_form import wire_form
from rsspot.utils.serialization import Document, at_path, digest

UNSEALED = ("digest", "createdAt", "signature", "notes", "cost")
"""What the digest is not about: it stands for what a plan would do. Prices move while a plan stays the same."""
OUTSIDE = {
    "changes": ("seals", "source", "image", "filledFrom", "patchedBy"),
    "refusals": ("source",),
    "pending": ("note",),
    "policies": RESULT,
}
"""The same for the members of lists."""


def dump_plan(plan: Plan) -> Document:
    """The plan as `rsspot.plan/1`, with its secrets masked and its digest."""
    masks = Masks()
    document = PlanDocument(
        tool=PlanTool(version=VERSION),
        scope=PlanScope(id=plan.scope, organization=plan.organization, stack=plan.stack),
        command=plan.command,
        complete=plan.complete,
        applyable=not plan.refusals,
        incomplete_reasons=dict(plan.incomplete),
        inputs=PlanInputs(
            files=list(plan.files),
            profile=plan.profile,
            programs=dict(plan.programs),
            target=list(plan.target),
            exclude=list(plan.exclude),
            ledger=plan.ledger,
            lease=plan.lease,
        ),
        summary=plan.summary,
        changes=[_dump_change(change, masks) for change in plan.changes],
        pending=[
            PlanPending(address=each.address, kind=each.ref.kind, name=each.ref.name, note=each.note)
            for each in plan.pending
        ],
        drifted=[_dump_change(change, masks) for change in plan.drifted],
        undeclared=[leftover.address for leftover in plan.undeclared],
        # In an order that does not depend on where in which files the objects are declared.
        refusals=[_dump_problem(each) for each in sorted(plan.refusals, key=lambda each: (each.rule, each.message))],
        notes=sorted(plan.notes),
        policies=[dump_result(each) for each in plan.policies],
        cost=dump_cost(plan.cost) if plan.cost else None,
    )
    written: Document = ADAPTER.dump_python(document, mode="json", by_alias=True, exclude=_left_out(plan))
    return written | {"digest": digest_of(written)}


def _left_out(plan: Plan) -> dict[str, Any]:
    """The members that are not written: those that are added later, and what was not asked for."""
    later: dict[str, Any] = dict.fromkeys(("digest", "created_at", "signature"), True)
    if not plan.policies:
        later["policies"] = True
    later["inputs"] = {name for name in ("ledger", "lease") if getattr(plan, name) is None}
    if plan.cost is None:
        return {**later, "cost": True}
    return later if plan.cost.bids else {**later, "cost": {"bids", "past"}}


def load_plan(document: Any, *, sealed: bool = True) -> Plan:
    """Read a saved plan. Raises UsageError when it is not one, or was changed after it was made.

    sealed: whether its digest must match. What a digest covers may differ between versions, and a ledger is no input.
    """
    if not isinstance(document, dict) or document.get("schema") != FORMAT:
        raise UsageError(f"not a saved plan: its schema is not {FORMAT!r}")
    if sealed and document.get("digest") != digest_of(document):
        raise UsageError("the saved plan was changed after it was made: its digest does not match")
    if _major(document) != VERSION.partition(".")[0]:
        made_by = at_path(document, ("tool", "version"))
        raise UsageError(f"the saved plan was made by rsspot {made_by}, and this is {VERSION}", hint="make a new plan")
    try:
        saved = ADAPTER.validate_python(document, by_name=False, by_alias=True)
    except ValidationError as error:
        raise UsageError(f"not a saved plan: {findings(error)[0]}") from None
    return Plan(
        scope=saved.scope.id,
        organization=saved.scope.organization,
        stack=saved.scope.stack,
        command=saved.command,
        changes=tuple(_load_change(index, change) for index, change in enumerate(saved.changes)),
        unchanged=saved.summary.get("unchanged", 0),
        pending=tuple(Pending(each.address, Ref(each.kind, each.name), each.note) for each in saved.pending),
        undeclared=tuple(map(Leftover, saved.undeclared)),
        incomplete=saved.incomplete_reasons,
        refusals=tuple(_load_problem(problem) for problem in saved.refusals),
        drifted=tuple(_as_change(change) for change in saved.drifted),
        notes=tuple(saved.notes),
        files=tuple(saved.inputs.files),
        profile=saved.inputs.profile,
        ledger=saved.inputs.ledger,
        lease=saved.inputs.lease,
        programs=saved.inputs.programs,
        target=tuple(saved.inputs.target),
        exclude=tuple(saved.inputs.exclude),
        policies=tuple(map(load_result, saved.policies)),
        cost=load_cost(saved.cost) if saved.cost else None,
    )


def _major(document: Document) -> str:
    return str(at_path(document, ("tool", "version"))).partition(".")[0]


def digest_of(document: Document) -> str:
    """The digest of what a plan would do: the same wherever in which files it is declared."""
    written = {key: value for key, value in document.items() if key not in UNSEALED}
    for key, passed_over in OUTSIDE.items():
        entries = written.get(key)
        if isinstance(entries, list):
            written[key] = [_without(entry, passed_over) for entry in entries]
    if "inputs" in written:
        written["inputs"] = _without(written["inputs"], ("files",))
    return digest(written)


def _without(entry: Any, keys: tuple[str, ...]) -> Any:
    if not isinstance(entry, dict):
        return entry
    kept = {name: value for name, value in entry.items() if name not in keys}
    if isinstance(kept.get("diff"), list):
        # Who changed a field before the plan was made changes nothing about what the plan does.
        kept["diff"] = [_without(edit, ("by", "since")) for edit in kept["diff"]]
    return kept


def problem_json(problem: Problem) -> Document:
    """A problem as JSON."""
    return _dump_problem(problem).model_dump(mode="json", by_alias=True)


def _dump_change(change: Change, masks: Masks) -> PlanChange:
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


def _load_change(index: int, saved: PlanChange) -> Change:
    """Raises UsageError if it is none, or if the patch that people read is not what the edits would do."""
    if lack := _lack(saved):
        raise UsageError(f"not a saved plan: changes[{index}].{lack}")
    change = _as_change(saved)
    if not _is_same_patch(saved.patch, _operations(change)):
        raise UsageError(f"not a saved plan: the patch of {saved.address} does not say what its diff says")
    return change


def _is_same_patch(written: list[Document], derived: list[Document]) -> bool:
    from jsonpatch import JsonPatch, JsonPatchException, JsonPointerException

    try:
        return bool(JsonPatch(written) == JsonPatch(derived))
    except (JsonPatchException, JsonPointerException, TypeError):
        return False


def _as_change(saved: PlanChange) -> Change:
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


def _dump_problem(problem: Problem) -> PlanProblem:
    source = dump_source(problem.origin) if problem.origin else None
    return PlanProblem(rule=problem.rule, message=problem.message, source=source, hint=problem.hint)


def _load_problem(saved: PlanProblem) -> Problem:
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
