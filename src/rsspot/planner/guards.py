"""Guards: each may object to a plan, in a sentence that names the way out.

One function a guard; none changes anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from rsspot.errors import Problem
from rsspot.models.fields import EXCLUSIVE
from rsspot.models.money import parse_price
from rsspot.planner.bids import objection
from rsspot.planner.change import Action, Change, Path
from rsspot.planner.diff import SPEC, after_apply
from rsspot.planner.ownership import Owners, label_of
from rsspot.planner.target import Match, Wanted
from rsspot.resources.kind import Kind, is_controlled
from rsspot.utils.serialization import Document, at_path
from rsspot.utils.text import did_you_mean

FEWEST = 10
"""Below this many removals the percentage says nothing."""
USUAL_PERCENT = 30


@dataclass(frozen=True)
class PlanOptions:
    """What the author of the run allows."""

    prune: bool = False
    adopt: bool = False
    destroy: bool = False
    most_deletes: int | None = None
    most_delete_percent: int | None = None


@dataclass(frozen=True)
class Case:
    """All that a guard may look at."""

    matches: Sequence[Match]
    changes: Sequence[Change]
    live: Mapping[str, Mapping[str, Document]]
    incomplete: Mapping[str, str]
    kinds: Mapping[str, Kind[Any]]
    owners: Owners
    owned_count: int
    options: PlanOptions
    organization: str

    @cached_property
    def _changes(self) -> dict[str, Change]:
        return {change.address: change for change in self.changes if change.action is not Action.DELETE}

    @cached_property
    def _wanted(self) -> dict[tuple[str, str], Wanted]:
        return {(match.wanted.kind.name, match.wanted.name): match.wanted for match in self.matches}

    @cached_property
    def _pruned(self) -> set[tuple[str, str]]:
        return {(c.ref.kind, c.base.name) for c in self.changes if c.action is Action.DELETE and c.base}

    def change_of(self, wanted: Wanted) -> Change | None:
        """What becomes of a wanted object."""
        return self._changes.get(wanted.address)

    def after(self, match: Match, path: Path) -> Any:
        """What stands at a path of a wanted object once the plan is applied."""
        change = self.change_of(match.wanted)
        made = change is not None and change.action in (Action.CREATE, Action.REPLACE)
        return after_apply(match.wanted.body, None if made else match.live, path)

    def wanted_of(self, kind: str, name: str) -> Wanted | None:
        """The manifest of a kind and name."""
        return self._wanted.get((kind, name))

    def will_be_gone(self, kind: str, name: str) -> bool:
        """Whether a live object is deleted for good."""
        return (kind, name) in self._pruned


def unread(case: Case) -> Iterator[Problem]:
    """Nothing can be said of an object whose kind could not be listed."""
    named = {match.wanted.kind.name: match.wanted for match in case.matches}
    for kind, wanted in named.items():
        if kind in case.incomplete:
            yield Problem(
                f"the live {case.kinds[kind].plural} could not be read: {case.incomplete[kind]}",
                wanted.origin,
                "try again when the service answers",
                "incomplete-read",
            )


def whole_view(case: Case) -> Iterator[Problem]:
    """A destroy that cannot see everything would call itself done too early."""
    for kind, why in sorted(case.incomplete.items()) if case.options.destroy else ():
        said = f"the live {case.kinds[kind].plural} could not be read: {why}"
        yield Problem(said, hint="try again when the service answers", rule="incomplete-read")


def ownership(case: Case) -> Iterator[Problem]:
    """Another stack's objects are never touched; nobody's only when asked."""
    for match in case.matches:
        if match.live is None or case.owners.is_ours(match.wanted.kind, match.live):
            continue
        label = label_of(match.live)
        if label is not None:
            said, hint = f"belongs to the stack {label!r}", "give it another name, or move its manifest to that stack"
        elif not case.options.adopt:
            said, hint = "exists already and belongs to no stack", "add --adopt to take it over"
        elif (change := case.change_of(match.wanted)) and change.action is Action.REPLACE:
            said, hint = (
                f"cannot be taken over: {change.reason}",
                "write its manifest as it is now, adopt it, then change it",
            )
        else:
            continue
        yield Problem(f"{match.wanted.address} {said}", match.wanted.origin, hint, "ownership")


def twins(case: Case) -> Iterator[Problem]:
    """Two manifests that mean one object would undo each other for ever."""
    first: dict[tuple[str, str], Wanted] = {}
    for match in case.matches:
        wanted = match.wanted
        name = wanted.kind.wire_name(case.organization, wanted.name, wanted.spec)
        for meant in {name, match.live["metadata"]["name"] if match.live else name}:
            earlier = first.setdefault((wanted.kind.name, meant), wanted)
            if earlier is not wanted:
                yield Problem(
                    f"{wanted.address} and {earlier.address} are the same object",
                    wanted.origin,
                    f"leave one of them out; the other is at {earlier.origin}",
                    "twins",
                )


def references(case: Case) -> Iterator[Problem]:
    """Everything that is named must exist, or be made by the same plan."""
    for match in case.matches:
        wanted = match.wanted
        for path, to in wanted.kind.references:
            name = at_path(wanted.spec, path)
            if name is None or to.may_be_missing or to.kind in case.incomplete or case.wanted_of(to.kind, name):
                continue
            known = case.live.get(to.kind, {})
            if name in known and not case.will_be_gone(to.kind, name):
                continue
            declare = f"declare a {to.kind} {name!r} too" if case.kinds[to.kind].manageable else None
            hint = did_you_mean(str(name), set(known) - {name}) or declare
            yield Problem(
                f"{wanted.address} names the {to.kind} {name!r}, which does not exist",
                wanted.where(SPEC, *path),
                hint,
                "unknown-reference",
            )


def region(case: Case) -> Iterator[Problem]:
    """An object and everything it names stand in one region."""
    for match in case.matches:
        wanted, seen = match.wanted, {}
        for path, to in wanted.kind.references:
            name = at_path(wanted.spec, path)
            other = case.wanted_of(to.kind, name) if name else None
            named = other.body if other else case.live.get(to.kind, {}).get(name or "")
            if named is not None and (place := at_path(named, (SPEC, "region"))):
                seen[path] = (to.kind, name, place)
        if len({place for _, _, place in seen.values()}) > 1:
            said = ", ".join(f"{kind} {name!r} is in {place}" for kind, name, place in seen.values())
            yield Problem(
                f"{wanted.address} cannot be in two regions: {said}",
                wanted.where(SPEC, *list(seen)[-1]),
                "choose a class of the cloudspace's region",
                "region",
            )


def bids(case: Case) -> Iterator[Problem]:
    """A bid that the service would refuse is not sent."""
    for match in case.matches:
        wanted, change = match.wanted, case.change_of(match.wanted)
        references = dict(wanted.kind.references)
        for path, bid in wanted.kind.bids:
            named = at_path(wanted.spec, bid.of)
            market = case.live.get(references[bid.of].kind, {}).get(named or "")
            if change is None or market is None or not _touches(change, (SPEC, *path)):
                continue
            said = objection(
                parse_price(at_path(wanted.spec, path)),
                _price(at_path(market, bid.minimum)),
                _price(at_path(market, bid.market)),
            )
            if said:
                yield Problem(f"{wanted.address}: {said}", wanted.where(SPEC, *path), f"{named} is the class", "bid")


def _touches(change: Change, path: tuple[str, ...]) -> bool:
    return change.action in (Action.CREATE, Action.REPLACE) or any(edit.path == path for edit in change.edits)


def _price(value: Any) -> Decimal | None:
    return None if value in (None, "", "$") else parse_price(value)


def futile(case: Case) -> Iterator[Problem]:
    """What the service made otherwise once, it would make otherwise again: the replacement would come back for ever.

    The ledger has this very object with the wanted value of a final field, and it lives with another one; or the
    replacement would get the name of what it replaces, since that was made from the same values.
    """
    for change in case.changes:
        if change.action is not Action.REPLACE or change.base is None:
            continue
        kind = case.kinds[change.ref.kind]
        live = case.live.get(kind.name, {}).get(change.base.name, {"metadata": {"name": change.base.name}})
        same_name = change.surge and change.base.name == change.ref.name
        for edit in change.edits:
            if edit.forces_replacement and (same_name or (edit.drift and case.owners.knows(kind, live))):
                before, after = ("(secret)",) * 2 if edit.secret else (edit.before, edit.after)
                field = ".".join(edit.path[1:])
                yield Problem(
                    f"{change.address} was made with {field} {after!r}, and the service made {before!r} of it:"
                    " replacing it would come to the same",
                    change.where(edit.path),
                    f"write {before!r}, or leave {field} out",
                    "futile-replacement",
                )


def keeps_what_is_wanted(case: Case) -> Iterator[Problem]:
    """No object is deleted that the same plan counts as wanted. Plans are made so; this makes sure of it.

    The old object of a replacement in place is meant to go, and its name comes back.
    """
    keepers = {(c.ref.kind, c.ref.name): c.address for c in case.changes if c.action is not Action.DELETE}
    for match in case.matches:
        change = case.change_of(match.wanted)
        if match.live and (change is None or not change.destructive):
            keepers[match.wanted.kind.name, match.live["metadata"]["name"]] = match.wanted.address
    for change in case.changes:
        if change.base is None or not (change.action is Action.DELETE or change.surge):
            continue
        keeper = keepers.get((change.ref.kind, change.base.name))
        if keeper and not (change.surge and keeper == change.address):
            yield Problem(
                f"{change.address} would be deleted, and it is {keeper}",
                change.origin,
                "give the object that is declared another name",
                "wanted",
            )


def availability(case: Case) -> Iterator[Problem]:
    """New servers come only from classes that are on offer."""
    for match in case.matches:
        wanted = match.wanted
        change = case.change_of(wanted)
        if change is None or change.action not in (Action.CREATE, Action.REPLACE):
            continue
        for path, to in wanted.kind.references:
            named = case.live.get(to.kind, {}).get(at_path(wanted.spec, path) or "", {})
            state = at_path(named, (SPEC, "availability"))
            if state and state != "available":
                yield Problem(
                    f"{wanted.address}: {at_path(wanted.spec, path)} is {state}",
                    wanted.where(SPEC, *path),
                    "choose a class that is available: `rsspot serverclasses list` tells",
                    "availability",
                )


def exclusive(case: Case) -> Iterator[Problem]:
    """At most one object under a parent may have an exclusive field on once the plan is applied.

    What a manifest does not mention stays as it lives, and so do objects that the plan leaves alone.
    """
    for kind in {match.wanted.kind.name: match.wanted.kind for match in case.matches}.values():
        for path in kind.marked(EXCLUSIVE):
            holders: dict[str, list[Wanted]] = defaultdict(list)
            for match in case.matches:
                if match.wanted.kind.name == kind.name and case.after(match, (SPEC, *path)):
                    holders[match.wanted.parent or ""].append(match.wanted)
            others = _unmatched_holders(case, kind, path)
            for parent, wanted in holders.items():
                names = [each.address for each in wanted] + others.get(parent, [])
                if len(names) > 1:
                    yield Problem(
                        f"only one {kind.name} of {parent} may have {'.'.join(path)}, and {' and '.join(names)} do",
                        wanted[-1].where(SPEC, *path),
                        "turn it off on all but one",
                        "exclusive",
                    )


def _unmatched_holders(case: Case, kind: Kind[Any], path: tuple[str, ...]) -> dict[str, list[str]]:
    """Live objects that hold the field and that this plan neither declares nor deletes."""
    known = {match.live["metadata"]["name"] for match in case.matches if match.live}
    known |= {change.base.name for change in case.changes if change.destructive and change.base}
    found: dict[str, list[str]] = defaultdict(list)
    for name, live in case.live.get(kind.name, {}).items():
        spec = live.get(SPEC) or {}
        if name not in known and at_path(spec, path) and (parent := kind.parent_address(spec)):
            found[parent].append(case.owners.address(kind, live))
    return found


def unseen_children(case: Case) -> Iterator[Problem]:
    """Nothing is deleted or replaced while what lives in it cannot be seen."""
    for change in case.changes:
        if not change.destructive or change.surge:
            continue
        for kind in case.kinds.values():
            if kind.parent and kind.parent[1] == change.ref.kind and kind.name in case.incomplete and not kind.local:
                yield Problem(
                    f"{change.address} would take its {kind.plural} down, and those could not be read:"
                    f" {case.incomplete[kind.name]}",
                    change.origin,
                    "try again when the service answers",
                    "incomplete-read",
                )


def bystanders(case: Case) -> Iterator[Problem]:
    """Nothing that is not ours goes down with what we delete or replace."""
    gone = {(change.ref.kind, change.base.name) for change in case.changes if change.destructive and change.base}
    doomed = {change.address for change in case.changes if change.destructive and not change.surge}
    for kind in case.kinds.values():
        for name, live in case.live.get(kind.name, {}).items():
            if not kind.parent or kind.local or (kind.name, name) in gone:
                continue
            if at_path(live, ("metadata", "deletionTimestamp")) or is_controlled(live):
                continue
            parent = kind.parent_address(live.get(SPEC) or {})
            if parent in doomed:
                yield Problem(
                    f"{parent} would take {case.owners.address(kind, live)} down with it, which is not of this stack",
                    hint="delete or move that object first",
                    rule="bystander",
                )


def blast_radius(case: Case) -> Iterator[Problem]:
    """One run takes away no more than its limits allow."""
    doomed = sum(change.destructive for change in case.changes)
    options = case.options
    if options.destroy:
        return
    if options.most_deletes is not None and doomed > options.most_deletes:
        yield Problem(
            f"{_objects(doomed)} would be deleted or replaced; the limit is {options.most_deletes}",
            hint="raise spec.limits.deletes of the Stack, or --max-deletes, if that is meant",
            rule="blast-radius",
        )
    percent = options.most_delete_percent if options.most_delete_percent is not None else USUAL_PERCENT
    enough = doomed > FEWEST or options.most_delete_percent is not None
    lifted = options.most_deletes is not None and options.most_delete_percent is None
    if enough and case.owned_count and doomed * 100 > percent * case.owned_count and not lifted:
        yield Problem(
            f"{doomed} of {case.owned_count} objects would be deleted or replaced; the limit is {percent} %",
            hint="raise spec.limits.deletePercent of the Stack, or give --max-deletes, if that is meant",
            rule="blast-radius",
        )


def _objects(count: int) -> str:
    return "1 object" if count == 1 else f"{count} objects"


GUARDS: tuple[Callable[[Case], Iterator[Problem]], ...] = (
    unread,
    whole_view,
    ownership,
    twins,
    references,
    region,
    availability,
    bids,
    exclusive,
    futile,
    keeps_what_is_wanted,
    unseen_children,
    bystanders,
    blast_radius,
)


def objections(case: Case) -> list[Problem]:
    """What every guard has to say. When a kind could not be read, only that is said: the rest would be guesses."""
    first = list(unread(case))
    return first or [problem for guard in GUARDS[1:] for problem in guard(case)]
