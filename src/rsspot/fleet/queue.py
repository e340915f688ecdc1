"""The queue of a fleet on PostgreSQL, by procrastinate: stacks are enqueued by one process and worked on by any others.

Two jobs of one stack never run at the same time: they have one lock. A worker that dies leaves its job behind; once it
has given no sign of life for a while, another worker begins the job anew, and what the dead one had sent is looked up
in the ledger as after any killed apply. What a job found is kept in a table beside the queue.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from rsspot.errors import StateError, UsageError
from rsspot.fleet.members import Member
from rsspot.utils.database_url import secrets_of, shown_url
from rsspot.utils.serialization import Document

try:
    import psycopg
    from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy
    from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
except ModuleNotFoundError as error:
    raise UsageError(f"a queue needs {error.name}", hint="pip install 'rsspot[fleet]'") from None

from rsspot.state.ledger.postgres_failures import without
from rsspot.state.ledger.postgres_queries import lock_number

SCHEMA = "rsspot_fleet"
TASK = "rsspot.fleet.stack"
TICK = "rsspot.fleet.tick"
SILENT = 60.0
"""Seconds without a sign of life after which the jobs of a worker are taken over."""
LOOKS_FOR_LOST = 15.0
"""Seconds between two looks for such jobs."""
LOOKS_FOR_RESULTS = 0.5
ATTEMPTS = 3
"""How often a job is begun that an outage fails."""
FIRST_RETRY = 10
"""Seconds until the second attempt; twice that until the third."""
_TABLES = f"""
CREATE TABLE IF NOT EXISTS {SCHEMA}.results (
    batch text NOT NULL, fleet text NOT NULL, stack text NOT NULL, job text NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT clock_timestamp(), document jsonb NOT NULL, PRIMARY KEY (batch, stack)
);
CREATE INDEX IF NOT EXISTS results_of_a_stack ON {SCHEMA}.results (fleet, stack, ended_at DESC);
"""
_KEEP = "INTERVAL '30 days'"

Work = Callable[[str, str, Document], Awaitable[Document]]
"""Does a job: the name of a stack, `plan` or `apply`, and options; gives the stack's document."""


class Unfinished(Exception):
    """A job that another attempt may bring to a better end."""


class FleetQueue:
    """The queue of one fleet. url: of a PostgreSQL database · retry_after: seconds until a second attempt"""

    def __init__(self, url: str, fleet: str, *, retry_after: int = FIRST_RETRY) -> None:
        self._url, self._fleet = url, fleet
        options = {"options": f"-c search_path={SCHEMA}"}
        self._app = App(connector=PsycopgConnector(conninfo=url, kwargs=options, min_size=1, max_size=8))
        self._retry = RetryStrategy(max_attempts=ATTEMPTS, wait=retry_after, linear_wait=retry_after)
        self._work: Work | None = None
        self._task = self._app.task(name=TASK, queue=fleet, retry=self._retry, pass_context=True)(self._run)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[FleetQueue]:
        """Connect, and make the tables if they are not there. Raises StateError."""
        try:
            await self._migrate()
            async with self._app.open_async():
                yield self
        except (psycopg.Error, ConnectorException) as failure:
            raise self._failed(failure) from None

    async def _migrate(self) -> None:
        """Make the tables, one process at a time."""
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            await connection.execute("SELECT pg_advisory_lock(%s)", (lock_number(SCHEMA),))
            await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}".encode())
            await connection.execute(_TABLES.encode())
            found = await connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.procrastinate_jobs",))
            row = await found.fetchone()
            if row is None or row[0] is None:
                async with self._app.open_async():
                    await self._app.schema_manager.apply_schema_async()

    async def enqueue(self, members: Iterable[Member], job: str, options: Document) -> str:
        """Enqueue a job for each stack. Returns the batch that their results are found under."""
        batch = uuid.uuid4().hex
        for member in members:
            await self._task.configure(lock=self._lock(member.name)).defer_async(
                stack=member.name, job=job, batch=batch, options=options
            )
        return batch

    def _lock(self, stack: str) -> str:
        return f"{self._fleet}/{stack}"

    async def results(self, batch: str, count: int) -> AsyncGenerator[Document, None]:
        """The document of each stack of a batch as it comes, until all are there. Raises StateError."""
        seen: set[str] = set()
        query = f"SELECT stack, document FROM {SCHEMA}.results WHERE batch = %s ORDER BY ended_at"
        while len(seen) < count:
            for row in await self._rows(query, batch):
                if row[0] not in seen:
                    seen.add(row[0])
                    yield row[1]
            if len(seen) < count:
                await asyncio.sleep(LOOKS_FOR_RESULTS)

    async def latest(self, stacks: Sequence[str]) -> list[Document]:
        """What the newest job of each stack found; nothing for a stack that never had one."""
        query = f"""SELECT DISTINCT ON (stack) document FROM {SCHEMA}.results
            WHERE fleet = %s AND stack = ANY(%s) ORDER BY stack, ended_at DESC"""
        return [row[0] for row in await self._rows(query, self._fleet, list(stacks))]

    async def _rows(self, query: str, *parameters: Any) -> list[Any]:
        try:
            async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
                return await (await connection.execute(query.encode(), parameters)).fetchall()
        except psycopg.Error as failure:
            raise self._failed(failure) from None

    async def work(
        self,
        work: Work,
        *,
        concurrency: int,
        wait: bool = True,
        schedule: str | None = None,
        stacks: Callable[[], Iterable[Member]] = tuple,
        job: str = "plan",
        options: Document | None = None,
    ) -> None:
        """Do jobs until cancelled. wait: for further ones, or end once there are none

        schedule: a cron line at which every stack gets a job, unless one is waiting already. Each of these is enqueued
        once, however many workers have the schedule.
        """
        self._work = work
        if schedule is not None:
            self._schedule(schedule, stacks, job, options or {})
        looking = asyncio.create_task(self._take_lost_jobs_over())
        try:
            await self._app.run_worker_async(
                queues=[self._fleet],
                concurrency=concurrency,
                wait=wait,
                install_signal_handlers=False,
                update_heartbeat_interval=SILENT / 6,
                stalled_worker_timeout=SILENT,
                delete_jobs="successful",
                fetch_job_polling_interval=1.0,
            )
        finally:
            looking.cancel()

    def _schedule(self, cron: str, stacks: Callable[[], Iterable[Member]], job: str, options: Document) -> None:
        async def tick(timestamp: int) -> None:
            batch = f"tick-{timestamp}"
            for member in stacks():
                waiting = f"{self._lock(member.name)}/{job}"
                with suppress(AlreadyEnqueued):
                    await self._task.configure(lock=self._lock(member.name), queueing_lock=waiting).defer_async(
                        stack=member.name, job=job, batch=batch, options=options
                    )

        task = self._app.task(name=TICK, queue=self._fleet)(tick)
        self._app.periodic(cron=cron, periodic_id=f"{self._fleet}/{job}")(task)

    async def _run(self, context: JobContext, *, stack: str, job: str, batch: str, options: Document) -> None:
        """One attempt at a job. Its result is kept unless another attempt follows."""
        assert self._work is not None
        document = await self._work(stack, job, options)
        attempts = context.job.attempts + 1 if context.job else ATTEMPTS
        if document.pop("again", False) and attempts < ATTEMPTS:
            raise Unfinished(f"attempt {attempts} of {stack} did not come to a good end")
        query = f"""INSERT INTO {SCHEMA}.results (batch, fleet, stack, job, document) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (batch, stack) DO UPDATE SET document = excluded.document, ended_at = clock_timestamp()
            RETURNING stack"""
        await self._rows(query, batch, self._fleet, stack, job, json.dumps(document))
        old = f"DELETE FROM {SCHEMA}.results WHERE fleet = %s AND stack = %s AND ended_at < now() - {_KEEP} RETURNING 1"
        await self._rows(old, self._fleet, stack)

    async def _take_lost_jobs_over(self) -> None:
        """Let jobs of workers that have ended be begun anew, now and then."""
        manager = self._app.job_manager
        while True:
            with suppress(ConnectorException):
                for lost in await manager.get_stalled_jobs(queue=self._fleet, seconds_since_heartbeat=SILENT):
                    await manager.retry_job(lost)
            await asyncio.sleep(LOOKS_FOR_LOST)

    def _failed(self, failure: Exception) -> StateError:
        """The error for a queue that cannot be used, without the secrets of its URL."""
        reason = str(failure.__cause__ or failure).strip().partition("\n")[0]
        message = f"cannot use the queue {shown_url(self._url)}: {reason}"
        return StateError(
            without(message, list(secrets_of(self._url))), hint="see that the server runs and lets you in"
        )
