"""Guards about what the fields of declared objects say: names, regions, versions, bids. See `guards` for the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rsspot.errors import Problem
from rsspot.manifests.manifest import Manifest
from rsspot.models.bids import objection, price_at
from rsspot.models.fields import EXCLUSIVE
from rsspot.planner.capacity import capacity
from rsspot.planner.case import Case, Rule
from rsspot.planner.change import Action, Change, Path
from rsspot.planner.diff import SPEC
from rsspot.resources.consistency import inconsistencies
from rsspot.resources.kind import Kind
from rsspot.utils.serialization import at_path
from rsspot.utils.text import did_you_mean
from rsspot.utils.versions import version_parts

MOST_UNRECORDED = 3
"""How many minor versions newer than the last on record are believed: about a year's worth."""


def references(case: Case) -> Iterator[Problem]:
    """Every object that is named must exist, or be created by the same plan."""
    for match in case.matches:
        manifest = match.manifest
        for path, to in manifest.kind.references:
            name = case.named(match, path)
            if name is None or to.may_be_missing or to.kind in case.incomplete or case.manifest_of(to.kind, name):
                continue
            existing = case.live(to.kind)
            if name in existing and not case.will_be_gone(to.kind, name):
                continue
            declare = f"declare a {to.kind} {name!r} too" if case.kinds[to.kind].manageable else None
            yield Problem(
                f"{manifest.address} names the {to.kind} {name!r}, which does not exist",
                manifest.where(SPEC, *path),
                did_you_mean(str(name), set(existing) - {name}) or declare,
                Rule.UNKNOWN_REFERENCE,
            )


def region(case: Case) -> Iterator[Problem]:
    """An object and everything it names are in one region."""
    for match in case.matches:
        manifest, seen = match.manifest, {}
        for path, to in manifest.kind.references:
            name = case.named(match, path)
            if name and (place := case.stands(to.kind, name, (SPEC, "region"))):
                seen[path] = (to.kind, name, place)
        if len({place for _, _, place in seen.values()}) > 1:
            where = ", ".join(f"{kind} {name!r} is in {place}" for kind, name, place in seen.values())
            yield Problem(
                f"{manifest.address} cannot be in two regions: {where}",
                manifest.where(SPEC, *list(seen)[-1]),
                "choose a class of the cloudspace's region",
                Rule.REGION,
            )


def availability(case: Case) -> Iterator[Problem]:
    """New servers come only from classes that are on offer."""
    for match in case.matches:
        manifest, change = match.manifest, case.change_of(match.manifest)
        if change is None or change.action not in (Action.CREATE, Action.REPLACE):
            continue
        for path, to in manifest.kind.references:
            name = at_path(manifest.spec, path)
            state = at_path(case.live(to.kind).get(name, {}), (SPEC, "availability"))
            if state and state != "available":
                yield Problem(
                    f"{manifest.address}: {name} is {state}",
                    manifest.where(SPEC, *path),
                    "choose a class that is available: see `rsspot serverclasses list`",
                    Rule.AVAILABILITY,
                )


def bids(case: Case) -> Iterator[Problem]:
    """A bid that the service would refuse is not sent."""
    for match in case.matches:
        manifest, change = match.manifest, case.change_of(match.manifest)
        references = dict(manifest.kind.references)
        for path, bid in manifest.kind.bids:
            name = at_path(manifest.spec, bid.of)
            market = case.live(references[bid.of].kind).get(name or "")
            if change is None or market is None or not _touches(change, (SPEC, *path)):
                continue
            message = objection(
                at_path(manifest.spec, path), price_at(market, bid.minimum), price_at(market, bid.market)
            )
            if message:
                where = manifest.where(SPEC, *path)
                yield Problem(f"{manifest.address}: {message}", where, f"the class is {name}", Rule.BID)


def _touches(change: Change, path: Path) -> bool:
    return change.action in (Action.CREATE, Action.REPLACE) or any(edit.path == path for edit in change.edits)


def exclusive(case: Case) -> Iterator[Problem]:
    """At most one object under a parent may have an exclusive field on once the plan is applied."""
    for kind in {match.manifest.kind.name: match.manifest.kind for match in case.matches}.values():
        for path in kind.marked(EXCLUSIVE):
            holders: dict[str, list[Manifest]] = defaultdict(list)
            for match in case.matches:
                if match.manifest.kind.name == kind.name and case.after(match, (SPEC, *path)):
                    holders[match.manifest.parent or ""].append(match.manifest)
            others = _undeclared_holders(case, kind, path)
            for parent, manifests in holders.items():
                names = [manifest.address for manifest in manifests] + others.get(parent, [])
                if len(names) > 1:
                    yield Problem(
                        f"only one {kind.name} of {parent} may have {'.'.join(path)}, and {' and '.join(names)} do",
                        manifests[-1].where(SPEC, *path),
                        "turn it off on all but one",
                        Rule.EXCLUSIVE,
                    )


def _undeclared_holders(case: Case, kind: Kind[Any], path: Path) -> dict[str, list[str]]:
    """Parent -> addresses of live objects that hold the field and that the plan neither declares nor deletes."""
    known = {match.live["metadata"]["name"] for match in case.matches if match.live}
    known |= {change.base.name for change in case.changes if change.destructive and change.base}
    holders: dict[str, list[str]] = defaultdict(list)
    for name, live in case.live(kind.name).items():
        spec = live.get(SPEC) or {}
        if name not in known and at_path(spec, path) and (parent := kind.parent_address(spec)):
            holders[parent].append(case.context.owners.address(kind, live))
    return holders


def consistency(case: Case) -> Iterator[Problem]:
    """The fields of one object fit together once the plan is applied."""
    for match in case.matches:
        manifest = match.manifest
        if case.change_of(manifest) is None:
            continue
        for path, clause in inconsistencies(manifest.kind, lambda path: case.after(match, (SPEC, *path))):  # noqa: B023
            message = f"{manifest.address}: {'.'.join(path)} {clause}"
            yield Problem(message, manifest.where(SPEC, *path), "change one of the two fields", Rule.FIELDS)


def versions(case: Case) -> Iterator[Problem]:
    """A version is not lowered, and one that cannot exist yet is not asked for."""
    for match in case.matches:
        manifest, change = match.manifest, case.change_of(match.manifest)
        for path, version in manifest.kind.versions:
            wanted = at_path(manifest.spec, path)
            if change is None or wanted is None or not _touches(change, (SPEC, *path)):
                continue
            running = at_path(match.live, (SPEC, *path)) if change.action is not Action.REPLACE else None
            if message := _version_objection(wanted, running, version.known):
                hint = f"versions on record: {', '.join(version.known)}"
                yield Problem(f"{manifest.address}: {message}", manifest.where(SPEC, *path), hint, Rule.VERSION)


def _version_objection(wanted: str, running: str | None, known: Sequence[str]) -> str | None:
    new, old = version_parts(wanted), version_parts(running)
    first, last = version_parts(known[0]), version_parts(known[-1])
    # A manifest with any other is refused where it is parsed.
    assert new and first and last
    if old is not None and new < old:
        return f"Kubernetes {running} cannot be lowered to {wanted}"
    # The service may have newer ones than those on record, but not many.
    if new[0] != last[0] or new[1] > last[1] + MOST_UNRECORDED or new[1] < first[1]:
        return f"there is no Kubernetes {wanted}"
    return None


def namespaces(case: Case) -> Iterator[Problem]:
    """A manifest that names a namespace is for the organization of that namespace."""
    for match in case.matches:
        manifest, here = match.manifest, case.context.organization
        if manifest.namespace not in (None, "", here):
            yield Problem(
                f"{manifest.address} is for the namespace {manifest.namespace!r}, and this organization's is {here!r}",
                manifest.where("metadata", "namespace"),
                "choose the organization with --org, or leave the namespace out",
                Rule.NAMESPACE,
            )


FIELD_GUARDS: tuple[Callable[[Case], Iterator[Problem]], ...] = (
    namespaces,
    consistency,
    versions,
    references,
    region,
    availability,
    capacity,
    bids,
    exclusive,
)
