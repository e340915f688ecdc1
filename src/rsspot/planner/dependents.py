"""Dependents: which objects go down with their parent though nobody meant them to. One rule, for guards and applier."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from rsspot.resources.kind import Kind, is_controlled
from rsspot.utils.serialization import Document


def may_go_down(kind: Kind[Any], parent: str) -> bool:
    """Whether objects of a kind live in objects of kind `parent`, in the service and not only in the ledger."""
    return not kind.local and kind.parent is not None and kind.parent.kind == parent


def survivors(objects: Iterable[Document], leaving: Collection[str]) -> Iterator[Document]:
    """The objects that mean to stay: not in `leaving` (wire names), not being deleted, not made by a controller.

    What a controller made comes and goes with its owner, and is nobody's to protect.
    """
    for live in objects:
        metadata = live["metadata"]
        if metadata["name"] not in leaving and not metadata.get("deletionTimestamp") and not is_controlled(live):
            yield live
