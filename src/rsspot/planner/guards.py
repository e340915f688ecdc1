"""Guards: each may object to a draft, in a sentence that names the way out. One function a guard; none changes it.

Guards judge what will stand after the apply, not what the manifests say: a field that a manifest does not mention stays
as it lives, and an object that the plan leaves alone still counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rsspot.errors import Problem
from rsspot.manifests.manifest import Manifest
from rsspot.planner.case import Case, Rule
from rsspot.planner.change import Action, Change
from rsspot.planner.dependents import may_go_down, survivors
from rsspot.planner.diff import SPEC
from rsspot.planner.draft import Draft, PlanContext
from rsspot.planner.field_guards import FIELD_GUARDS
from rsspot.planner.lifecycle_guards import LIFECYCLE_GUARDS
from rsspot.planner.money_guards import MONEY_GUARDS
from rsspot.planner.ownership import label_of
from rsspot.planner.selection import is_selected

FEWEST = 10
"""Up to this many removals, SMALL_STACK_PERCENT holds instead of USUAL_PERCENT."""
USUAL_PERCENT = 30
SMALL_STACK_PERCENT = 50


def guard(draft: Draft, context: PlanContext) -> tuple[Problem, ...]:
    """Every objection. When a declared kind could not be read, nothing else is reported: it would be guesses."""
    case = Case(draft=draft, context=context)
    unreadable = tuple(unread(case))
    return unreadable or tuple(problem for check in GUARDS for problem in check(case))


def unread(case: Case) -> Iterator[Problem]:
    """A declared object cannot be judged when its kind could not be listed."""
    named = {match.manifest.kind.name: match.manifest for match in case.matches}
    for kind, manifest in named.items():
        if kind in case.incomplete:
            yield Problem(
                f"the live {case.kinds[kind].plural} could not be read: {case.incomplete[kind]}",
                manifest.origin,
                "try again when the service answers",
                Rule.INCOMPLETE_READ,
            )


def whole_view(case: Case) -> Iterator[Problem]:
    """What cannot be seen cannot be judged: a bid without prices, or what lives in an object that is deleted."""
    options = case.context.options
    for kind, why in sorted(case.incomplete.items()):
        if kind in options.allow_incomplete and not options.destroy:
            continue
        hint = "try again when the service answers"
        hint += "" if options.destroy else f", or plan without them: --allow-incomplete {case.kinds[kind].plural}"
        message = f"the live {case.kinds[kind].plural} could not be read: {why}"
        yield Problem(message, hint=hint, rule=Rule.INCOMPLETE_READ)


def whole_input(case: Case) -> Iterator[Problem]:
    """Nothing is pruned while documents were passed over that may declare it."""
    for unread in case.context.options.unread if case.context.options.prune else ():
        yield Problem(
            f"{unread}: it was passed over, so what nothing declares cannot be told",
            hint="name it in .rsspotignore, or plan without --prune",
            rule=Rule.UNREAD_MANIFESTS,
        )


def labels(case: Case) -> Iterator[Problem]:
    """A destroy does not call itself done while objects are left whose label somebody took off."""
    for leftover in case.draft.undeclared if case.context.options.destroy else ():
        yield Problem(
            f"{leftover.address} carries no stack label any more, so it would stay",
            hint="put the label back with apply, or delete the object by hand",
            rule=Rule.OWNERSHIP,
        )


def ownership(case: Case) -> Iterator[Problem]:
    """Another stack's objects are never touched; objects without a stack only with --adopt."""
    for match in case.matches:
        manifest = match.manifest
        if match.live is None or case.context.owners.is_ours(manifest.kind, match.live):
            continue
        if not is_selected(manifest.address, case.context.options.target, case.context.options.exclude):
            continue
        label, change = label_of(match.live), case.change_of(manifest)
        if label is not None:
            message = f"belongs to the stack {label!r}"
            hint = "give it another name, move its manifest there, or take the object over with `rsspot move`"
        elif not case.context.options.adopt:
            message, hint = "exists already and belongs to no stack", "add --adopt to take it over"
        elif change is not None and change.action is Action.REPLACE:
            message = f"cannot be adopted: {change.reason}"
            hint = "write its manifest as it is now, adopt it, then change it"
        else:
            continue
        yield Problem(f"{manifest.address} {message}", manifest.origin, hint, Rule.OWNERSHIP)


def kept_by_somebody(case: Case) -> Iterator[Problem]:
    """Who takes the label off an object may want to keep it. A label that is gone is put back, but nothing deleted."""
    for match in case.matches:
        change, kind, live = case.change_of(match.manifest), match.manifest.kind, match.live
        if live is None or change is None or change.action is not Action.REPLACE:
            continue
        if case.context.owners.lost_its_label(kind, live) and not live["metadata"].get("deletionTimestamp"):
            yield Problem(
                f"{match.manifest.address} carries no stack label any more, and would be replaced: {change.reason}",
                match.manifest.origin,
                "apply its manifest as the object is now, which puts the label back, and change it after that",
                Rule.OWNERSHIP,
            )


def twins(case: Case) -> Iterator[Problem]:
    """Two manifests of one object would undo each other at every apply."""
    first: dict[tuple[str, str], Manifest] = {}
    for match in case.matches:
        manifest = match.manifest
        derived = case.context.wire_name(manifest)
        for name in {derived, match.live["metadata"]["name"] if match.live else derived}:
            earlier = first.setdefault((manifest.kind.name, name), manifest)
            if earlier is not manifest:
                yield Problem(
                    f"{manifest.address} and {earlier.address} are the same object",
                    manifest.origin,
                    f"leave one of them out; the other is at {earlier.origin}",
                    Rule.TWINS,
                )


def futile(case: Case) -> Iterator[Problem]:
    """A replacement that would come to the same is refused: it would be planned again after every apply.

    Either the ledger shows that this very object was made with the declared value of an immutable field, and the
    service made another one of it; or the successor would get the name of the predecessor, which stands for the same
    values.
    """
    for change in case.changes:
        if change.action is not Action.REPLACE or change.base is None:
            continue
        kind = case.kinds[change.ref.kind]
        live = case.live(kind.name).get(change.base.name, {"metadata": {"name": change.base.name}})
        same_name = change.surge and change.base.name == change.ref.name
        for edit in change.edits:
            if edit.forces_replacement and (same_name or (edit.drift and case.context.owners.knows(kind, live))):
                before, after = ("(secret)",) * 2 if edit.secret else (edit.before, edit.after)
                field = ".".join(edit.path[1:])
                yield Problem(
                    f"{change.address} was made with {field} {after!r}, and the service made {before!r} of it:"
                    " replacing it would come to the same",
                    change.where(edit.path),
                    f"write {before!r}, or leave {field} out",
                    Rule.FUTILE_REPLACEMENT,
                )


def keeps_what_is_wanted(case: Case) -> Iterator[Problem]:
    """No object is deleted that the same plan counts as wanted. Plans are made so; this makes sure of it.

    The old object of a replacement in place is meant to go, and its name comes back.
    """
    keepers = {(c.ref.kind, c.ref.name): c.address for c in case.changes if c.action is not Action.DELETE}
    for match in case.matches:
        change = case.change_of(match.manifest)
        if match.live and (change is None or not change.destructive):
            keepers[match.manifest.kind.name, match.live["metadata"]["name"]] = match.manifest.address
    for change in case.changes:
        if change.base is None or not (change.action is Action.DELETE or change.surge):
            continue
        keeper = keepers.get((change.ref.kind, change.base.name))
        if keeper and not (change.surge and keeper == change.address):
            yield Problem(
                f"{change.address} would be deleted, and it is {keeper}",
                change.origin,
                "give the declared object another name",
                Rule.WANTED,
            )


def unseen_dependents(case: Case) -> Iterator[Problem]:
    """Nothing is deleted or replaced while the objects that live in it cannot be seen."""
    for change in case.changes:
        if not change.destructive or change.surge:
            continue
        for kind in case.kinds.values():
            if may_go_down(kind, change.ref.kind) and kind.name in case.incomplete:
                yield Problem(
                    f"{change.address} would take its {kind.plural} down, and those could not be read:"
                    f" {case.incomplete[kind.name]}",
                    change.origin,
                    "try again when the service answers",
                    Rule.INCOMPLETE_READ,
                )


def bystanders(case: Case) -> Iterator[Problem]:
    """Nothing that is not ours goes down with what we delete or replace."""
    gone = {(change.ref.kind, change.base.name) for change in case.changes if change.destructive and change.base}
    for kind in case.kinds.values():
        if kind.local or not kind.parent:
            continue
        leaving = {name for of_kind, name in gone if of_kind == kind.name}
        for live in survivors(case.live(kind.name).values(), leaving):
            parent = kind.parent_address(live.get(SPEC) or {})
            if parent in case.doomed:
                address = case.context.owners.address(kind, live)
                ours = case.context.owners.is_ours(kind, live)
                why = "which is to stay" if ours else "which is not of this stack"
                yield Problem(
                    f"{parent} would take {address} down with it, {why}",
                    hint="delete or move that object first",
                    rule=Rule.BYSTANDER,
                )


def blast_radius(case: Case) -> Iterator[Problem]:
    """One run takes away no more than its limits allow; without limits, nothing that would hurt a small stack."""
    options, owned = case.context.options, case.context.owned_count
    doomed = sum(change.destructive for change in case.changes)
    if options.destroy:
        return
    if options.most_deletes is not None and doomed > options.most_deletes:
        yield Problem(
            f"{_objects(doomed)} would be deleted or replaced; the limit is {options.most_deletes}",
            hint="raise spec.limits.deletes of the Stack, or --max-deletes, if that is meant",
            rule=Rule.BLAST_RADIUS,
        )
    if options.most_deletes is None and options.most_delete_percent is None:
        yield from _without_limits(case, doomed, owned)
    percent = options.most_delete_percent
    if percent is not None and owned and doomed * 100 > percent * owned:
        yield Problem(
            f"{doomed} of {owned} objects would be deleted or replaced; the limit is {percent} %",
            hint="raise spec.limits.deletePercent of the Stack, or give --max-deletes, if that is meant",
            rule=Rule.BLAST_RADIUS,
        )


def _without_limits(case: Case, doomed: int, owned: int) -> Iterator[Problem]:
    """What an author has to allow in so many words: to lose whatever holds other objects, or much of a stack."""
    hint = "if that is meant, say how many: spec.limits.deletes of the Stack, or --max-deletes"
    for change in case.changes:
        if change.destructive and not change.surge and _holds_others(case, change):
            word = "replaced, with everything in it" if change.action is Action.REPLACE else "deleted"
            yield Problem(f"{change.address} would be {word}", change.origin, hint, Rule.BLAST_RADIUS)
    removed = sum(change.destructive and not change.surge for change in case.changes)
    most = USUAL_PERCENT if doomed > FEWEST else SMALL_STACK_PERCENT
    count = doomed if doomed > FEWEST else removed
    if owned and count > 1 and count * 100 > most * owned:
        message = f"{count} of {owned} objects would be deleted or replaced; without limits at most {most} % are"
        yield Problem(message, hint=hint, rule=Rule.BLAST_RADIUS)


def _holds_others(case: Case, change: Change) -> bool:
    """Whether a change takes away an object that others may live in."""
    return any(may_go_down(kind, change.ref.kind) for kind in case.kinds.values())


def _objects(count: int) -> str:
    return "1 object" if count == 1 else f"{count} objects"


GUARDS: tuple[Callable[[Case], Iterator[Problem]], ...] = (
    whole_view,
    whole_input,
    ownership,
    kept_by_somebody,
    labels,
    twins,
    *FIELD_GUARDS,
    *LIFECYCLE_GUARDS,
    futile,
    keeps_what_is_wanted,
    unseen_dependents,
    bystanders,
    blast_radius,
    *MONEY_GUARDS,
)
