"""Case: what the guards judge, with the answers that several of them need. Judges nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from rsspot.manifests.manifest import Manifest
from rsspot.planner.change import Action, Change, Path
from rsspot.planner.diff import SPEC, after_apply
from rsspot.planner.draft import Draft, Match, PlanContext
from rsspot.resources.kind import Kind
from rsspot.utils.serialization import Document, at_path


class Rule(StrEnum):
    """Which guard objected; stable, for programs that read plans."""

    INCOMPLETE_READ = "incomplete-read"
    UNREAD_MANIFESTS = "unread-manifests"
    SAVED_PLAN = "saved-plan"
    OWNERSHIP = "ownership"
    PROTECTION = "protection"
    REPLACEMENT = "replacement"
    RENAME = "rename"
    DEPENDENCY = "dependency"
    SELECTION = "selection"
    TWINS = "twins"
    UNKNOWN_REFERENCE = "unknown-reference"
    NAMESPACE = "namespace"
    FIELDS = "fields"
    VERSION = "version"
    REGION = "region"
    AVAILABILITY = "availability"
    BID = "bid"
    EXCLUSIVE = "exclusive"
    FUTILE_REPLACEMENT = "futile-replacement"
    UNDO = "undo"
    WANTED = "wanted"
    BYSTANDER = "bystander"
    BLAST_RADIUS = "blast-radius"
    PROGRAM = "program"
    SERVERS = "servers"
    BUDGET = "budget"


@dataclass(frozen=True)
class Case:
    """All that a guard may look at."""

    draft: Draft
    context: PlanContext

    @property
    def matches(self) -> tuple[Match, ...]:
        return self.draft.matches

    @property
    def changes(self) -> tuple[Change, ...]:
        return self.draft.changes

    @property
    def kinds(self) -> Mapping[str, Kind[Any]]:
        return self.context.kinds

    @property
    def incomplete(self) -> Mapping[str, str]:
        """Kind -> why its list could not be read."""
        return self.context.state.incomplete

    def live(self, kind: str) -> Mapping[str, Document]:
        """The live objects of a kind by wire name."""
        return self.context.state.of(kind)

    def change_of(self, manifest: Manifest) -> Change | None:
        """What becomes of a declared object; None when it stays as it is."""
        return self.draft.by_address.get(manifest.address)

    def after(self, match: Match, path: Path) -> Any:
        """What stands at a path of a declared object once the plan is applied."""
        change = self.change_of(match.manifest)
        made = change is not None and change.action in (Action.CREATE, Action.REPLACE)
        if made and change and change.body:
            return at_path(change.body, path)
        return after_apply(match.manifest.body, match.live, path)

    def named(self, match: Match, path: Path) -> Any:
        """What the spec of a declared object names at a path: as written, or as it gets from the settings or has it."""
        is_default = path in match.manifest.defaults
        return self.after(match, (SPEC, *path)) if is_default else at_path(match.manifest.spec, path)

    def declared_at(self, address: str) -> Manifest | None:
        """The manifest of an address."""
        return self._addressed.get(address)

    @cached_property
    def doomed(self) -> frozenset[str]:
        """Addresses of what is deleted before anything takes its place: all that lives in it goes down with it."""
        return frozenset(change.address for change in self.changes if change.destructive and not change.surge)

    @cached_property
    def _addressed(self) -> dict[str, Manifest]:
        return {match.manifest.address: match.manifest for match in self.matches}

    def manifest_of(self, kind: str, name: str) -> Manifest | None:
        """The manifest of a kind and name."""
        return self._manifests.get((kind, name))

    def will_be_gone(self, kind: str, name: str) -> bool:
        """Whether a live object is deleted for good."""
        return (kind, name) in self._deleted

    @cached_property
    def _manifests(self) -> dict[tuple[str, str], Manifest]:
        return {(match.manifest.kind.name, match.manifest.name): match.manifest for match in self.matches}

    def stands(self, kind: str, name: str, path: Path) -> Any:
        """What stands at a path of an object, declared or live, once the plan is applied."""
        match = self._matched.get((kind, name))
        return self.after(match, path) if match else at_path(self.live(kind).get(name), path)

    @cached_property
    def _matched(self) -> dict[tuple[str, str], Match]:
        return {(match.manifest.kind.name, match.manifest.name): match for match in self.matches}

    @cached_property
    def _deleted(self) -> set[tuple[str, str]]:
        return {(c.ref.kind, c.base.name) for c in self.changes if c.action is Action.DELETE and c.base}
