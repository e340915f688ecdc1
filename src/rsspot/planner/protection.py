"""Protection: what may become of a live object that is to go, by its annotation; where that is gone, by the ledger.

The annotation is written when the manifest that says it is applied, so that protection outlives the manifest. It is
lifted by applying a manifest that says otherwise, or by changing the annotation by hand. Removing it is not enough
while the ledger knows that it was there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rsspot.manifests.lifecycle import ON_REMOVE_PATH, OnRemove
from rsspot.planner.diff import path_key
from rsspot.utils.serialization import Document, at_path

LIFT = "to lift the protection, apply its manifest with `rsspot.dev/on-remove: delete` first"


def on_remove(live: Document, applied: Mapping[str, Any] | None) -> OnRemove:
    """What becomes of a live object once nothing declares it. applied: its fields as last applied, by the ledger."""
    word = at_path(live, ON_REMOVE_PATH)
    if word is None and applied is not None:
        word = applied.get(path_key(ON_REMOVE_PATH))
    if word is None:
        return OnRemove.DELETE
    try:
        return OnRemove(word)
    except ValueError:
        # Whoever wrote it meant something, and only keeping the object can be undone.
        return OnRemove.PROTECT
