"""Lifecycle: what its author says about the life of an object, in annotations that begin with `rsspot.dev/`.

    on-remove      what becomes of the object once nothing declares it: delete, detach or protect
    replace        how a field that cannot be changed may change: surge, recreate or forbid
    ignore         fields that others may change after the object is made
    previous-name  what the object was called before
    depends-on     objects that have to be ready first

`on-remove` goes to the service with the other annotations, so that protection outlives its manifest. The others say how
to plan. They are read from manifests only, and never sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from rsspot.constants import ON_REMOVE_ANNOTATION
from rsspot.resources.field import Path

ON_REMOVE_PATH = ("metadata", "annotations", ON_REMOVE_ANNOTATION)


class OnRemove(StrEnum):
    """What becomes of an object that nothing declares any more."""

    DELETE = "delete"
    """A plan that prunes deletes it."""
    DETACH = "detach"
    """A plan that prunes takes our label off and leaves the object."""
    PROTECT = "protect"
    """No plan and no command deletes it."""


class Replace(StrEnum):
    """How an object may be replaced when a field that cannot be changed is declared otherwise."""

    SURGE = "surge"
    """Only with the new object first."""
    RECREATE = "recreate"
    """With the old object deleted first."""
    FORBID = "forbid"
    """Not at all."""


@dataclass(frozen=True)
class Lifecycle:
    """ignore: patterns of paths, one glob for each key · depends_on: addresses, or names as people write them."""

    on_remove: OnRemove | None = None
    replace: Replace | None = None
    ignore: tuple[Path, ...] = ()
    previous_name: str | None = None
    depends_on: tuple[str, ...] = ()

    def ignores(self, path: Path) -> bool:
        """Whether a field, or what holds it, is left to others. What becomes of the object never is."""
        return path != ON_REMOVE_PATH and any(_matches(pattern, path) for pattern in self.ignore)


def _matches(pattern: Path, path: Path) -> bool:
    # A pattern with more keys than the path has is about a part of the field only.
    return len(pattern) <= len(path) and all(map(fnmatchcase, path, pattern))
