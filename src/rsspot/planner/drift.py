"""Drift: what somebody else did to a stack, told apart from what is declared by now and nobody has applied yet.

What was applied last is in the ledger. Where that knows nothing of an object, as in a job of CI that begins without
one, the service may tell who wrote a field last; and where nothing tells, a difference is taken for drift.

Only a difference that a manifest has a say in counts: what is as declared by now, whoever made it so, is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from rsspot.models.refs import Ref
from rsspot.planner.attribution import OURS, last_author, may_be_ours
from rsspot.planner.change import Action, Change, Edit
from rsspot.planner.live import LiveState
from rsspot.planner.ownership import LABEL_KEY, label_of
from rsspot.planner.plan import DRIFT, Leftover, Plan
from rsspot.planner.refresh import drifted
from rsspot.resources.kind import Kind
from rsspot.utils.serialization import Document

UNKNOWN = "no record says what was applied"


def with_drift(plan: Plan, state: LiveState, kinds: Mapping[str, Kind[Any]]) -> Plan:
    """A report of drift, as a plan that is not to be applied.

    plan: what would apply the manifests to `state` · Returns `drifted`: what somebody else did; `changes`: what is
    declared and not applied yet; `undeclared`: what the stack made and no manifest declares any more.
    """
    return _Drift(plan, state, kinds).report()


class _Drift:
    """One look at one stack."""

    def __init__(self, plan: Plan, state: LiveState, kinds: Mapping[str, Kind[Any]]) -> None:
        self._plan, self._state, self._kinds = plan, state, kinds
        self._recorded = {change.ref: change for change in drifted(state, kinds)}
        self._gone = {each.address: each for each in self._recorded.values() if each.action is Action.DELETE}
        self._addresses = {ref: owned.address for ref, owned in state.owned.items()}

    def report(self) -> Plan:
        """The plan with its changes told apart."""
        plan = self._plan
        pairs = [self._split(change) for change in plan.changes]
        open_ = _without_consequences([change for _, change in pairs if change], plan)
        foreign = [each for each in plan.undeclared if self._is_foreign(each)]
        found = [
            *(change for change, _ in pairs if change),
            *self._unplanned(),
            *(_made(each.address, each.ref) for each in foreign if each.ref),
        ]
        return replace(
            plan,
            command=DRIFT,
            changes=open_,
            drifted=tuple(sorted(found, key=lambda each: (each.address, each.action.value))),
            undeclared=tuple(each for each in plan.undeclared if each not in foreign),
            refusals=(),
            programs={},
            found=(),
            missing=(),
            cost=None,
        )

    def _split(self, change: Change) -> tuple[Change | None, Change | None]:
        """What somebody else did to the object of a change, and what of the change is not applied yet."""
        if change.action is Action.DELETE and self._is_foreign(Leftover(change.address, change.ref)):
            return _made(change.address, change.ref), None
        if self._kinds[change.ref.kind].local or change.deferred or (change.base and not change.edits):
            return None, change
        if change.base is None:
            return self._missing(change)
        ref = Ref(change.ref.kind, change.base.name)
        recorded = self._recorded.get(ref)
        if recorded and recorded.action is not Action.UPDATE:
            return replace(recorded, origin=change.origin), None
        live = self._state.of(ref.kind).get(ref.name) or {}
        edits = self._known(change, recorded) if ref in self._state.owned else tuple(_unknown(change, live))
        undone = {edit.path for edit in edits}
        rest = tuple(e for e in change.edits if not e.drift and not (e.path in undone and _is_undone(e, edits)))
        told = ref in self._state.owned or all(edit.by for edit in edits)
        reason = "changed by somebody else" if told else f"not as declared; {UNKNOWN}"
        done = Change(change.address, Action.UPDATE, ref, reason, change.origin, edits=edits)
        left = replace(change, edits=rest, body=None if change.action is Action.UPDATE else change.body)
        return done if edits else None, left if rest else None

    def _known(self, change: Change, recorded: Change | None) -> tuple[Edit, ...]:
        """What somebody else changed of the fields that a change is about, by the ledger."""
        wanted = {edit.path for edit in change.edits}
        return tuple(edit for edit in recorded.edits if edit.path in wanted) if recorded else ()

    def _missing(self, change: Change) -> tuple[Change | None, Change | None]:
        """The same for a declared object that is not there."""
        if gone := self._gone.get(change.address):
            return replace(gone, origin=change.origin), None
        if self._state.owned:
            return None, change
        why = f"declared, and not there; {UNKNOWN}"
        return Change(change.address, Action.DELETE, change.ref, why, change.origin), None

    def _unplanned(self) -> Iterator[Change]:
        """What became of objects on record that the plan would not change."""
        planned = {Ref(each.ref.kind, each.base.name) for each in self._plan.changes if each.base}
        left = {each.ref for each in self._plan.undeclared}
        for ref, change in self._recorded.items():
            if ref in planned or change.action is Action.DELETE:
                continue
            if ref in left or self._lost_its_label(ref):
                yield change

    def _lost_its_label(self, ref: Ref) -> bool:
        """Whether an object carried our label when it was applied and does not any more, so that a plan refuses it."""
        live, owned = self._state.of(ref.kind).get(ref.name), self._state.owned[ref]
        label = owned.applied.get(LABEL_KEY)
        return label is not None and live is not None and label_of(live) != label

    def _is_foreign(self, leftover: Leftover) -> bool:
        """Whether an object that nothing declares was made by somebody else, under our label."""
        ref = leftover.ref
        if ref is None or self._kinds[ref.kind].local or ref in self._state.owned:
            return False
        live = self._state.of(ref.kind).get(ref.name) or {}
        return not may_be_ours(live)


def _unknown(change: Change, live: Document) -> Iterator[Edit]:
    """The fields of an object without a record that this program did not write last."""
    for edit in change.edits:
        author = last_author(live, edit.path)
        if author and author.manager == OURS:
            continue
        yield replace(
            edit,
            before=edit.after,
            after=edit.before,
            drift=True,
            by=author.manager if author else None,
            since=author.time if author else None,
        )


def _is_undone(edit: Edit, drifted_edits: tuple[Edit, ...]) -> bool:
    """Whether an edit of a plan only takes back what somebody else did."""
    return any(each.path == edit.path and each.before == edit.after for each in drifted_edits)


def _made(address: str, ref: Ref) -> Change:
    return Change(address, Action.CREATE, ref, "made by somebody else, under the label of the stack")


def _without_consequences(changes: list[Change], plan: Plan) -> tuple[Change, ...]:
    """The changes without those that only follow from what somebody else did to the object they live in."""
    planned, left = {each.address for each in plan.changes}, {each.address for each in changes}
    return tuple(
        each for each in changes if each.edits or not each.base or each.parent not in planned or each.parent in left
    )
