"""One code for loops and threads: driven without a loop, and one at a time wherever it comes from."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from rsspot.concurrency import Mutex, drive, drive_each, pause, running_loop

PATIENCE = 60.0


async def at_once(value: object) -> object:
    """A coroutine that waits for nothing."""
    return value


def test_a_coroutine_that_never_waits_needs_no_loop() -> None:
    """Its value is its result, through as many calls as it likes."""

    async def outer() -> object:
        return await at_once(await at_once("x"))

    assert drive(outer()) == "x"
    assert running_loop() is None


@pytest.mark.parametrize("failure", [ValueError("no"), KeyboardInterrupt(), StopAsyncIteration()])
def test_what_a_driven_coroutine_raises_is_raised(failure: BaseException) -> None:
    """The same object, not one around it."""

    async def fail() -> None:
        raise failure

    with pytest.raises(type(failure)) as caught:
        drive(fail())
    assert caught.value is failure


def test_a_coroutine_that_waits_is_told_of_its_twin_and_tidied_up() -> None:
    """Half of an operation is not left hanging in the air."""
    tidied = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            tidied.append(True)

    async def inside() -> None:
        with pytest.raises(RuntimeError, match="async twin"):
            drive(wait())

    asyncio.run(inside())
    assert tidied == [True]


def test_a_driven_pause_stops_the_thread() -> None:
    """Time passes, as it does for a task."""
    began = time.monotonic()
    drive(pause(0.02))
    assert time.monotonic() - began >= 0.02


async def test_a_pause_of_a_task_lets_others_run() -> None:
    """It does not stop the loop."""
    seen = []

    async def other() -> None:
        seen.append("other")

    task = asyncio.create_task(other())
    await pause(0)
    seen.append("after")
    await task
    assert seen == ["other", "after"]


async def counted(most: int, closed: list[bool]) -> AsyncIterator[int]:
    """Numbers, and a note when the source was closed."""
    try:
        for number in range(most):
            yield number
    finally:
        closed.append(True)


def test_items_come_one_by_one_without_a_loop() -> None:
    """All of them, in order, and none is no problem."""
    closed: list[bool] = []
    assert list(drive_each(counted(3, closed))) == [0, 1, 2]
    assert list(drive_each(counted(0, closed))) == []
    assert closed == [True, True]


def test_items_that_nobody_wants_any_more_are_closed_at_once() -> None:
    """A connection behind them is given back, not found by the garbage collector."""
    closed: list[bool] = []
    items = drive_each(counted(10, closed))
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined]
    assert closed == [True]


def test_a_failure_in_the_middle_of_items_is_raised_after_those_before_it() -> None:
    """What was already there is not lost."""

    async def broken() -> AsyncIterator[int]:
        yield 1
        raise ValueError("broke")

    seen = []
    with pytest.raises(ValueError, match="broke"):
        for item in drive_each(broken()):
            seen.append(item)
    assert seen == [1]


def test_items_of_a_plain_iterator_need_no_close() -> None:
    """An async iterator is not always a generator."""

    class Two:
        left = 2

        def __aiter__(self) -> Two:
            return self

        async def __anext__(self) -> int:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return self.left

    assert list(drive_each(Two())) == [1, 0]


class Room:
    """Notices when two are in it at once."""

    def __init__(self) -> None:
        self.mutex = Mutex()
        self.inside = 0
        self.visits = 0
        self.crowded = False

    async def visit(self, stay: Callable[[], Awaitable[object]]) -> None:
        """Be in it for a while."""
        async with self.mutex:
            self.inside += 1
            self.crowded |= self.inside > 1
            try:
                await stay()
                self.visits += 1
            finally:
                self.inside -= 1

    def free(self) -> bool:
        """Whether the next visitor gets in. Asked in a thread, so that a lost lock fails and does not hang."""
        return finished(lambda: drive(self.visit(lambda: at_once(None))))


def finished(*works: Callable[[], object]) -> bool:
    """Whether all of this, in a thread each, comes to an end."""
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + PATIENCE
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)


@contextmanager
def switching_often() -> Iterator[None]:
    """Let threads take turns in the middle of everything."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def test_threads_are_let_in_one_at_a_time() -> None:
    """However many, and none is forgotten."""
    room = Room()

    def work() -> None:
        for _ in range(30):
            drive(room.visit(lambda: pause(0)))

    assert finished(*[work] * 12)
    assert (room.visits, room.crowded, room.inside) == (360, False, 0)


async def test_tasks_are_let_in_one_at_a_time() -> None:
    """Also when the one inside waits."""
    room = Room()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(room.visit(lambda: asyncio.sleep(0)) for _ in range(300)))
    assert (room.visits, room.crowded) == (300, False)


def test_loops_and_threads_share_one_mutex() -> None:
    """Four loops of twenty tasks and four threads at once."""
    room = Room()

    async def many() -> None:
        await asyncio.gather(*(room.visit(lambda: asyncio.sleep(0)) for _ in range(20)))

    def blocking() -> None:
        for _ in range(20):
            drive(room.visit(lambda: pause(0)))

    assert finished(*[lambda: asyncio.run(many())] * 4, *[blocking] * 4)
    assert (room.visits, room.crowded) == (160, False)


async def test_who_comes_first_is_served_first() -> None:
    """Somebody who comes when it becomes free does not overtake those who wait."""
    mutex, order = Mutex(), []

    async def visit(name: int) -> None:
        async with mutex:
            order.append(name)
            await asyncio.sleep(0)

    waiting = [asyncio.create_task(visit(number)) for number in range(5)]
    await asyncio.sleep(0)
    await waiting[0]
    waiting.append(asyncio.create_task(visit(5)))
    await asyncio.gather(*waiting)
    assert order == [0, 1, 2, 3, 4, 5]


async def test_what_is_raised_inside_lets_the_next_in() -> None:
    """And is not swallowed."""
    mutex = Mutex()
    with pytest.raises(ValueError, match="inside"):
        async with mutex:
            raise ValueError("inside")
    async with asyncio.timeout(PATIENCE), mutex:
        pass


async def test_a_waiter_that_is_cancelled_leaves_the_queue() -> None:
    """The one behind it gets in."""
    room, gate = Room(), asyncio.Event()
    first = asyncio.create_task(room.visit(gate.wait))
    await asyncio.sleep(0)
    second = asyncio.create_task(room.visit(gate.wait))
    third = asyncio.create_task(room.visit(gate.wait))
    await asyncio.sleep(0)
    second.cancel()
    gate.set()
    results = await asyncio.wait_for(asyncio.gather(first, second, third, return_exceptions=True), PATIENCE)
    assert [type(each) for each in results] == [type(None), asyncio.CancelledError, type(None)]
    assert (room.visits, room.crowded) == (2, False)


@pytest.mark.parametrize("turns", range(4))
async def test_a_waiter_cancelled_at_the_moment_its_turn_comes_passes_it_on(turns: int) -> None:
    """Whether it has been told already or not."""
    room, gate = Room(), asyncio.Event()
    first = asyncio.create_task(room.visit(gate.wait))
    await asyncio.sleep(0)
    second = asyncio.create_task(room.visit(lambda: asyncio.sleep(0)))
    third = asyncio.create_task(room.visit(lambda: asyncio.sleep(0)))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.wait([first])
    for _ in range(turns):
        await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait_for(asyncio.gather(second, third, return_exceptions=True), PATIENCE)
    assert not room.crowded
    assert await asyncio.to_thread(room.free)


def test_a_waiter_cancelled_while_another_thread_passes_its_turn_on_loses_nothing() -> None:
    """The turn is neither lost nor given twice, thousands of times, in every order that threads fall into."""
    room = Room()
    chance = random.Random(7)

    async def restless() -> None:
        for _ in range(150):
            tasks = [asyncio.create_task(room.visit(lambda: asyncio.sleep(0))) for _ in range(3)]
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            for task in tasks[: chance.randrange(4)]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def steady() -> None:
        for _ in range(300):
            drive(room.visit(lambda: at_once(None)))

    with switching_often():
        assert finished(*[lambda: asyncio.run(restless())] * 3, *[steady] * 3)
    assert not room.crowded
    assert room.visits >= 900
    assert room.free()


@pytest.mark.parametrize("line", range(1, 9))
def test_a_waiter_cancelled_at_any_line_of_passing_on_loses_nothing(line: int) -> None:
    """Another thread has chosen the waiter, and told it or not yet."""
    room = Room()
    leave = drive_enter(room.mutex)
    stopped, go_on = threading.Event(), threading.Event()

    async def waiting() -> None:
        task = asyncio.create_task(room.visit(lambda: at_once(None)))
        await asyncio.sleep(0)
        leaver = threading.Thread(target=lambda: stopping_at(line, leave, stopped, go_on), daemon=True)
        leaver.start()
        await asyncio.to_thread(stopped.wait, PATIENCE)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        go_on.set()
        await asyncio.to_thread(leaver.join, PATIENCE)

    assert finished(lambda: asyncio.run(waiting()))
    assert room.free()


def stopping_at(line: int, work: Callable[[], None], stopped: threading.Event, go_on: threading.Event) -> None:
    """Do something, and stop for a moment before a certain line of `Mutex._pass_on`."""
    seen = 0

    def trace(frame: FrameType, event: str, _: object) -> object:
        nonlocal seen
        if frame.f_code is not Mutex._pass_on.__code__:
            return trace if event == "call" else None
        seen += event == "line"
        if event == "line" and seen == line:
            stopped.set()
            go_on.wait(0.05)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
        stopped.set()


def drive_enter(mutex: Mutex) -> Callable[[], None]:
    """Hold a mutex until the answer is called."""
    drive(mutex.__aenter__())
    return lambda: drive(mutex.__aexit__())


class Interrupted(Exception):
    """What a signal's handler raises, as Ctrl-C does."""


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals to threads")
@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals come to the main thread")
def test_a_thread_that_is_interrupted_while_it_waits_leaves_the_queue() -> None:
    """Ctrl-C in a notebook does not lock everybody out afterwards."""
    room = Room()
    leave = drive_enter(room.mutex)

    def interrupt(*_: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, interrupt)
    main = threading.get_ident()
    alarm = threading.Timer(0.05, lambda: signal.pthread_kill(main, signal.SIGUSR1))
    try:
        alarm.start()
        with pytest.raises(Interrupted):
            drive(room.visit(lambda: at_once(None)))
    finally:
        alarm.join()
        signal.signal(signal.SIGUSR1, before)
    leave()
    assert room.free()


async def test_a_blocking_call_inside_a_loop_that_has_to_wait_leaves_the_queue() -> None:
    """It is told of its twin, and nobody waits for ever behind it."""
    room, gate = Room(), asyncio.Event()
    first = asyncio.create_task(room.visit(gate.wait))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="async twin"):
        drive(room.visit(lambda: at_once(None)))
    gate.set()
    await first
    assert await asyncio.to_thread(room.free)


def test_a_loop_that_is_abandoned_while_it_waits_leaves_the_queue() -> None:
    """Whoever throws a loop away has not thrown the lock away."""
    room = Room()
    leave = drive_enter(room.mutex)
    waiting = room.visit(lambda: at_once(None))
    loop = asyncio.new_event_loop()

    async def begin() -> None:
        step = waiting.send(None)
        assert asyncio.isfuture(step)

    loop.run_until_complete(begin())
    loop.close()
    waiting.close()
    leave()
    assert room.free()
