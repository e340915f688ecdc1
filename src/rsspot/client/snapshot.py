"""Snapshot: the live objects of an organization, read by one paged LIST per kind, in parallel."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import ApiError, TransportError
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


async def take_snapshot(client: AsyncSpotClient, kinds: Iterable[Kind[Any]]) -> Snapshot:
    """Read all objects of the kinds.

    A list that fails is recorded in `incomplete`, not raised: the planner decides what cannot be planned without it.
    """
    snapshot = Snapshot(await client.organization.namespace())

    async def read(kind: Kind[Any]) -> None:
        try:
            documents = await client.documents(kind).list()
        except (ApiError, TransportError) as error:
            snapshot.incomplete[kind.name] = error.message
            return
        snapshot.live[kind.name] = {document["metadata"]["name"]: document for document in documents}

    reads = [asyncio.create_task(read(kind)) for kind in kinds]
    try:
        await asyncio.gather(*reads)
    finally:
        # One that fails for good leaves others under way, which would use connections of a loop that is being closed.
        for each in reads:
            each.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
    return snapshot
