"""Who would go down with an object that is deleted, though nobody meant it to: asked again just before it goes.

Sends only LISTs. The rule itself is the planner's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rsspot.applier.lookout import Lookout
from rsspot.models.refs import Ref
from rsspot.planner.dependents import may_go_down, survivors
from rsspot.resources.kind import Kind


async def bystander(doomed: Collection[Ref], kinds: Mapping[str, Kind[Any]], lookout: Lookout) -> str | None:
    """A sentence about an object that lives in one of `doomed` and is to stay; None when there is none.

    doomed: objects that are to go together; each kind that may live in them is listed once
    """
    for kind in kinds.values():
        parents = {ref.name: ref for ref in doomed if may_go_down(kind, ref.kind)}
        if not parents:
            continue
        leaving = {ref.name for ref in doomed if ref.kind == kind.name}
        for live in survivors(await lookout.listed(kind), leaving):
            if parent := parents.get(kind.parent_name(live.get("spec") or {}) or ""):
                return f"the {kind.name} {live['metadata']['name']} moved into {parent} since the plan was made"
    return None
