"""Whose an object is: by its label, and where that is missing by what the ledger can tell. Reads nothing."""

from __future__ import annotations

from typing import Any

from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.manifests.lifecycle import OnRemove
from rsspot.models.refs import Ref
from rsspot.planner.diff import SPEC, path_key
from rsspot.planner.live import LiveState, Owned
from rsspot.planner.protection import on_remove
from rsspot.resources.kind import Kind, Naming
from rsspot.utils.serialization import Document, at_path

LABEL_PATH = ("metadata", "labels", STACK_LABEL)
LABEL_KEY = path_key(LABEL_PATH)
"""How the ledger says that the service showed our label on an object."""


def label_of(live: Document) -> str | None:
    """The stack that an object's label names."""
    labels = live["metadata"].get("labels")
    label = labels.get(STACK_LABEL) if isinstance(labels, dict) else None
    return str(label) if label is not None else None


def made_without_an_answer(kind: Kind[Any], *, may_have_arrived: bool, labels_kept: bool) -> bool:
    """Whether an object without a label is one that we asked for and got no answer about.

    may_have_arrived: a create of ours went out and nobody can say what became of it
    labels_kept: the service shows our label on other objects, so it would show it on this one

    Only a UUID that we made up counts: a plain name may have been taken by somebody at the same moment.
    """
    return may_have_arrived and not labels_kept and kind.naming is Naming.UUID


class Owners:
    """Whose an object is, by its label and by the ledger."""

    def __init__(self, stack: str, world: LiveState) -> None:
        self.stack = stack
        self._owned = world.owned
        self._claimed = world.claimed
        self._labels_kept = any(label_of(live) for documents in world.live.values() for live in documents.values())

    def is_ours(self, kind: Kind[Any], live: Document) -> bool:
        """Ours by label; or, where the service dropped the label, by the ledger's word for this very object."""
        label = label_of(live)
        if label is not None:
            return label == self.stack
        claimed = Ref(kind.name, live["metadata"]["name"]) in self._claimed
        if made_without_an_answer(kind, may_have_arrived=claimed, labels_kept=self._labels_kept):
            return True
        return self.knows(kind, live) is not None

    def lost_its_label(self, kind: Kind[Any], live: Document) -> bool:
        """Whether somebody took our label off an object that the ledger knows as ours.

        Not so where the service itself drops labels: it showed ours neither on this object nor on any other.
        """
        known = self.knows(kind, live)
        return known is not None and label_of(live) is None and (LABEL_KEY in known.applied or self._labels_kept)

    def may_delete(self, kind: Kind[Any], live: Document, organization: str) -> bool:
        """Whether an object that nothing declares may be deleted.

        The ledger alone is not enough: somebody may have taken the label off to keep the object. Without a label only
        an object counts whose name can be derived from what the ledger has, where the service drops all labels.
        """
        if label_of(live) is not None:
            return label_of(live) == self.stack
        known = self.knows(kind, live)
        if known is None or self.lost_its_label(kind, live) or kind.naming is not Naming.UUID:
            return False
        name, spec = live["metadata"]["name"], live.get(SPEC) or {}
        given = known.address.rpartition("/")[2]
        return any(name == kind.wire_name(organization, given, spec, successor=each) for each in (False, True))

    def knows(self, kind: Kind[Any], live: Document) -> Owned | None:
        """What the ledger remembers of this very object; None for nothing."""
        known = self._owned.get(Ref(kind.name, live["metadata"]["name"]))
        return known if known and known.uid in (None, live["metadata"].get("uid")) else None

    def on_remove(self, kind: Kind[Any], live: Document) -> OnRemove:
        """What becomes of an object once nothing declares it."""
        known = self.knows(kind, live)
        return on_remove(live, known.applied if known else None)

    def address(self, kind: Kind[Any], live: Document) -> str:
        """How people call a live object."""
        name = live["metadata"]["name"]
        given = at_path(live, ("metadata", "annotations", NAME_ANNOTATION))
        known = self._owned.get(Ref(kind.name, name))
        if given is None and known is not None:
            return str(known.address)
        return kind.address(str(given or name), live.get(SPEC) or {})
