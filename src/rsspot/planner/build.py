"""Desired + live + owned -> Plan.

Decides each object's action; leaves objections to the guards and order to `order`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.errors import Problem
from rsspot.models.fields import EXCLUSIVE, SECRET
from rsspot.models.refs import Ref
from rsspot.planner.body import body_of
from rsspot.planner.change import Action, Base, Change, Edit, Path
from rsspot.planner.diff import SPEC, edits, key_path, managed, managed_digest, path_key
from rsspot.planner.guards import Case, Options, objections
from rsspot.planner.plan import Leftover, Plan
from rsspot.planner.target import Match, Owners, Wanted, match
from rsspot.services.kind import Kind, Naming, Phase, is_uuid
from rsspot.utils import Document, at_path


@dataclass(frozen=True)
class World:
    """What was read.

    applied: per object, its fields as last applied; claimed: objects an earlier run meant to create.
    """

    organization: str
    live: Mapping[str, Mapping[str, Document]]
    incomplete: Mapping[str, str] = field(default_factory=dict)
    owned: Mapping[Ref, Any] = field(default_factory=dict)
    claimed: frozenset[Ref] = frozenset()


def build(
    wanted: Iterable[Wanted],
    world: World,
    kinds: Mapping[str, Kind[Any]],
    *,
    stack: str,
    scope: str,
    command: str = "apply",
    options: Options | None = None,
    files: Iterable[str] = (),
) -> Plan:
    """The plan that makes `wanted` so. Problems are in `plan.refusals`; nothing is raised for them."""
    planner = _Planner(list(wanted), world, kinds, stack, options or Options())
    changes = planner.changes()
    return Plan(
        scope=scope,
        organization=world.organization,
        stack=stack,
        command=command,
        changes=tuple(sorted(changes, key=lambda change: (change.address, change.action.value))),
        unchanged=planner.unchanged,
        undeclared=tuple(planner.undeclared),
        incomplete=dict(world.incomplete),
        refusals=tuple(planner.problems + objections(planner.case(changes))),
        notes=tuple(planner.notes),
        files=tuple(files),
    )


class _Planner:
    """One planning, step by step; each step reads what the earlier ones found."""

    def __init__(
        self, wanted: list[Wanted], world: World, kinds: Mapping[str, Kind[Any]], stack: str, options: Options
    ) -> None:
        self.world, self.kinds, self.options = world, kinds, options
        self.owners = Owners(stack, world.owned, world.claimed)
        self.unchanged = 0
        self.undeclared: list[Leftover] = []
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self._ours = self._index_ours()
        self._expanding = [each for each in wanted if each.kind.expand]
        plain = [each for each in wanted if not each.kind.expand]
        self.matches = [self._match(each) for each in plain]

    def changes(self) -> list[Change]:
        """Every change of the plan."""
        decided = {each.wanted.address: change for each in self.matches if (change := self._decide(each))}
        decided |= self._cascade(decided)
        self.unchanged = sum(each.live is not None and each.wanted.address not in decided for each in self.matches)
        found = [*decided.values(), *self._leftovers()]
        derived = {name for kind in self.kinds.values() if (name := kind.expands_to)}
        found += self._removals(found, [kind for kind in self.kinds.values() if kind.name not in derived])
        found += self._expansions(found)
        return found + self._removals(found, [self.kinds[name] for name in sorted(derived)])

    def case(self, changes: list[Change]) -> Case:
        """What the guards look at."""
        ours = sum(len(documents) for by_address in self._ours.values() for documents in by_address.values())
        return Case(
            self.matches,
            changes,
            self.world.live,
            self.world.incomplete,
            self.kinds,
            self.owners,
            ours,
            self.options,
            self.world.organization,
        )

    def _index_ours(self) -> dict[str, dict[str, list[Document]]]:
        ours: dict[str, dict[str, list[Document]]] = defaultdict(lambda: defaultdict(list))
        for name, documents in self.world.live.items():
            kind = self.kinds[name]
            if not kind.manageable:
                continue
            for live in documents.values():
                if self.owners.is_ours(kind, live):
                    ours[name][self.owners.address(kind, live)].append(live)
        return ours

    def _match(self, wanted: Wanted) -> Match:
        kind = wanted.kind.name
        return match(
            wanted, self.world.live.get(kind, {}), self._ours.get(kind, {}), self.world.organization, self.owners
        )

    def _decide(self, found: Match) -> Change | None:
        """What becomes of one wanted object."""
        if found.wanted.kind.name in self.world.incomplete:
            return None
        return self._create(found.wanted) if found.live is None else self._change(found.wanted, found.live)

    def _leftovers(self) -> list[Change]:
        """What earlier replacements did not live to delete, once what replaces it is ready."""
        gone = []
        for found in self.matches:
            if found.leftovers and found.live and not self._is_ready(found.wanted.kind.name, found.live):
                self.notes.append(f"{found.wanted.address}: its predecessor stays until it is ready")
                continue
            gone += [self._delete(found.wanted.kind, each, "left behind by a replacement") for each in found.leftovers]
        return gone

    def _create(self, wanted: Wanted) -> Change:
        name = wanted.kind.wire_name(self.world.organization, wanted.name, wanted.spec)
        known = self.world.owned.get(Ref(wanted.kind.name, name))
        return self._full(
            wanted, Action.CREATE, name, "deleted by somebody else" if known else "declared, and does not exist"
        )

    def _change(self, wanted: Wanted, live: Document) -> Change | None:
        """The change of an object that exists, or None."""
        kind, name = wanted.kind, live["metadata"]["name"]
        if live["metadata"].get("deletionTimestamp"):
            return self._replacement(wanted, live, "is being deleted already", in_place=True)
        known = self.world.owned.get(Ref(kind.name, name))
        fields = _without_yielding(kind, managed(kind, wanted.body), wanted, live)
        found = edits(kind, fields, live, known.applied if known else None)
        self._note_forsaken(wanted, fields, known.applied if known else {}, live)
        final = [edit for edit in found if edit.forces_replacement]
        base = self._base(kind, live, tuple(fields))
        if final:
            which = ", ".join(sorted(".".join(edit.path[1:]) for edit in final))
            return replace(self._replacement(wanted, live, f"{which} is final once made"), edits=found, base=base)
        adopting = not self.owners.is_ours(kind, live)
        if not found and not adopting:
            return None
        return Change(
            address=wanted.address,
            action=Action.ADOPT if adopting else Action.UPDATE,
            ref=Ref(kind.name, name),
            reason="taken over from nobody" if adopting else _why(found),
            origin=wanted.origin,
            parent=wanted.parent,
            edits=found + (self._marks(wanted, name, live) if adopting else ()),
            base=base,
            takes=any(edit.path[1:] in kind.marked(EXCLUSIVE) and edit.after is True for edit in found),
            gives=any(edit.path[1:] in kind.marked(EXCLUSIVE) and edit.before is True for edit in found),
        )

    def _note_forsaken(
        self, wanted: Wanted, fields: Mapping[Path, Any], applied: Mapping[str, Any], live: Document
    ) -> None:
        """Say which fields were applied once, are still there, and are no longer declared: they stay as they are."""
        declared = {path_key(path) for path in fields}
        left = [key for key in applied if key not in declared and at_path(live, key_path(key)) not in (None, [], {})]
        yielding = {path_key((SPEC, *path)) for path, field in wanted.kind.fields.items() if field.yields_to}
        if left := sorted(set(left) - yielding):
            names = ", ".join(key.removeprefix("spec/").replace("/", ".") for key in left)
            self.notes.append(f"{wanted.address}: {names} is no longer declared and stays as it is; null removes it")

    def _replacement(self, wanted: Wanted, live: Document, reason: str, *, in_place: bool = False) -> Change:
        kind = wanted.kind
        exclusive = any(
            at_path(spec, path) for path in kind.marked(EXCLUSIVE) for spec in (wanted.spec, live.get(SPEC) or {})
        )
        surge = kind.naming is Naming.UUID and not is_uuid(wanted.name) and not exclusive and not in_place
        name = kind.wire_name(self.world.organization, wanted.name, wanted.spec, successor=surge)
        return replace(
            self._full(wanted, Action.REPLACE, name, reason),
            base=self._base(kind, live, tuple(managed(kind, wanted.body))),
            surge=surge,
            gives=self._holds_exclusive(kind, live),
        )

    def _base(self, kind: Kind[Any], live: Document, paths: tuple[Path, ...]) -> Base:
        """What a change of a live object is planned on."""
        metadata = live["metadata"]
        digest = managed_digest(kind, live, paths) if paths else None
        return Base(metadata["name"], metadata.get("uid"), paths, digest, self.owners.label(live))

    def _holds_exclusive(self, kind: Kind[Any], live: Document) -> bool:
        return any(at_path(live.get(SPEC) or {}, path) for path in kind.marked(EXCLUSIVE))

    def _full(self, wanted: Wanted, action: Action, name: str, reason: str) -> Change:
        """A change that makes a whole object."""
        kind = wanted.kind
        return Change(
            address=wanted.address,
            action=action,
            ref=Ref(kind.name, name),
            reason=reason,
            origin=wanted.origin,
            parent=wanted.parent,
            body=body_of(wanted, name, self.owners.stack),
            takes=any(at_path(wanted.spec, path) for path in kind.marked(EXCLUSIVE)),
            secrets=tuple((SPEC, *path) for path in kind.marked(SECRET) if at_path(wanted.spec, path) is not None),
        )

    def _marks(self, wanted: Wanted, name: str, live: Document) -> tuple[Edit, ...]:
        """The edits that make an adopted object ours."""
        found = [Edit(("metadata", "labels", STACK_LABEL), self.owners.label(live), self.owners.stack)]
        if name != wanted.name:
            found.append(Edit(("metadata", "annotations", NAME_ANNOTATION), None, wanted.name))
        return tuple(found)

    def _cascade(self, decided: Mapping[str, Change]) -> dict[str, Change]:
        """What lives in a replaced object goes down with it, and is made again."""
        doomed = {change.address for change in decided.values() if change.action is Action.REPLACE}
        found = {}
        for each in self.matches:
            if each.live is None or each.wanted.parent not in doomed:
                continue
            own = decided.get(each.wanted.address)
            reason = own.reason if own and own.action is Action.REPLACE else f"{each.wanted.parent} is replaced"
            change = self._replacement(each.wanted, each.live, reason, in_place=True)
            found[each.wanted.address] = replace(change, edits=own.edits if own else ())
        return found

    def _removals(self, changes: list[Change], kinds: Iterable[Kind[Any]]) -> list[Change]:
        """Objects of the stack that no manifest declares, or that cannot outlive what they live in."""
        undecided = {change.parent for change in changes if change.deferred}
        declared = {found.live["metadata"]["uid"] for found in self.matches if found.live}
        declared |= {each["metadata"].get("uid") for found in self.matches for each in found.leftovers}
        declared |= {change.base.uid for change in changes if change.base}
        doomed = {change.address for change in changes if change.destructive and not change.surge}
        found: list[Change] = []
        candidates = [
            (kind, address, live)
            for kind in kinds
            for address, documents in self._ours.get(kind.name, {}).items()
            for live in documents
            if live["metadata"].get("uid") not in declared and not live["metadata"].get("deletionTimestamp")
        ]
        for kind, address, live in sorted(candidates, key=lambda each: each[1]):
            parent = kind.parent_address(live.get(SPEC) or {})
            if kind.name in self.world.incomplete:
                continue
            if parent in doomed:
                found.append(self._delete(kind, live, f"goes down with {parent}"))
            elif parent in undecided and not kind.authored:
                continue
            elif self._may_prune(kind):
                found.append(self._delete(kind, live, self._why_gone()))
            else:
                self.undeclared.append(Leftover(address, Ref(kind.name, live["metadata"]["name"])))
        return found

    def _may_prune(self, kind: Kind[Any]) -> bool:
        """Whether an undeclared object may go: pruning is on, and what would declare it could be read."""
        if not self.options.prune:
            return False
        sources = [each for each in self._expanding if each.kind.expands_to == kind.name]
        return not any(each.kind.parent and each.kind.parent[1] in self.world.incomplete for each in sources)

    def _why_gone(self) -> str:
        return "the stack is destroyed" if self.options.destroy else "no longer in the manifests"

    def _delete(self, kind: Kind[Any], live: Document, reason: str) -> Change:
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

    def _expansions(self, changes: list[Change]) -> list[Change]:
        """The objects that manifests such as Registration stand for, as far as they are known yet."""
        found: list[Change] = []
        first: dict[tuple[str, str | None], Wanted] = {}
        for source in self._expanding:
            earlier = first.setdefault((source.kind.name, source.parent), source)
            if earlier is not source:
                said = f"{source.address} and {earlier.address} are about the same objects"
                self.problems.append(Problem(said, source.origin, "leave one of them out", "twins"))
                continue
            assert source.kind.expand and source.kind.expands_to and source.kind.parent
            inner, parent_kind = self.kinds[source.kind.expands_to], source.kind.parent[1]
            if parent_kind in self.world.incomplete:
                said = f"the live {self.kinds[parent_kind].plural} could not be read"
                self.problems.append(Problem(said, source.origin, "try again", "incomplete-read"))
                continue
            group = self.world.live.get(parent_kind, {}).get(source.kind.parent_name(source.spec) or "")
            moving = any(source.parent in (change.address, change.parent) for change in changes)
            if group is not None and not moving and self._is_ready(parent_kind, group):
                for body in source.kind.expand(source.body, group):
                    expanded = Wanted(inner, body["metadata"]["name"], {**body, "metadata": {}}, source.origin)
                    matched = self._match(expanded)
                    self.matches.append(matched)
                    change = self._decide(matched)
                    found += [change] if change else []
                    self.unchanged += change is None
                continue
            self.matches.append(Match(source, None))
            found.append(self._deferred(source, inner))
        return found

    def _deferred(self, source: Wanted, inner: Kind[Any]) -> Change:
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

    def _is_ready(self, kind: str, live: Document) -> bool:
        found = self.kinds[kind]
        return bool(found.ready(found.model.model_validate(live)).phase is Phase.READY)


def _without_yielding(kind: Kind[Any], fields: dict[Path, Any], wanted: Wanted, live: Document) -> dict[Path, Any]:
    """The fields without those that the service moves itself, while a switch that no manifest mentions is on."""
    return {
        path: value
        for path, value in fields.items()
        if not (field := kind.fields.get(path[1:]))
        or not field.yields_to
        or at_path(wanted.spec, field.yields_to) is not None
        or not at_path(live, (SPEC, *field.yields_to))
    }


def _why(found: tuple[Edit, ...]) -> str:
    return "changed by somebody else" if all(edit.drift for edit in found) else "declared otherwise"
