"""The queue of a fleet on a real PostgreSQL: each job once, no two of one stack at a time, none lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, aclosing
from typing import Any

import psycopg
import pytest

from rsspot.errors import StateError
from rsspot.fleet import queue as queues
from rsspot.fleet.members import Member
from rsspot.fleet.queue import ATTEMPTS, FleetQueue
from rsspot.utils.serialization import Document
from support.postgres import shared_server


@pytest.fixture
def url() -> Iterator[str]:
    """The URL of a database without a queue."""
    server = shared_server()
    url = server.fresh("fleet")
    server.execute(f"DROP SCHEMA IF EXISTS {queues.SCHEMA} CASCADE", database="fleet")
    yield url


def members(count: int) -> list[Member]:
    return [Member(f"s{number}", ()) for number in range(count)]


class Watched:
    """Work that notes what is done, and which stacks are worked on by two at once."""

    def __init__(self, hold: float = 0.0) -> None:
        self.done: Counter[str] = Counter()
        self.now: Counter[str] = Counter()
        self.twice: list[str] = []
        self.hold = hold

    async def __call__(self, stack: str, job: str, options: Document) -> Document:
        self.now[stack] += 1
        if self.now[stack] > 1:
            self.twice.append(stack)
        await asyncio.sleep(self.hold)
        self.now[stack] -= 1
        self.done[stack] += 1
        return {"name": stack, "outcome": "in-sync", "job": job, **options}


async def collected(queue: FleetQueue, batch: str, count: int) -> list[Document]:
    async with aclosing(queue.results(batch, count)) as results:
        return [each async for each in results]


async def workers(stack: AsyncExitStack, url: str, work: Any, count: int, **options: Any) -> list[asyncio.Task[None]]:
    """That many workers with connections of their own."""
    running = []
    for _ in range(count):
        queue = await stack.enter_async_context(FleetQueue(url, "company", retry_after=0).opened())
        running.append(asyncio.create_task(queue.work(work, concurrency=2, **options)))
    return running


async def test_every_stack_is_done_once_by_some_worker(url: str) -> None:
    work = Watched()
    async with AsyncExitStack() as stack:
        queue = await stack.enter_async_context(FleetQueue(url, "company").opened())
        batch = await queue.enqueue(members(30), "plan", {"prune": True})
        running = await workers(stack, url, work, 3, wait=False)
        found = await collected(queue, batch, 30)
        await asyncio.gather(*running)
        latest = await queue.latest(["s3", "s4", "unknown"])
    assert work.done == Counter({f"s{number}": 1 for number in range(30)})
    assert {each["name"] for each in found} == set(work.done)
    assert found[0]["prune"] is True
    assert [each["name"] for each in latest] == ["s3", "s4"]


async def test_two_jobs_of_a_stack_never_run_at_the_same_time(url: str) -> None:
    work = Watched(hold=0.01)
    async with AsyncExitStack() as stack:
        queue = await stack.enter_async_context(FleetQueue(url, "company").opened())
        batches = [await queue.enqueue(members(4), "plan", {}) for _ in range(4)]
        running = await workers(stack, url, work, 4, wait=False)
        for batch in batches:
            assert len(await collected(queue, batch, 4)) == 4
        await asyncio.gather(*running)
    assert work.twice == []
    assert set(work.done.values()) == {4}


async def test_a_job_that_an_outage_fails_is_tried_again(url: str) -> None:
    tries: Counter[str] = Counter()

    async def work(stack: str, job: str, options: Document) -> Document:
        tries[stack] += 1
        bad = stack == "s0" or tries[stack] == 1
        return {"name": stack, "outcome": "failed" if bad else "applied", "again": bad}

    async with AsyncExitStack() as stack:
        queue = await stack.enter_async_context(FleetQueue(url, "company").opened())
        batch = await queue.enqueue(members(2), "apply", {})
        running = await workers(stack, url, work, 1, wait=True)
        found = {each["name"]: each for each in await collected(queue, batch, 2)}
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    assert tries == {"s0": ATTEMPTS, "s1": 2}
    assert {name: each["outcome"] for name, each in found.items()} == {"s0": "failed", "s1": "applied"}
    assert "again" not in found["s0"]


async def test_the_job_of_a_worker_that_died_is_begun_anew(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is found after a kill: the job is marked as being done, by a worker that gives no sign of life."""
    monkeypatch.setattr(queues, "LOOKS_FOR_LOST", 0.05)
    work = Watched()
    async with AsyncExitStack() as stack:
        queue = await stack.enter_async_context(FleetQueue(url, "company").opened())
        batch = await queue.enqueue(members(2), "plan", {})
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute(f"SET search_path = {queues.SCHEMA}".encode())
            long_ago = "now() - interval '1 hour'"
            await connection.execute(f"INSERT INTO procrastinate_workers (last_heartbeat) VALUES ({long_ago})".encode())
            dead = "(SELECT max(id) FROM procrastinate_workers)"
            doing = f"UPDATE procrastinate_jobs SET status = 'doing', worker_id = {dead} WHERE lock = 'company/s0'"
            await connection.execute(doing.encode())
        running = await workers(stack, url, work, 1, wait=True)
        found = await collected(queue, batch, 2)
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    assert {each["name"] for each in found} == {"s0", "s1"}
    assert work.done == {"s0": 1, "s1": 1}


async def test_a_schedule_enqueues_every_stack_once_a_round_whoever_has_it(url: str) -> None:
    """At the start, the last round that fell due is made up for; two workers do not make two of it."""
    work = Watched()
    async with AsyncExitStack() as stack:
        queue = await stack.enter_async_context(FleetQueue(url, "company").opened())
        running = await workers(stack, url, work, 2, schedule="* * * * *", stacks=lambda: members(5))
        while len(await queue.latest([each.name for each in members(5)])) < 5:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        rows = shared_server().execute(f"SELECT batch, stack FROM {queues.SCHEMA}.results", database="fleet")
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    # A minute may have begun meanwhile, which is another round.
    rounds = {batch for batch, _ in rows}
    assert all(batch.startswith("tick-") for batch in rounds)
    assert max(work.done.values()) <= len(rounds)


async def test_queues_of_two_fleets_do_not_meet(url: str) -> None:
    work = Watched()
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(FleetQueue(url, "another").opened())
        await other.enqueue(members(3), "plan", {})
        await asyncio.gather(*await workers(stack, url, work, 1, wait=False))
    assert work.done == {}


async def test_many_begin_at_once(url: str) -> None:
    """The tables are made by one of them."""
    async with AsyncExitStack() as stack:
        opened = [FleetQueue(url, "company").opened() for _ in range(6)]
        await asyncio.gather(*(stack.enter_async_context(each) for each in opened))


async def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    queue = FleetQueue("postgresql://anna:hunter2@127.0.0.1:1/fleet?connect_timeout=2", "company")
    with pytest.raises(StateError, match="cannot use the queue postgresql://anna") as refused:
        async with queue.opened():
            pass
    assert "hunter2" not in str(refused.value)
