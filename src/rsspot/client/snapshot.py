"""Snapshot: the live objects of an organization, read by one paged LIST per kind, in parallel."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.doubts import Objects, believed, by_name
from rsspot.errors import ApiError, ServerError, TransportError
from rsspot.resources.kind import Kind
from rsspot.utils.serialization import Document


@dataclass(frozen=True)
class Snapshot:
    """live: kind -> wire name -> object · incomplete: kind -> why its list could not be read."""

    organization: str
    live: dict[str, dict[str, Document]] = field(default_factory=dict)
    incomplete: dict[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> dict[str, Document]:
        """The live objects of a kind by wire name."""
        return self.live.get(kind, {})


async def take_snapshot(
    client: AsyncSpotClient, kinds: Iterable[Kind[Any]], known: Mapping[str, Collection[str]] | None = None
) -> Snapshot:
    """Read all objects of the kinds.

    known: kind -> wire names of objects that are on record. A list that lacks one which is still there is no complete
    read; neither is one that lacks what an earlier snapshot of this client had, or what an object of another kind
    lives in. A list that fails is recorded in `incomplete`, not raised: the planner decides what cannot be planned
    without it.
    """
    snapshot, wanted = Snapshot(await client.organization.namespace()), list(kinds)

    async def read(kind: Kind[Any]) -> Objects:
        shared = client.shared_reads
        return await (shared.objects(kind.name, partial(listed, kind)) if shared else listed(kind))

    async def listed(kind: Kind[Any]) -> Objects:
        documents = client.documents(kind)
        # Catalogues change slowly: the stacks of a fleet share one read of them, from the cache of their client.
        answer = await (documents.list() if kind.manageable else documents.kept_list())
        if not answer.definite:
            raise ServerError("the response has null in place of its items", status=200)
        return by_name(answer)

    async def confirm(kind: Kind[Any]) -> Objects:
        expected = {*(known or {}).get(kind.name, ()), *client.seen.get(kind.name, ()), *named.get(kind.name, ())}
        return await believed(client.documents(kind), snapshot.live[kind.name], expected)

    await _each(read, wanted, snapshot)
    named = _parents(snapshot, wanted)
    await _each(confirm, [kind for kind in wanted if kind.name in snapshot.live and not kind.local], snapshot)
    client.seen |= {name: frozenset(objects) for name, objects in snapshot.live.items()}
    return snapshot


async def _each(
    read: Callable[[Kind[Any]], Awaitable[Objects]], kinds: Iterable[Kind[Any]], snapshot: Snapshot
) -> None:
    """Read kinds in parallel into a snapshot, with those that fail in `incomplete`."""

    async def noted(kind: Kind[Any]) -> None:
        try:
            snapshot.live[kind.name] = await read(kind)
        except (ApiError, TransportError) as error:
            snapshot.live.pop(kind.name, None)
            snapshot.incomplete[kind.name] = error.message

    reads = [asyncio.create_task(noted(kind)) for kind in kinds]
    try:
        await asyncio.gather(*reads)
    finally:
        # One that fails for good leaves others under way, which would use connections of a loop that is being closed.
        for each in reads:
            each.cancel()
        await asyncio.gather(*reads, return_exceptions=True)


def _parents(snapshot: Snapshot, kinds: Iterable[Kind[Any]]) -> dict[str, set[str]]:
    """Kind -> wire names of the objects that live objects say they live in."""
    named: dict[str, set[str]] = {}
    for kind in kinds:
        for live in snapshot.of(kind.name).values() if kind.parent else ():
            parent = kind.parent_name(live.get("spec") or {})
            if kind.parent and parent and not live["metadata"].get("deletionTimestamp"):
                named.setdefault(kind.parent.kind, set()).add(parent)
    return named
