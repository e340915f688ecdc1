"""Decisions: what becomes of one object. Each function takes one match and returns a change, and looks at no other.

Two ways to replace an object whose immutable fields differ:

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
from rsspot.manifests.lifecycle import ON_REMOVE_PATH, OnRemove, Replace
from rsspot.manifests.manifest import Default, Manifest
from rsspot.models.fields import EXCLUSIVE, SERVER_OWNED
from rsspot.models.refs import Ref, is_uuid
from rsspot.planner.body import body_of, filled
from rsspot.planner.change import Action, Base, Change, Edit, Path
from rsspot.planner.decision_notes import on_dropped_fields, on_no_predecessor, on_switches
from rsspot.planner.diff import SPEC, after_apply, declared, edits, managed_digest
from rsspot.planner.draft import Draft, PlanContext
from rsspot.planner.ownership import LABEL_PATH, label_of
from rsspot.resources.kind import Kind, Naming
from rsspot.resources.secrecy import secret_paths, without_secrets
from rsspot.utils.serialization import Document, at_path

NAME_PATH = ("metadata", "annotations", NAME_ANNOTATION)


def decide(draft: Draft, context: PlanContext) -> Draft:
    """The change of every declared object that is not as declared, and notes on fields that are no longer declared."""
    changes, notes, foreign = [], [], set()
    for match in draft.matches:
        kind = match.manifest.kind
        if kind.name in context.state.incomplete:
            continue
        if match.live is None:
            changes.append(create(match.manifest, context))
            notes += on_no_predecessor(match.manifest)
            continue
        if label_of(match.live) not in (None, context.owners.stack):
            # The guard of ownership says so. What another stack has is not ours to describe.
            foreign.add(match.manifest.address)
            continue
        fields = declared(match.manifest, match.live)
        notes += on_dropped_fields(match.manifest, match.live, fields, context)
        notes += on_switches(match.manifest, match.live)
        if (change := change_of(match.manifest, match.live, fields, context)) is not None:
            changes.append(change)
    return replace(draft, left_out=draft.left_out | foreign).add(changes=changes, notes=notes)


def create(manifest: Manifest, context: PlanContext) -> Change:
    """The change that makes an object which does not exist."""
    name = context.wire_name(manifest)
    owned = context.state.owned.get(Ref(manifest.kind.name, name))
    # What lives in a ledger may be there all the same, on the word of another ledger.
    unknown = "not known to this ledger" if manifest.kind.local else "declared, and does not exist"
    reason = "deleted by somebody else" if owned else unknown
    return _whole(manifest, Action.CREATE, name, reason, context)


def change_of(manifest: Manifest, live: Document, fields: Mapping[Path, Any], context: PlanContext) -> Change | None:
    """The change of an object that exists; None when it is as declared and ours. fields: what is declared of it"""
    kind, name = manifest.kind, live["metadata"]["name"]
    if live["metadata"].get("deletionTimestamp"):
        return replacement(manifest, live, "is being deleted already", context, in_place=True)
    owned = context.owners.knows(kind, live)
    differences = edits(kind, fields, live, owned.applied if owned else None)
    if immutable := [edit for edit in differences if edit.forces_replacement]:
        which = ", ".join(sorted(".".join(edit.path[1:]) for edit in immutable))
        change = replacement(manifest, live, f"{which} is immutable", context)
        return replace(change, edits=differences)
    adopting = not context.owners.is_ours(kind, live)
    if context.owners.lost_its_label(kind, live):
        differences += (Edit(LABEL_PATH, None, context.owners.stack, drift=True),)
    if not adopting:
        differences += _rename(manifest, live)
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
        base=base_of(kind, live, tuple(fields)),
        takes=will_hold and not holds,
        gives=holds and not will_hold,
    )


def replacement(
    manifest: Manifest, live: Document, reason: str, context: PlanContext, *, in_place: bool = False
) -> Change:
    """Delete an object and make it again, in the order that the first lines of this file explain."""
    kind = manifest.kind
    exclusive = _holds(kind, live) or _will_hold(manifest, None)
    in_place = in_place or exclusive or manifest.lifecycle.replace is Replace.RECREATE
    surge = kind.naming is Naming.UUID and not is_uuid(manifest.name) and not in_place
    name = kind.wire_name(context.organization, manifest.name, manifest.spec, successor=surge)
    return replace(
        _whole(_staying(manifest, live), Action.REPLACE, name, reason, context),
        base=base_of(kind, live, tuple(declared(manifest, live))),
        image=image_of(kind, live),
        surge=surge,
        gives=_holds(kind, live),
    )


def _staying(manifest: Manifest, live: Document) -> Manifest:
    """A manifest whose object, made again, keeps what the settings once chose for it."""
    kept = {
        path: Default(value, "as before") if (value := at_path(live, (SPEC, *path))) else default
        for path, default in manifest.defaults.items()
    }
    return replace(manifest, defaults=kept)


def delete(kind: Kind[Any], live: Document, reason: str, context: PlanContext) -> Change:
    """The change that takes a live object away."""
    return Change(
        address=context.owners.address(kind, live),
        action=Action.DELETE,
        ref=Ref(kind.name, live["metadata"]["name"]),
        reason=reason,
        parent=kind.parent_address(live.get(SPEC) or {}),
        base=base_of(kind, live, ()),
        image=image_of(kind, live),
        gives=_holds(kind, live),
    )


def adopt(kind: Kind[Any], live: Document, context: PlanContext) -> Change:
    """The change that makes a live object ours which no manifest declares, and leaves it as it is otherwise."""
    ref, borrowed = Ref(kind.name, live["metadata"]["name"]), _borrowed_name(kind, live, context)
    address = kind.address(ref.name, live.get(SPEC) or {}) if borrowed else context.owners.address(kind, live)
    return Change(
        address=address,
        action=Action.ADOPT,
        ref=ref,
        reason="belongs to no stack",
        parent=kind.parent_address(live.get(SPEC) or {}),
        edits=(Edit(LABEL_PATH, label_of(live), context.owners.stack), *borrowed),
        base=base_of(kind, live, ()),
    )


def _borrowed_name(kind: Kind[Any], live: Document, context: PlanContext) -> tuple[Edit, ...]:
    """The edit that takes a name off a clone. With it, it would be taken for the object that it was cloned from."""
    given, spec = at_path(live, NAME_PATH), live.get(SPEC) or {}
    if not isinstance(given, str) or _is_derived(kind, live, given, context):
        return ()
    others = context.state.of(kind.name).values()
    alike = (each for each in others if at_path(each, NAME_PATH) == given and each is not live)
    parent = kind.parent_name(spec)
    if not any(kind.parent_name(each.get(SPEC) or {}) == parent for each in alike):
        return ()
    return (Edit(NAME_PATH, given, None),)


def _is_derived(kind: Kind[Any], live: Document, given: str, context: PlanContext) -> bool:
    """Whether the wire name of an object stands for a name."""
    spec, name = live.get(SPEC) or {}, live["metadata"]["name"]
    return any(name == kind.wire_name(context.organization, given, spec, successor=each) for each in (False, True))


def detach(kind: Kind[Any], live: Document, reason: str, context: PlanContext, *, to: str | None = None) -> Change:
    """The change that takes our label off a live object, or puts that of the stack `to` on, and lets it be."""
    ref = Ref(kind.name, live["metadata"]["name"])
    return Change(
        address=context.owners.address(kind, live),
        action=Action.DETACH,
        ref=ref,
        reason=reason,
        parent=kind.parent_address(live.get(SPEC) or {}),
        edits=(Edit(LABEL_PATH, label_of(live), to), *_kept_protection(kind, live, context)),
        base=base_of(kind, live, ()),
    )


def _kept_protection(kind: Kind[Any], live: Document, context: PlanContext) -> tuple[Edit, ...]:
    """The edit that writes protection on an object, where only the ledger that will forget it knows of it."""
    if at_path(live, ON_REMOVE_PATH) is not None or context.owners.on_remove(kind, live) is not OnRemove.PROTECT:
        return ()
    return (Edit(ON_REMOVE_PATH, None, OnRemove.PROTECT.value),)


def deferred(source: Manifest, inner: Kind[Any], context: PlanContext) -> Change:
    """The change that stands for objects which can be known only once their group is ready."""
    labels = {STACK_LABEL: context.owners.stack}
    body = {**source.body, "metadata": {"name": source.name, "labels": labels}}
    return Change(
        address=inner.address(f"{source.name}:*", source.spec),
        action=Action.CREATE,
        ref=Ref(source.kind.name, source.name),
        reason=f"everything in {source.parent} once it is ready",
        origin=source.origin,
        origins=source.origins,
        parent=source.parent,
        body=body,
        secrets=secret_paths(source.kind, body),
        deferred=True,
    )


def _whole(manifest: Manifest, action: Action, name: str, reason: str, context: PlanContext) -> Change:
    """A change that creates a whole object."""
    kind, given, body = manifest.kind, filled(manifest), body_of(manifest, name, context.owners.stack)
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
        filled=tuple((SPEC, *path) for path in given),
        filled_from={(SPEC, *path): default.source for path, default in given.items() if default.source},
    )


def image_of(kind: Kind[Any], live: Document) -> Document:
    """What an object is like, with its secrets masked, and without what only the service writes."""
    metadata = {key: live["metadata"][key] for key in ("name", "labels", "annotations") if live["metadata"].get(key)}
    owned = {path[0] for path in kind.marked(SERVER_OWNED) if len(path) == 1}
    spec = {key: value for key, value in (live.get(SPEC) or {}).items() if key not in owned}
    whole = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, SPEC: spec}
    return without_secrets(kind, whole)


def base_of(kind: Kind[Any], live: Document, paths: tuple[Path, ...]) -> Base:
    """What a change of a live object is planned on. paths: the fields that must not move meanwhile"""
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


def _rename(manifest: Manifest, live: Document) -> tuple[Edit, ...]:
    """The edit that gives an object its new name. Only where the service shows what it is called now."""
    previous, given = manifest.lifecycle.previous_name, at_path(live, NAME_PATH)
    wire_name = live["metadata"]["name"]
    if previous is None or wire_name == manifest.name or given != (None if previous == wire_name else previous):
        return ()
    return (Edit(NAME_PATH, given, manifest.name),)


def _owner(live: Document) -> str:
    label = label_of(live)
    return "belongs to no stack" if label is None else f"belongs to the stack {label!r}"


def _why(differences: tuple[Edit, ...]) -> str:
    renamed = next((edit for edit in differences if edit.path == NAME_PATH), None)
    if renamed is not None:
        return f"was called {renamed.before!r}" if renamed.before else "gets a name"
    return "changed by somebody else" if all(edit.drift for edit in differences) else "declared otherwise"
