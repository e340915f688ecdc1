"""Who would go down with an object that is deleted, though nobody meant it to: asked again just before it goes.

Sends only LISTs. The rule itself is the planner's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from rsspot.models.refs import Ref
from rsspot.planner.dependents import may_go_down, survivors
from rsspot.resources.documents import Documents
from rsspot.resources.kind import Kind


async def bystander(
    doomed: Ref,
    kinds: Mapping[str, Kind[Any]],
    documents: Callable[[Kind[Any]], Documents],
    meant: Collection[Ref] = (),
) -> str | None:
    """A sentence about an object that lives in `doomed` and is to stay; None when there is none.

    meant: objects that are to go as well
    """
    for kind in kinds.values():
        if not may_go_down(kind, doomed.kind):
            continue
        leaving = {ref.name for ref in meant if ref.kind == kind.name}
        for live in survivors(await documents(kind).list(), leaving):
            if kind.parent_name(live.get("spec") or {}) == doomed.name:
                return f"the {kind.name} {live['metadata']['name']} moved into {doomed} since the plan was made"
    return None
