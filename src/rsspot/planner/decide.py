"""What becomes of one object: the change that makes, alters, replaces or deletes it. Looks at no other object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.models.fields import EXCLUSIVE, SECRET
from rsspot.models.refs import Ref
from rsspot.planner.body import body_of
from rsspot.planner.change import Action, Base, Change, Edit, Path
from rsspot.planner.diff import SPEC, after_apply, edits, key_path, managed, managed_digest, path_key
from rsspot.planner.ownership import Owners, label_of
from rsspot.planner.target import Wanted
from rsspot.planner.world import LiveState
from rsspot.resources.kind import Kind, Naming, is_uuid
from rsspot.utils.serialization import Document, at_path


class Decisions:
    """Changes of single objects. `notes` collects what is worth saying about them."""

    def __init__(self, world: LiveState, owners: Owners, *, destroying: bool) -> None:
        self.world, self.owners = world, owners
        self._destroying = destroying
        self.notes: list[str] = []

    def create(self, wanted: Wanted) -> Change:
        name = wanted.kind.wire_name(self.world.organization, wanted.name, wanted.spec)
        known = self.world.owned.get(Ref(wanted.kind.name, name))
        return self._full(
            wanted, Action.CREATE, name, "deleted by somebody else" if known else "declared, and does not exist"
        )

    def change(self, wanted: Wanted, live: Document) -> Change | None:
        """The change of an object that exists, or None."""
        kind, name = wanted.kind, live["metadata"]["name"]
        if live["metadata"].get("deletionTimestamp"):
            return self.replacement(wanted, live, "is being deleted already", in_place=True)
        known = self.owners.knows(kind, live)
        fields = managed(kind, wanted.body, live)
        found = edits(kind, fields, live, known.applied if known else None)
        self._note_forsaken(wanted, fields, known.applied if known else {}, live)
        final = [edit for edit in found if edit.forces_replacement]
        base = self._base(kind, live, tuple(fields))
        if final:
            which = ", ".join(sorted(".".join(edit.path[1:]) for edit in final))
            return replace(self.replacement(wanted, live, f"{which} is final once made"), edits=found, base=base)
        adopting = not self.owners.is_ours(kind, live)
        if not found and not adopting:
            return None
        return Change(
            address=wanted.address,
            action=Action.ADOPT if adopting else Action.UPDATE,
            ref=Ref(kind.name, name),
            reason="taken over from nobody" if adopting else _why(found),
            origin=wanted.origin,
            places=wanted.origins or {},
            parent=wanted.parent,
            edits=found + (self._marks(wanted, name, live) if adopting else ()),
            base=base,
            takes=self._will_hold(kind, wanted, live) and not self._holds_exclusive(kind, live),
            gives=self._holds_exclusive(kind, live) and not self._will_hold(kind, wanted, live),
        )

    def _note_forsaken(
        self, wanted: Wanted, fields: Mapping[Path, Any], applied: Mapping[str, Any], live: Document
    ) -> None:
        """Say which fields were applied once, are still there, and are no longer declared: they stay as they are."""
        declared = {path_key(path) for path in fields}
        left = [key for key in applied if key not in declared and at_path(live, key_path(key)) not in (None, [], {})]
        yielding = {path_key((SPEC, *path)) for path, field in wanted.kind.fields.items() if field.yields_to}
        if left := sorted(set(left) - yielding):
            names = ", ".join(".".join(key_path(key)).removeprefix("spec.") for key in left)
            self.notes.append(f"{wanted.address}: no longer declared and left as they are: {names} (null removes)")

    def replacement(self, wanted: Wanted, live: Document, reason: str, *, in_place: bool = False) -> Change:
        kind = wanted.kind
        exclusive = self._holds_exclusive(kind, live) or self._will_hold(kind, wanted, None)
        surge = kind.naming is Naming.UUID and not is_uuid(wanted.name) and not exclusive and not in_place
        name = kind.wire_name(self.world.organization, wanted.name, wanted.spec, successor=surge)
        return replace(
            self._full(wanted, Action.REPLACE, name, reason),
            base=self._base(kind, live, tuple(managed(kind, wanted.body, live))),
            surge=surge,
            gives=self._holds_exclusive(kind, live),
        )

    def _base(self, kind: Kind[Any], live: Document, paths: tuple[Path, ...]) -> Base:
        """What a change of a live object is planned on."""
        metadata = live["metadata"]
        digest = managed_digest(kind, live, paths) if paths else None
        return Base(metadata["name"], metadata.get("uid"), paths, digest, label_of(live))

    def _holds_exclusive(self, kind: Kind[Any], live: Document) -> bool:
        return any(at_path(live, (SPEC, *path)) for path in kind.marked(EXCLUSIVE))

    def _will_hold(self, kind: Kind[Any], wanted: Wanted, live: Document | None) -> bool:
        return any(after_apply(wanted.body, live, (SPEC, *path)) for path in kind.marked(EXCLUSIVE))

    def _full(self, wanted: Wanted, action: Action, name: str, reason: str) -> Change:
        """A change that makes a whole object."""
        kind = wanted.kind
        return Change(
            address=wanted.address,
            action=action,
            ref=Ref(kind.name, name),
            reason=reason,
            origin=wanted.origin,
            places=wanted.origins or {},
            parent=wanted.parent,
            body=body_of(wanted, name, self.owners.stack),
            takes=self._will_hold(kind, wanted, None),
            secrets=tuple((SPEC, *path) for path in kind.marked(SECRET) if at_path(wanted.spec, path) is not None),
        )

    def _marks(self, wanted: Wanted, name: str, live: Document) -> tuple[Edit, ...]:
        """The edits that make an adopted object ours."""
        found = [Edit(("metadata", "labels", STACK_LABEL), label_of(live), self.owners.stack)]
        if name != wanted.name:
            found.append(Edit(("metadata", "annotations", NAME_ANNOTATION), None, wanted.name))
        return tuple(found)

    def delete(self, kind: Kind[Any], live: Document, reason: str) -> Change:
        name = live["metadata"]["name"]
        return Change(
            address=self.owners.address(kind, live),
            action=Action.DELETE,
            ref=Ref(kind.name, name),
            reason=reason,
            parent=kind.parent_address(live.get(SPEC) or {}),
            base=self._base(kind, live, ()),
            gives=self._holds_exclusive(kind, live),
        )

    def why_gone(self) -> str:
        return "the stack is destroyed" if self._destroying else "no longer in the manifests"

    def deferred(self, source: Wanted, inner: Kind[Any]) -> Change:
        return Change(
            address=inner.address(f"{source.name}:*", source.spec),
            action=Action.CREATE,
            ref=Ref(source.kind.name, source.name),
            reason=f"everything in {source.parent} once it is ready",
            origin=source.origin,
            parent=source.parent,
            body={**source.body, "metadata": {"name": source.name, "labels": {STACK_LABEL: self.owners.stack}}},
            deferred=True,
        )


def _why(found: tuple[Edit, ...]) -> str:
    return "changed by somebody else" if all(edit.drift for edit in found) else "declared otherwise"
