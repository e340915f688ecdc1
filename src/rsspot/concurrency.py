"""One code for tasks of any event loop and for threads without one: waiting, locking and running. Knows no network.

A coroutine that only waits by means of this module also runs to its end without a loop: `drive` does that, so the
synchronous side of the SDK needs neither a loop nor a thread of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock
from typing import Any, TypeVar

R = TypeVar("R")


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The loop that runs in this thread, or None."""
    with suppress(RuntimeError):
        return asyncio.get_running_loop()
    return None


def drive(coroutine: Coroutine[Any, Any, R]) -> R:
    """The result of a coroutine that never waits for an event loop. Raises what it raises."""
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
    """Let time pass: for this task, or for this thread where no loop runs."""
    if running_loop() is None:
        time.sleep(seconds)
    else:
        await asyncio.sleep(seconds)


class Mutex:
    """`async with mutex:` one at a time, whatever loop or thread they come from, in the order of their coming."""

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
            # Cancelled, interrupted or thrown away. The turn may have come in the same moment; then it has to go on
            # to the next, and only under the guard can that be known.
            with self._guard:
                came = not turn.cancel()
            if came:
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
