"""SharedReads: lists that several snapshots of one account go by, so that each kind is read once for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from rsspot.client.doubts import Objects


class SharedReads:
    """For plans that are made at the same time: what is read is not read again. A list that fails is asked for anew."""

    def __init__(self) -> None:
        self._reads: dict[str, asyncio.Future[Objects]] = {}

    async def objects(self, kind: str, read: Callable[[], Awaitable[Objects]]) -> Objects:
        """The objects of a kind by wire name, read by whoever asks first."""
        reading = self._reads.get(kind)
        if reading is None:
            reading = self._reads[kind] = asyncio.ensure_future(read())
        try:
            # Whoever gives up takes the list away from nobody else.
            return await asyncio.shield(reading)
        finally:
            failed = reading.done() and (reading.cancelled() or reading.exception() is not None)
            if failed and self._reads.get(kind) is reading:
                del self._reads[kind]
