"""Draft and PlanContext: what the stages of the pipeline hand on, and what all of them may look at. Decides nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from rsspot.errors import Problem
from rsspot.manifests.manifest import Manifest
from rsspot.planner.change import REMOVALS, Change
from rsspot.planner.live import LiveState
from rsspot.planner.money import StackCost
from rsspot.planner.options import PlanOptions
from rsspot.planner.ownership import Owners
from rsspot.planner.plan import Leftover
from rsspot.resources.kind import Kind, Phase, Readiness
from rsspot.utils.serialization import Document


@dataclass(frozen=True)
class Match:
    """A manifest and the live objects that belong to it.

    live: the declared object, None when it does not exist
    predecessors: objects that an earlier replacement should have deleted
    copies: objects that only carry the label and the name annotation of the declared one
    certain: whether `live` is known by its name or by the ledger, and not only by what it says of itself
    """

    manifest: Manifest
    live: Document | None
    predecessors: tuple[Document, ...] = ()
    copies: tuple[Document, ...] = ()
    certain: bool = True


@dataclass(frozen=True)
class Draft:
    """A plan in the making. Each stage of the pipeline takes one and returns the next."""

    manifests: tuple[Manifest, ...]
    matches: tuple[Match, ...] = ()
    changes: tuple[Change, ...] = ()
    undeclared: tuple[Leftover, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    left_out: frozenset[str] = frozenset()
    """Addresses of declared objects that are neither changed nor as declared: of another stack, or not asked for."""
    cost: StackCost | None = None

    def add(
        self,
        *,
        matches: Iterable[Match] = (),
        changes: Iterable[Change] = (),
        undeclared: Iterable[Leftover] = (),
        notes: Iterable[str] = (),
        problems: Iterable[Problem] = (),
    ) -> Draft:
        """The draft with more in it."""
        return replace(
            self,
            matches=(*self.matches, *matches),
            changes=(*self.changes, *changes),
            undeclared=(*self.undeclared, *undeclared),
            notes=(*self.notes, *notes),
            problems=(*self.problems, *problems),
        )

    @cached_property
    def by_address(self) -> dict[str, Change]:
        """The change of each declared object. A removal is never one: copies and predecessors share the address."""
        return {change.address: change for change in self.changes if change.action not in REMOVALS}

    @property
    def unchanged(self) -> int:
        """How many declared objects exist and stay as they are."""
        changed = self.by_address.keys() | self.left_out
        return sum(m.live is not None and m.manifest.address not in changed for m in self.matches)


@dataclass(frozen=True)
class PlanContext:
    """What every stage may look at: the kinds, the live objects, who owns them, and what the author allows."""

    state: LiveState
    kinds: Mapping[str, Kind[Any]]
    owners: Owners
    options: PlanOptions

    @property
    def organization(self) -> str:
        return self.state.organization

    def wire_name(self, manifest: Manifest) -> str:
        """The name that is derived for the object of a manifest."""
        key = manifest.kind.name, manifest.address
        if key not in self._wire_names:
            self._wire_names[key] = manifest.kind.wire_name(self.organization, manifest.name, manifest.spec)
        return self._wire_names[key]

    @cached_property
    def _wire_names(self) -> dict[tuple[str, str], str]:
        return {}

    @cached_property
    def ours(self) -> dict[str, dict[str, list[Document]]]:
        """Kind -> address -> live objects of this stack."""
        ours: dict[str, dict[str, list[Document]]] = defaultdict(lambda: defaultdict(list))
        for name, objects in self.state.live.items():
            kind = self.kinds[name]
            if not kind.manageable:
                continue
            for live in objects.values():
                if self.owners.is_ours(kind, live):
                    ours[name][self.owners.address(kind, live)].append(live)
        return ours

    @property
    def owned_count(self) -> int:
        """How many live objects the stack has."""
        return sum(len(objects) for by_address in self.ours.values() for objects in by_address.values())

    def is_ready(self, kind: str, live: Document) -> bool:
        """Whether a live object is what its author asked for."""
        return self.readiness(kind, live).phase is Phase.READY

    def readiness(self, kind: str, live: Document) -> Readiness:
        """How far a live object is; one that cannot be read is not ready."""
        model = self.kinds[kind]
        try:
            return model.readiness(model.read(live))
        except ValidationError:
            return Readiness(Phase.PROGRESSING, "in a state this version does not know")
