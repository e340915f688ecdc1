"""The JSON form of a plan, `rsspot.plan/1`: written with its secrets masked, read back with its digest checked."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from rsspot.constants import VERSION
from rsspot.errors import UsageError
from rsspot.models.findings import findings
from rsspot.models.refs import Ref
from rsspot.planner.change_codec import as_change, dump_change, dump_problem, load_change, load_problem
from rsspot.planner.masking import Masks
from rsspot.planner.money_codec import dump_cost, load_cost
from rsspot.planner.plan import Leftover, Pending, Plan
from rsspot.planner.plan_document import (
    ADAPTER,
    FORMAT,
    PlanDocument,
    PlanInputs,
    PlanPending,
    PlanScope,
    PlanTool,
)
from rsspot.planner.policy_codec import RESULT, dump_result, load_result
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
        changes=[dump_change(change, masks) for change in plan.changes],
        pending=[
            PlanPending(address=each.address, kind=each.ref.kind, name=each.ref.name, note=each.note)
            for each in plan.pending
        ],
        drifted=[dump_change(change, masks) for change in plan.drifted],
        undeclared=[leftover.address for leftover in plan.undeclared],
        # In an order that does not depend on where in which files the objects are declared.
        refusals=[dump_problem(each) for each in sorted(plan.refusals, key=lambda each: (each.rule, each.message))],
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
        changes=tuple(load_change(index, change) for index, change in enumerate(saved.changes)),
        unchanged=saved.summary.get("unchanged", 0),
        pending=tuple(Pending(each.address, Ref(each.kind, each.name), each.note) for each in saved.pending),
        undeclared=tuple(map(Leftover, saved.undeclared)),
        incomplete=saved.incomplete_reasons,
        refusals=tuple(load_problem(problem) for problem in saved.refusals),
        drifted=tuple(as_change(change) for change in saved.drifted),
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
