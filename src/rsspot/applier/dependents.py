"""Who would go down with an object that is deleted, and is not meant to. Sends only LISTs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from rsspot.models.refs import Ref
from rsspot.resources.documents import Documents
from rsspot.resources.kind import Kind, is_controlled


async def bystander(
    doomed: Ref,
    kinds: Mapping[str, Kind[Any]],
    documents: Callable[[Kind[Any]], Documents],
    meant: Collection[Ref] = (),
) -> str | None:
    """Something that lives in an object, is not on its way out and is not meant to go, in words; None for nothing."""
    for kind in kinds.values():
        if kind.local or not kind.parent or kind.parent[1] != doomed.kind:
            continue
        for live in await documents(kind).list():
            name = live["metadata"]["name"]
            if is_controlled(live):
                continue
            inside = kind.parent_name(live.get("spec") or {}) == doomed.name
            if inside and not live["metadata"].get("deletionTimestamp") and Ref(kind.name, name) not in meant:
                return f"the {kind.name} {name} moved into {doomed} since the plan was made"
    return None
