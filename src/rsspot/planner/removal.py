"""Removal: which live objects of the stack go, because nothing declares them or because their parent goes.

Only three things are ever deleted. A predecessor that an interrupted replacement left behind, once what replaced it is
ready: until then it still does the work. An object whose parent is deleted, since it cannot outlive it. And, only with
--prune, an object of this stack that no manifest declares; one that is to be detached loses our label instead.
Everything else that is ours and undeclared is listed and left alone. Nothing is pruned on incomplete knowledge: not of
a kind whose list could not be read, not an object that a manifest may stand for whose group could not be read, not one
whose origin a single read misses (see `absence`), not a copy when it is uncertain which one is declared, and nothing at
all by a plan of some objects only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import Any

from rsspot.manifests.lifecycle import OnRemove
from rsspot.models.refs import Ref
from rsspot.planner.absence import ListedOrigins
from rsspot.planner.change import Change
from rsspot.planner.decisions import delete, detach
from rsspot.planner.diff import SPEC
from rsspot.planner.draft import Draft, Match, PlanContext
from rsspot.planner.plan import Leftover
from rsspot.resources.kind import Kind
from rsspot.utils.serialization import Document


def remove_predecessors(draft: Draft, context: PlanContext) -> Draft:
    """Delete what earlier replacements left behind, once what replaced it is ready."""
    declared = {_uid(match.live) for match in draft.matches if match.live}
    changes, notes = [], []
    for match in draft.matches:
        kind = match.manifest.kind
        if match.predecessors and match.live and not context.is_ready(kind.name, match.live):
            notes.append(f"{match.manifest.address}: its predecessor stays until it is ready")
            continue
        for live in match.predecessors:
            if _uid(live) not in declared:
                changes.append(delete(kind, live, "left behind by a replacement", context))
    return draft.add(changes=changes, notes=notes)


def remove_undeclared(draft: Draft, context: PlanContext) -> Draft:
    """Delete or list what people could have declared and did not."""
    return _remove(draft, context, lambda kind: kind.name not in _derived(context))


def remove_underived(draft: Draft, context: PlanContext) -> Draft:
    """The same for objects that other manifests stand for: known only once those are expanded."""
    return _remove(draft, context, lambda kind: kind.name in _derived(context))


def _derived(context: PlanContext) -> set[str]:
    return {kind.expands_to for kind in context.kinds.values() if kind.expands_to}


def _remove(draft: Draft, context: PlanContext, chosen: Callable[[Kind[Any]], bool]) -> Draft:
    listing, may_prune = ListedOrigins.of(draft, context), cache(partial(_may_prune, draft=draft, context=context))
    undecided = {change.parent for change in draft.changes if change.deferred}
    doomed = {change.address for change in draft.changes if change.destructive and not change.surge}
    copies = {_uid(live): match for match in draft.matches for live in match.copies}
    changes: list[Change] = []
    undeclared: list[Leftover] = []
    notes: list[str] = []
    for kind, address, live in _undeclared(draft, context, chosen):
        parent = kind.parent_address(live.get(SPEC) or {})
        match = copies.get(_uid(live))
        if match is not None:
            # Under the author's name it would read as the declared object.
            address = kind.address(live["metadata"]["name"], live.get(SPEC) or {})  # noqa: PLW2901
            notes.append(_note_on_copy(address, match))
        if not context.owners.may_delete(kind, live, context.organization):
            notes.append(f"{address} carries no stack label any more and is left alone, though the ledger knows it")
            undeclared.append(Leftover(address, Ref(kind.name, live["metadata"]["name"])))
        elif parent in doomed:
            changes.append(delete(kind, live, f"goes down with {parent}", context))
        elif parent in undecided and not kind.authored and not listing.is_gone(kind, live):
            continue
        elif may_prune(kind) and listing.may_be_back(kind, live):
            notes.append(f"{address}: what it stands for is missing; it goes once a later apply misses it too")
        elif may_prune(kind) and (match is None or match.certain):
            reason = _reason(kind, live, listing, context)
            if context.owners.on_remove(kind, live) is OnRemove.DETACH:
                change = detach(kind, live, f"{reason}, and is to stay", context)
            else:
                change = delete(kind, live, reason, context)
            changes.append(replace(change, address=address))
        else:
            undeclared.append(Leftover(address, Ref(kind.name, live["metadata"]["name"])))
    return draft.add(changes=changes, undeclared=undeclared, notes=notes)


def _undeclared(
    draft: Draft, context: PlanContext, chosen: Callable[[Kind[Any]], bool]
) -> Iterator[tuple[Kind[Any], str, Document]]:
    """Live objects of the stack, by address, that nothing in the draft is about and that are not being deleted."""
    known = {_uid(match.live) for match in draft.matches if match.live}
    known |= {_uid(live) for match in draft.matches for live in match.predecessors}
    known |= {change.base.uid for change in draft.changes if change.base}
    objects = [
        (kind, address, live)
        for kind in context.kinds.values()
        if chosen(kind) and kind.name not in context.state.incomplete
        for address, of_address in context.ours.get(kind.name, {}).items()
        for live in of_address
        if _uid(live) not in known and not live["metadata"].get("deletionTimestamp")
    ]
    return iter(sorted(objects, key=lambda entry: entry[1]))


def _note_on_copy(address: str, match: Match) -> str:
    doubt = "" if match.certain else " (nothing tells which of the two is declared: neither is pruned)"
    return f"{address} carries the name of {match.manifest.address} and looks like a copy of it{doubt}"


def _reason(kind: Kind[Any], live: Document, listing: ListedOrigins, context: PlanContext) -> str:
    """Why an object that nothing declares goes."""
    if context.options.destroy:
        return "the stack is destroyed"
    return "what it stood for is gone" if listing.is_gone(kind, live) else "no longer in the manifests"


def _may_prune(kind: Kind[Any], draft: Draft, context: PlanContext) -> bool:
    """Whether an undeclared object may go: pruning is on, and what might declare it could be read."""
    if not context.options.prune or context.options.partial:
        return False
    sources = [manifest.kind for manifest in draft.manifests if manifest.kind.expands_to == kind.name]
    return not any(source.parent and source.parent.kind in context.state.incomplete for source in sources)


def _uid(live: Document) -> str | None:
    uid: str | None = live["metadata"].get("uid")
    return uid
