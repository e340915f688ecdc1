"""Cascade: what lives in an object that is replaced goes down with it and is made again."""

from __future__ import annotations

from dataclasses import replace

from rsspot.planner.change import Action, Change
from rsspot.planner.decisions import replacement
from rsspot.planner.draft import Draft, PlanContext


def cascade(draft: Draft, context: PlanContext) -> Draft:
    """Every declared object in a replaced one becomes a replacement in place, whatever was decided for it alone."""
    decided = draft.by_address
    replaced = {address for address, change in decided.items() if change.action is Action.REPLACE}
    cascaded: dict[str, Change] = {}
    for match in draft.matches:
        manifest = match.manifest
        if match.live is None or manifest.parent not in replaced:
            continue
        own = decided.get(manifest.address)
        reason = own.reason if own and own.action is Action.REPLACE else f"{manifest.parent} is replaced"
        change = replacement(manifest, match.live, reason, context, in_place=True)
        cascaded[manifest.address] = replace(change, edits=own.edits if own else ())
    return replace(draft, changes=tuple({**decided, **cascaded}.values()))
