"""Matching: which live object is which manifest's. Says what belongs together, not what to do about it.

A wire name decides, never a mark. Labels and annotations travel along when somebody clones an object with kubectl, so
an object that merely carries our label and a declared name may be a copy; deciding by marks would delete the original.
Names cannot be copied: they are unique, and we can derive every name that we would have given. In order of trust:

1. the name derived for the manifest, the name derived for its replacement, or one the ledger has for its address; the
   same for what the manifest says it was called before;
2. where none of those lives, an object of ours that claims to be it: an adopted one whose ledger was lost. The oldest
   claim wins, and the match is not `certain`, so that nothing is pruned on the strength of it.

What has only the name of before, beside an object that was made under the new one, is left of a replacement that was a
rename too: a predecessor.

Among several objects with trusted names (a replacement was interrupted between its create and its delete) the one that
differs least in immutable fields is the declared object, and the others are its predecessors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from rsspot.manifests.manifest import Manifest
from rsspot.models.fields import IMMUTABLE
from rsspot.planner.diff import SPEC, declared, live_value, same
from rsspot.planner.draft import Draft, Match, PlanContext
from rsspot.utils.serialization import Document


def match(draft: Draft, context: PlanContext) -> Draft:
    """Find the live object of every manifest that stands for one object."""
    return draft.add(matches=[match_one(manifest, context) for manifest in draft.manifests if not manifest.kind.expand])


def match_one(manifest: Manifest, context: PlanContext) -> Match:
    """The live objects of one manifest."""
    kind, owners = manifest.kind, context.owners
    candidates = _candidates(manifest, context)
    if not candidates:
        return Match(manifest, None)
    if len(candidates) == 1 and not manifest.lifecycle.previous_name:
        (live,) = candidates.values()
        return Match(manifest, live, certain=_has_trusted_name(manifest, live, context))
    trusted = {name for name, live in candidates.items() if _has_trusted_name(manifest, live, context)}

    def rank(live: Document) -> tuple[bool, bool, int, str, str]:
        name, created = live["metadata"]["name"], str(live["metadata"].get("creationTimestamp") or "")
        differences = _immutable_differences(manifest, live) if name in trusted else 0
        return (not owners.is_ours(kind, live), name not in trusted, differences, created, name)

    first, *others = sorted(candidates.values(), key=rank)
    ours = [live for live in others if owners.is_ours(kind, live)]
    return Match(
        manifest,
        first,
        predecessors=(
            *(live for live in ours if live["metadata"]["name"] in trusted),
            *_left_behind(manifest, candidates, context),
        ),
        copies=tuple(live for live in ours if live["metadata"]["name"] not in trusted),
        certain=first["metadata"]["name"] in trusted,
    )


def _candidates(manifest: Manifest, context: PlanContext) -> dict[str, Document]:
    """Live objects by wire name: those of our stack that claim the address, and those with a name derived for it."""
    kind, live = manifest.kind, context.state.of(manifest.kind.name)
    ours = context.ours.get(kind.name, {})
    for given in manifest.names:
        claiming = ours.get(kind.address(given, manifest.spec), ())
        candidates = {each["metadata"]["name"]: each for each in claiming}
        own = given == manifest.name
        name = context.wire_name(manifest) if own else kind.wire_name(context.organization, given, manifest.spec)
        successor = kind.wire_name(context.organization, given, manifest.spec, successor=True)
        candidates |= {each: live[each] for each in (name, successor) if each in live}
        # What an object was called before counts only until it has its new name: another may be called so by now.
        if candidates:
            return candidates
    return {}


def _left_behind(manifest: Manifest, found: Mapping[str, Document], context: PlanContext) -> Iterator[Document]:
    """What a rename that was a replacement too left behind, when it was stopped before the old object went.

    found: the candidates by wire name. An object that was renamed as it is keeps the wire name of the old one; whatever
    else is called so by now is another.
    """
    previous = manifest.lifecycle.previous_name
    if previous is None:
        return
    before = replace(manifest, name=previous, lifecycle=replace(manifest.lifecycle, previous_name=None))
    if any(_has_trusted_name(before, live, context) for live in found.values()):
        return
    address = manifest.kind.address(previous, manifest.spec)
    for live in context.ours.get(manifest.kind.name, {}).get(address, ()):
        # Only an object that could not be changed into the declared one is replaced.
        if _has_trusted_name(before, live, context) and _immutable_differences(manifest, live):
            yield live


def _has_trusted_name(manifest: Manifest, live: Document, context: PlanContext) -> bool:
    """Whether we gave an object its name for this manifest, in any version, or the ledger has it under its address."""
    kind, name, spec = manifest.kind, live["metadata"]["name"], live.get(SPEC) or {}
    owned = context.owners.knows(kind, live)
    if owned is not None and owned.address in (kind.address(given, manifest.spec) for given in manifest.names):
        return True
    if any(name == kind.wire_name(context.organization, given, manifest.spec) for given in manifest.names):
        return True
    # A successor's name stands for the immutable fields that it was made with, without what the service filled in.
    written = {key: value for key, value in spec.items() if key in manifest.spec}
    return any(
        name == kind.wire_name(context.organization, given, fields, successor=True)
        for given in manifest.names
        for fields in (manifest.spec, spec, written)
    )


def _immutable_differences(manifest: Manifest, live: Document) -> int:
    """How many immutable fields of a live object are not as declared."""
    kind, count = manifest.kind, 0
    for path, desired in declared(manifest).items():
        field = kind.field_at(path)
        if field and field.has(IMMUTABLE) and not same(kind, path, live_value(kind, live, path), desired):
            count += 1
    return count
