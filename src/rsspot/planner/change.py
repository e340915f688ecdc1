"""Change: one object and what is to become of it, as values. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rsspot.errors import Origin, Origins, nearest
from rsspot.models.refs import Ref
from rsspot.planner.wire_form import wire_form
from rsspot.utils.serialization import Document

Path = tuple[str, ...]


class Action(StrEnum):
    """What is to become of an object."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    ADOPT = "adopt"
    DETACH = "detach"
    """It is left alone, and no longer of this stack."""
    DELETE = "delete"


REMOVALS = (Action.DETACH, Action.DELETE)
"""What becomes of objects that nothing declares."""


@dataclass(frozen=True)
class Edit:
    """One field that differs. before is None when the field is absent; after is None when it is to be removed."""

    path: Path
    before: Any
    after: Any
    drift: bool = False
    """The field was as desired when last applied: somebody else changed it."""
    secret: bool = False
    forces_replacement: bool = False
    applied: Any = None
    """Its value when last applied, by the ledger; None for a secret, and where that is not known."""
    by: str | None = None
    """The program that changed it since, by the name it gave the service."""
    since: str | None = None
    """When that was."""


@dataclass(frozen=True)
class Base:
    """The live object that a change was planned on.

    digest: of the managed fields at `paths`. A write is still what was approved while they read the same;
    resourceVersion cannot serve for that, since controllers move it all the time.
    """

    name: str
    uid: str | None
    paths: tuple[Path, ...] = ()
    digest: str | None = None
    owner: str | None = None
    """The stack its label named then."""


@dataclass(frozen=True)
class Change:
    """address: how people call the object · ref: its kind and its name on the wire afterwards."""

    address: str
    action: Action
    ref: Ref
    reason: str
    origin: Origin | None = None
    parent: str | None = None
    """Address of the object this one lives in."""
    after: tuple[str, ...] = ()
    """Addresses of the objects that have to be ready first."""
    edits: tuple[Edit, ...] = ()
    body: Document | None = field(default=None, repr=False)
    """The whole object to create."""
    base: Base | None = None
    surge: bool = False
    """A replacement whose old object goes only when the new one is ready."""
    deferred: bool = False
    """Stands for objects that are known only after the apply: `body` is what they come from."""
    takes: bool = False
    """Turns on something that only one object under its parent may have."""
    gives: bool = False
    """Turns that off, or goes away while having it."""
    secrets: tuple[Path, ...] = ()
    """Where `body` holds secrets."""
    filled: tuple[Path, ...] = ()
    """Where `body` holds what its author did not write."""
    image: Document | None = field(default=None, repr=False)
    """What an object that goes was like, with its secrets masked: kept so that the run can be undone."""
    filled_from: Mapping[Path, str] = field(default_factory=dict)
    """Where some of that comes from: `region of the profile ci`."""
    seals: Mapping[str, str] = field(default_factory=dict)
    """In a plan that was saved: path -> a seal of the secret that was planned with."""
    origins: Origins = field(default_factory=dict, repr=False, compare=False)
    """Where each field was written, as far as that is known: a saved plan knows only `origin`."""

    def where(self, path: Path) -> Origin | None:
        """Where a field was written, or the nearest thing that holds it."""
        return nearest(self.origins, path, self.origin)

    @property
    def destructive(self) -> bool:
        """Whether an object that exists now will be gone."""
        return self.action in (Action.DELETE, Action.REPLACE)

    @property
    def drift(self) -> bool:
        """Whether all of it only undoes what somebody else did."""
        return bool(self.edits) and all(edit.drift for edit in self.edits)

    @property
    def merge_patch(self) -> Document:
        """The RFC 7386 patch that makes the edits and touches nothing else."""
        patch: Document = {}
        for edit in self.edits:
            place = patch
            for key in edit.path[:-1]:
                place = place.setdefault(key, {})
            place[edit.path[-1]] = wire_form(edit.after)
        return patch
