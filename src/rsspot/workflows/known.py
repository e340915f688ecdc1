"""What is known of an organization: what lives, what the ledger has on record, and how its stacks are called.

Sends only GETs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.snapshot import Snapshot, take_snapshot
from rsspot.errors import StateError
from rsspot.models.refs import Ref
from rsspot.planner.ownership import label_of
from rsspot.resources.kind import Kind
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import Ledger, OwnedObject


def scope_id(base_url: str, organization: str, stack: str) -> str:
    """What a ledger files a stack under: the same name on another account is another stack."""
    # Without a user and password that the URL may hold: this is printed and stored.
    host = base_url.split("://", 1)[-1].rpartition("@")[2].rstrip("/")
    return f"{host}/{organization}/{stack}"


async def read_live(client: AsyncSpotClient, ledger: Ledger, of: Iterable[Kind[Any]]) -> Snapshot:
    """What lives of some kinds, held against what the ledger has on record of the organization."""
    account = scope_id(client.base_url, await client.organization.namespace(), "")
    return await take_snapshot(client, of, known_names(ledger, account))


def known_names(ledger: Ledger, account: str) -> dict[str, set[str]]:
    """Kind -> wire names, of all stacks: what belongs to one may live in an object of another.

    account: what the scopes of the organization begin with
    """
    names: dict[str, set[str]] = defaultdict(set)
    for ref in ledger.owned_refs(account):
        names[ref.kind].add(ref.name)
    return names


def on_record(ledger: Ledger, scope: str) -> dict[Ref, OwnedObject]:
    """The objects of a stack, by the ledger. Raises StateError for a kind that this rsspot does not know."""
    owned = ledger.owned(scope)
    for ref, record in owned.items():
        if ref.kind not in kinds():
            message = f"the ledger has {record.address} on record, which is of an unknown kind: {ref.kind!r}"
            raise StateError(message, hint="use the version of rsspot that made it")
    return owned


async def known_stacks(client: AsyncSpotClient, ledger: Ledger, account: str) -> list[str]:
    """The stacks of an organization: those that live objects carry the label of, and those of the ledger, sorted.

    account: what the scopes of the organization begin with
    """
    snapshot = await read_live(client, ledger, [kind for kind in kinds().values() if worth_a_look(kind)])
    live = {label_of(each) for objects in snapshot.live.values() for each in objects.values()}
    applied = {scope.removeprefix(account) for scope in ledger.scopes() if scope.startswith(account)}
    return sorted(filter(None, live | applied))


def worth_a_look(kind: Kind[Any]) -> bool:
    """Whether objects of a kind may be of the stack though no manifest declares any."""
    return kind.manageable and kind.authored and not kind.local and "list" in kind.verbs
