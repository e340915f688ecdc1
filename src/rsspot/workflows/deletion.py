"""require_unprotected(): refuses the deletion of an object by hand while it, or what lives in it, is protected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import PlanRefused, Problem
from rsspot.manifests.lifecycle import OnRemove
from rsspot.models.refs import Ref
from rsspot.planner.case import Rule
from rsspot.planner.dependents import may_go_down
from rsspot.planner.protection import LIFT, on_remove
from rsspot.resources.kind import Kind
from rsspot.resources.names import full_name
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import Ledger, OwnedObject
from rsspot.utils.serialization import Document
from rsspot.workflows.known import read_live, scope_id


async def require_unprotected(client: AsyncSpotClient, ledger: Ledger, kind: Kind[Any], wire_name: str) -> str | None:
    """The uid of an object that may be deleted. Raises PlanRefused if it may not, NotFound if there is none.

    Protection is read from the live objects, and where the annotation is gone from the ledger.
    """
    live = await client.documents(kind).get(wire_name)
    going = [(kind, live)]
    address = kind.address(wire_name, live.get("spec") or {})
    inside = [each for each in kinds().values() if may_go_down(each, kind.name)]
    snapshot = await read_live(client, ledger, inside)
    for inner in inside:
        children = snapshot.of(inner.name).values()
        going += [(inner, each) for each in children if inner.parent_address(each.get("spec") or {}) == address]
    records = _on_record(ledger, scope_id(client.base_url, snapshot.organization, ""))
    problems = [
        Problem(f"{_name(each, document)} is protected, and would be deleted", None, LIFT, Rule.PROTECTION)
        for each, document in going
        if _is_protected(each, document, records)
    ]
    problems += [
        Problem(f"the {kinds()[name].plural} in it could not be read: {why}", None, "try again", Rule.INCOMPLETE_READ)
        for name, why in snapshot.incomplete.items()
    ]
    if problems:
        raise PlanRefused(problems, hint="nothing was sent")
    uid: str | None = live["metadata"].get("uid")
    return uid


def _on_record(ledger: Ledger, account: str) -> dict[Ref, list[OwnedObject]]:
    """What the ledger has on record of the objects of an organization, for each stack that it knows them of."""
    records: dict[Ref, list[OwnedObject]] = defaultdict(list)
    for scope in (each for each in ledger.scopes() if each.startswith(account)):
        for ref, owned in ledger.owned(scope).items():
            records[ref].append(owned)
    return records


def _is_protected(kind: Kind[Any], live: Document, records: Mapping[Ref, Sequence[OwnedObject]]) -> bool:
    known = records.get(Ref(kind.name, live["metadata"]["name"]), ())
    applied = [each.applied for each in known if each.uid in (None, live["metadata"].get("uid"))]
    return any(on_remove(live, each) is OnRemove.PROTECT for each in (None, *applied))


def _name(kind: Kind[Any], document: Document) -> str:
    return f"{kind.name.lower()}/{full_name(kind, document)}"
