"""Decisions: what becomes of one object. Each function takes one match and returns a change, and looks at no other.

Two ways to replace an object whose final fields differ:

- surge: create the successor under a name of its own, wait until it is ready, delete the predecessor. Workloads keep
  their servers meanwhile. Possible only where we choose the wire name (a UUID), and not while either of the two holds
  something that only one object under their parent may have.
- in place: delete, wait until it is gone, create under the same name. The only way for objects whose name its author
  chose, and for everything that lives in an object that is itself replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.manifests.manifest import Manifest
from rsspot.models.fields import EXCLUSIVE
from rsspot.models.refs import Ref, is_uuid
from rsspot.planner.body import body_of
from rsspot.planner.change import Action, Base, Change, Edit, Path
from rsspot.planner.diff import SPEC, after_apply, edits, key_path, managed, managed_digest, path_key
from rsspot.planner.draft import Draft, PlanContext
from rsspot.planner.ownership import LABEL_KEY, LABEL_PATH, label_of
from rsspot.resources.consistency import filled_in
from rsspot.resources.kind import Kind, Naming
from rsspot.resources.secrecy import secret_paths
from rsspot.utils.serialization import Document, at_path

FINAL = "is final once made"
NAME_PATH = ("metadata", "annotations", NAME_ANNOTATION)


def decide(draft: Draft, context: PlanContext) -> Draft:
    """The change of every declared object that is not as declared, and notes on fields that are no longer declared."""
    changes, notes = [], []
    for match in draft.matches:
        kind = match.manifest.kind
        if kind.name in context.state.incomplete:
            continue
        if match.live is None:
            changes.append(create(match.manifest, context))
            continue
        notes += _notes_on_dropped_fields(match.manifest, match.live, context)
        if (change := change_of(match.manifest, match.live, context)) is not None:
            changes.append(change)
    return draft.add(changes=changes, notes=notes)


def create(manifest: Manifest, context: PlanContext) -> Change:
    """The change that makes an object which does not exist."""
    name = manifest.kind.wire_name(context.organization, manifest.name, manifest.spec)
    owned = context.state.owned.get(Ref(manifest.kind.name, name))
    # What lives in a ledger may be there all the same, on the word of another ledger.
    unknown = "not known to this ledger" if manifest.kind.local else "declared, and does not exist"
    reason = "deleted by somebody else" if owned else unknown
    return _whole(manifest, Action.CREATE, name, reason, context)


def change_of(manifest: Manifest, live: Document, context: PlanContext) -> Change | None:
    """The change of an object that exists; None when it is as declared and ours."""
    kind, name = manifest.kind, live["metadata"]["name"]
    if live["metadata"].get("deletionTimestamp"):
        return replacement(manifest, live, "is being deleted already", context, in_place=True)
    owned = context.owners.knows(kind, live)
    fields = managed(kind, manifest.body, live)
    differences = edits(kind, fields, live, owned.applied if owned else None)
    base = _base(kind, live, tuple(fields))
    if final := [edit for edit in differences if edit.forces_replacement]:
        which = ", ".join(sorted(".".join(edit.path[1:]) for edit in final))
        change = replacement(manifest, live, f"{which} {FINAL}", context)
        return replace(change, edits=differences, base=base)
    adopting = not context.owners.is_ours(kind, live)
    if context.owners.lost_its_label(kind, live):
        differences += (Edit(LABEL_PATH, None, context.owners.stack, drift=True),)
    if not differences and not adopting:
        return None
    holds, will_hold = _holds(kind, live), _will_hold(manifest, live)
    return Change(
        address=manifest.address,
        action=Action.ADOPT if adopting else Action.UPDATE,
        ref=Ref(kind.name, name),
        reason=_owner(live) if adopting else _why(differences),
        origin=manifest.origin,
        origins=manifest.origins,
        parent=manifest.parent,
        edits=differences + (_marks(manifest, live, context) if adopting else ()),
        base=base,
        takes=will_hold and not holds,
        gives=holds and not will_hold,
    )


def replacement(
    manifest: Manifest, live: Document, reason: str, context: PlanContext, *, in_place: bool = False
) -> Change:
    """Delete an object and make it again, in the order that the first lines of this file explain."""
    kind = manifest.kind
    exclusive = _holds(kind, live) or _will_hold(manifest, None)
    surge = kind.naming is Naming.UUID and not is_uuid(manifest.name) and not exclusive and not in_place
    name = kind.wire_name(context.organization, manifest.name, manifest.spec, successor=surge)
    return replace(
        _whole(manifest, Action.REPLACE, name, reason, context),
        base=_base(kind, live, tuple(managed(kind, manifest.body, live))),
        surge=surge,
        gives=_holds(kind, live),
    )


def delete(kind: Kind[Any], live: Document, reason: str, context: PlanContext) -> Change:
    """The change that takes a live object away."""
    return Change(
        address=context.owners.address(kind, live),
        action=Action.DELETE,
        ref=Ref(kind.name, live["metadata"]["name"]),
        reason=reason,
        parent=kind.parent_address(live.get(SPEC) or {}),
        base=_base(kind, live, ()),
        gives=_holds(kind, live),
    )


def deferred(source: Manifest, inner: Kind[Any], context: PlanContext) -> Change:
    """The change that stands for objects which can be known only once their group is ready."""
    labels = {STACK_LABEL: context.owners.stack}
    return Change(
        address=inner.address(f"{source.name}:*", source.spec),
        action=Action.CREATE,
        ref=Ref(source.kind.name, source.name),
        reason=f"everything in {source.parent} once it is ready",
        origin=source.origin,
        parent=source.parent,
        body={**source.body, "metadata": {"name": source.name, "labels": labels}},
        deferred=True,
    )


def _whole(manifest: Manifest, action: Action, name: str, reason: str, context: PlanContext) -> Change:
    """A change that creates a whole object."""
    kind, body = manifest.kind, body_of(manifest, name, context.owners.stack)
    return Change(
        address=manifest.address,
        action=action,
        ref=Ref(kind.name, name),
        reason=reason,
        origin=manifest.origin,
        origins=manifest.origins,
        parent=manifest.parent,
        body=body,
        takes=_will_hold(manifest, None),
        secrets=secret_paths(kind, body),
        filled=tuple((SPEC, *path) for path in filled_in(kind, manifest.spec)),
    )


def _base(kind: Kind[Any], live: Document, paths: tuple[Path, ...]) -> Base:
    metadata = live["metadata"]
    digest = managed_digest(kind, live, paths) if paths else None
    return Base(metadata["name"], metadata.get("uid"), paths, digest, label_of(live))


def _holds(kind: Kind[Any], live: Document) -> bool:
    """Whether a live object has something that only one object under its parent may have."""
    return any(at_path(live, (SPEC, *path)) for path in kind.marked(EXCLUSIVE))


def _will_hold(manifest: Manifest, live: Document | None) -> bool:
    """Whether the object will have that after an apply. live: None for an object that is made anew."""
    return any(after_apply(manifest.body, live, (SPEC, *path)) for path in manifest.kind.marked(EXCLUSIVE))


def _marks(manifest: Manifest, live: Document, context: PlanContext) -> tuple[Edit, ...]:
    """The edits that make an adopted object ours. A name from a former life would make it a copy of another object."""
    marks = [Edit(LABEL_PATH, label_of(live), context.owners.stack)]
    given = at_path(live, NAME_PATH)
    name = manifest.name if live["metadata"]["name"] != manifest.name else None
    if given != name:
        marks.append(Edit(NAME_PATH, given, name))
    return tuple(marks)


def _owner(live: Document) -> str:
    label = label_of(live)
    return "belongs to no stack" if label is None else f"belongs to the stack {label!r}"


def _why(differences: tuple[Edit, ...]) -> str:
    return "changed by somebody else" if all(edit.drift for edit in differences) else "declared otherwise"


def _notes_on_dropped_fields(manifest: Manifest, live: Document, context: PlanContext) -> list[str]:
    """Which fields were applied once, still have a value, and are no longer declared: they stay as they are."""
    kind = manifest.kind
    owned = context.owners.knows(kind, live)
    if owned is None or live["metadata"].get("deletionTimestamp"):
        return []
    declared = {path_key(path) for path in managed(kind, manifest.body, live)}
    yielding = {path_key((SPEC, *path)) for path, field in kind.fields.items() if field.yields_to}
    others = declared | yielding | {LABEL_KEY}
    dropped = sorted(key for key in owned.applied if key not in others and _has_value(live, key))
    if not dropped:
        return []
    names = ", ".join(".".join(key_path(key)).removeprefix("spec.") for key in dropped)
    return [f"{manifest.address}: no longer declared and left as they are: {names} (null removes)"]


def _has_value(live: Mapping[str, Any], key: str) -> bool:
    return at_path(live, key_path(key)) not in (None, [], {})
