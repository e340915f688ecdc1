"""Lookout: reads live objects for everything that waits, all of a kind together. Decides nothing.

Ten thousand waits that each read their object every few seconds would be thousands of requests a second. Here the waits
of one kind share their reads: a single object is read by itself, more of them by one list of the kind.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from rsspot.errors import NotFound, ServerError, TransportError
from rsspot.resources.documents import Documents
from rsspot.resources.kind import Kind
from rsspot.resources.waiting import POLL
from rsspot.utils.clock import Clock
from rsspot.utils.serialization import Document

OUTAGES = 2
"""Failed reads in a row that waiting outlasts, on top of the transport's own patience."""
MOST_SINGLE = 1
"""Up to this many objects of a kind are read one by one: one request for each kind and look."""


class Lookout:
    """The reads of one run."""

    def __init__(self, documents: Callable[[Kind[Any]], Documents], clock: Clock) -> None:
        self._documents, self._clock = documents, clock
        self._waiting: dict[str, dict[str, list[asyncio.Future[Document | None]]]] = defaultdict(dict)
        self._readers: dict[str, asyncio.Task[None]] = {}
        self._lists: dict[str, asyncio.Task[list[Document]]] = {}

    async def look(self, kind: Kind[Any], name: str) -> Document | None:
        """The live object at the next look, None when there is none. Raises ApiError, TransportError."""
        future: asyncio.Future[Document | None] = asyncio.get_running_loop().create_future()
        self._waiting[kind.name].setdefault(name, []).append(future)
        if kind.name not in self._readers:
            self._readers[kind.name] = asyncio.create_task(self._read(kind))
        return await future

    async def listed(self, kind: Kind[Any]) -> list[Document]:
        """The live objects of a kind, by a list that begins after this call; calls of one moment share it."""
        if kind.name not in self._lists:
            self._lists[kind.name] = asyncio.create_task(self._list(kind))
        return await asyncio.shield(self._lists[kind.name])

    async def close(self) -> None:
        """Stop reading."""
        tasks = [*self._readers.values(), *self._lists.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _list(self, kind: Kind[Any]) -> list[Document]:
        # Whoever asks until the request goes out takes part in it.
        await asyncio.sleep(0)
        del self._lists[kind.name]
        return await self._documents(kind).list()

    async def _read(self, kind: Kind[Any]) -> None:
        """Look for as long as anything of the kind waits, at most once in POLL seconds."""
        outages, waiting = 0, dict[str, list[asyncio.Future[Document | None]]]()
        try:
            while True:
                # Whatever begins to wait at the same moment takes part in this look.
                await asyncio.sleep(0)
                waiting, self._waiting[kind.name] = self._waiting[kind.name], {}
                if not waiting:
                    return
                found = await self._look_at(kind, list(waiting))
                down = [each for each in found.values() if isinstance(each, ServerError | TransportError)]
                outages = outages + 1 if down else 0
                for name, futures in waiting.items():
                    answer = found[name]
                    if isinstance(answer, ServerError | TransportError) and outages <= OUTAGES:
                        self._waiting[kind.name].setdefault(name, []).extend(futures)
                    else:
                        _resolve(futures, answer)
                await self._clock.sleep(POLL)
        except BaseException as error:
            for futures in (*waiting.values(), *self._waiting.pop(kind.name, {}).values()):
                _resolve(futures, error)
            raise
        finally:
            self._readers.pop(kind.name, None)

    async def _look_at(self, kind: Kind[Any], names: list[str]) -> dict[str, Document | BaseException | None]:
        if len(names) <= MOST_SINGLE:
            return dict(zip(names, await asyncio.gather(*(self._get(kind, name) for name in names)), strict=True))
        try:
            live = {each["metadata"]["name"]: each for each in await self._documents(kind).list()}
        except Exception as error:
            return dict.fromkeys(names, error)
        return {name: live.get(name) for name in names}

    async def _get(self, kind: Kind[Any], name: str) -> Document | BaseException | None:
        try:
            return await self._documents(kind).get(name)
        except NotFound:
            return None
        except Exception as error:
            return error


def _resolve(futures: list[asyncio.Future[Document | None]], answer: Document | BaseException | None) -> None:
    for future in futures:
        with suppress(asyncio.InvalidStateError):
            if isinstance(answer, BaseException):
                future.set_exception(answer) if isinstance(answer, Exception) else future.cancel()
            else:
                future.set_result(answer)
