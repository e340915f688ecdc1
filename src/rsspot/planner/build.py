"""Desired + live + owned -> Plan.

Decides each object's action; leaves objections to the guards and order to `order`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from rsspot.errors import Problem
from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Change
from rsspot.planner.decide import Decisions
from rsspot.planner.diff import SPEC
from rsspot.planner.guards import Case, PlanOptions, objections
from rsspot.planner.ownership import Owners
from rsspot.planner.plan import Leftover, Plan
from rsspot.planner.target import Match, Wanted, match
from rsspot.planner.world import LiveState
from rsspot.resources.kind import Kind, Phase
from rsspot.utils.serialization import Document


def build(
    wanted: Iterable[Wanted],
    world: LiveState,
    kinds: Mapping[str, Kind[Any]],
    *,
    stack: str,
    scope: str,
    command: str = "apply",
    options: PlanOptions | None = None,
    files: Iterable[str] = (),
) -> Plan:
    """The plan that makes `wanted` so. Problems are in `plan.refusals`; nothing is raised for them."""
    planner = _Planner(list(wanted), world, kinds, stack, options or PlanOptions())
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
        self, wanted: list[Wanted], world: LiveState, kinds: Mapping[str, Kind[Any]], stack: str, options: PlanOptions
    ) -> None:
        self.world, self.kinds, self.options = world, kinds, options
        self.owners = Owners(stack, world)
        self.unchanged = 0
        self.undeclared: list[Leftover] = []
        self.problems: list[Problem] = []
        self._decisions = Decisions(world, self.owners, destroying=self.options.destroy)
        self._ours = self._index_ours()
        self._expanding = [each for each in wanted if each.kind.expand]
        plain = [each for each in wanted if not each.kind.expand]
        self.matches = [self._match(each) for each in plain]

    @property
    def notes(self) -> list[str]:
        """What is worth saying besides the changes."""
        return self._decisions.notes

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
        return (
            self._decisions.create(found.wanted)
            if found.live is None
            else self._decisions.change(found.wanted, found.live)
        )

    def _leftovers(self) -> list[Change]:
        """What earlier replacements did not live to delete, once what replaces it is ready."""
        gone = []
        declared = {found.live["metadata"].get("uid") for found in self.matches if found.live}
        for found in self.matches:
            if found.leftovers and found.live and not self._is_ready(found.wanted.kind.name, found.live):
                self._decisions.notes.append(f"{found.wanted.address}: its predecessor stays until it is ready")
                continue
            gone += [
                self._decisions.delete(found.wanted.kind, each, "left behind by a replacement")
                for each in found.leftovers
                if each["metadata"].get("uid") not in declared
            ]
        return gone

    def _cascade(self, decided: Mapping[str, Change]) -> dict[str, Change]:
        """What lives in a replaced object goes down with it, and is made again."""
        doomed = {change.address for change in decided.values() if change.action is Action.REPLACE}
        found = {}
        for each in self.matches:
            if each.live is None or each.wanted.parent not in doomed:
                continue
            own = decided.get(each.wanted.address)
            reason = own.reason if own and own.action is Action.REPLACE else f"{each.wanted.parent} is replaced"
            change = self._decisions.replacement(each.wanted, each.live, reason, in_place=True)
            found[each.wanted.address] = replace(change, edits=own.edits if own else ())
        return found

    def _removals(self, changes: list[Change], kinds: Iterable[Kind[Any]]) -> list[Change]:
        """Objects of the stack that no manifest declares, or that cannot outlive what they live in."""
        undecided = {change.parent for change in changes if change.deferred}
        declared = {found.live["metadata"].get("uid") for found in self.matches if found.live}
        declared |= {each["metadata"].get("uid") for found in self.matches for each in found.leftovers}
        declared |= {change.base.uid for change in changes if change.base}
        doomed = {change.address for change in changes if change.destructive and not change.surge}
        found: list[Change] = []
        copies = {each["metadata"].get("uid"): found for found in self.matches for each in found.copies}
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
            copy_of = copies.get(live["metadata"].get("uid"))
            called = self._own_address(kind, live, copy_of) if copy_of else address
            if parent in doomed:
                found.append(self._decisions.delete(kind, live, f"goes down with {parent}"))
            elif parent in undecided and not kind.authored:
                continue
            elif self._may_prune(kind) and (copy_of is None or copy_of.certain):
                found.append(replace(self._decisions.delete(kind, live, self._decisions.why_gone()), address=called))
            else:
                self.undeclared.append(Leftover(called, Ref(kind.name, live["metadata"]["name"])))
        return found

    def _own_address(self, kind: Kind[Any], live: Document, of: Match) -> str:
        """What to call a copy, so that it does not read as the declared object; and a note of it."""
        address = kind.address(live["metadata"]["name"], live.get(SPEC) or {})
        doubt = "" if of.certain else " (nothing tells for sure which is which: neither is pruned)"
        self._decisions.notes.append(f"{address} says that it is {of.wanted.address}, and looks like a copy{doubt}")
        return address

    def _may_prune(self, kind: Kind[Any]) -> bool:
        """Whether an undeclared object may go: pruning is on, and what would declare it could be read."""
        if not self.options.prune:
            return False
        sources = [each for each in self._expanding if each.kind.expands_to == kind.name]
        return not any(each.kind.parent and each.kind.parent[1] in self.world.incomplete for each in sources)

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
            found.append(self._decisions.deferred(source, inner))
        return found

    def _is_ready(self, kind: str, live: Document) -> bool:
        found = self.kinds[kind]
        return bool(found.ready(found.model.model_validate(live)).phase is Phase.READY)
