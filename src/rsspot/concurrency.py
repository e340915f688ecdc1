"""Wait, lock and run coroutines in the same way with any event loop or none. Opens no connections.

A coroutine that waits only with the functions of this module can also run without an event loop: `drive` does that. So
the synchronous clients need neither a loop nor a thread of their own.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from threading import Lock
from typing import Any, TypeVar

R = TypeVar("R")


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop running in this thread, or None."""
    # Asked several times a request: `suppress` would cost more than the question.
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def drive(coroutine: Coroutine[Any, Any, R]) -> R:
    """Run a coroutine that never waits for an event loop. Returns its result or raises its exception."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: R = done.value
        return result
    coroutine.close()
    raise RuntimeError("this operation needs an event loop: use its async twin")


def drive_each(items: AsyncIterator[R]) -> Iterator[R]:
    """The items of an async iterator that never waits for an event loop."""
    try:
        while True:
            try:
                yield drive(_next(items))
            except StopAsyncIteration:
                return
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            drive(close())


async def _next(items: AsyncIterator[R]) -> R:
    return await anext(items)


async def pause(seconds: float) -> None:
    """Sleep: suspends the task, or blocks the thread if no event loop is running."""
    if running_loop() is None:
        time.sleep(seconds)
    else:
        await asyncio.sleep(seconds)


async def together(works: Iterable[Coroutine[Any, Any, R]]) -> list[R]:
    """The results of coroutines, in their order: at the same time, or one after another without an event loop.

    If one fails, the others are cancelled and its error is raised.
    """
    if running_loop() is None:
        return [await work for work in works]
    tasks = [asyncio.create_task(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Mutex:
    """A lock for tasks of different event loops and for threads. Waiters get it in the order of arrival."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._held = False
        self._waiting: deque[Future[None]] = deque()

    async def __aenter__(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            turn: Future[None] = Future()
            self._waiting.append(turn)
        try:
            if running_loop() is None:
                turn.result()
            else:
                await asyncio.wrap_future(turn)
        except BaseException:
            # The waiter was cancelled, interrupted or closed. It may have been given the lock at the same moment, which
            # only the guard can tell for sure. Then the lock goes on to the next waiter.
            with self._guard:
                acquired = not turn.cancel()
            if acquired:
                self._pass_on()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        with self._guard:
            while self._waiting:
                turn = self._waiting.popleft()
                if turn.set_running_or_notify_cancel():
                    turn.set_result(None)
                    return
            self._held = False
