"""The commands of fleets through a queue: what is enqueued, and the worker that does it. Contains no rules."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rsspot.cli.fleet_session import FleetFlags, at_a_time, chosen_stacks, fleet_work, result_line, round_options
from rsspot.cli.plan_options import PlanFlags
from rsspot.cli.session import CliSession
from rsspot.cli.signals import stopped_by_signals
from rsspot.errors import RsspotError, UsageError
from rsspot.utils.text import printable

if TYPE_CHECKING:
    from rsspot.applier.options import ApplyOptions
    from rsspot.controller.stop import Stop
    from rsspot.fleet.members import Fleet, Member
    from rsspot.fleet.work import FleetWork
    from rsspot.utils.serialization import Document

RUN_OPTIONS = ("wait", "wait_for", "wait_timeout", "step_timeout", "parallel", "fail_fast", "deadline")
"""What a job has of the options of a run."""


async def through_the_queue(
    cli: CliSession, url: str, fleet: Fleet, members: Sequence[Member], job: str, options: Document
) -> list[Document]:
    """Enqueue a job for each stack, and wait for what the workers find."""
    from rsspot.fleet.queue import FleetQueue

    stacks = []
    async with FleetQueue(url, fleet.name).opened() as queue:
        batch = await queue.enqueue(members, job, options)
        with cli.hooks.waiting("the workers of the queue") as wait:
            async with aclosing(queue.results(batch, len(members))) as results:
                async for each in results:
                    stacks.append(each)
                    wait.note = f"{len(stacks)} of {len(members)} stacks are done"
                    print(f"{printable(each['name'])}: {each['outcome']}", file=sys.stderr)
    return stacks


def job_options(flags: PlanFlags, run: ApplyOptions | None = None) -> Document:
    """The options of a plan and a run as a job has them. Raises UsageError for those that a job cannot have."""
    if flags.target or flags.exclude or flags.allow_incomplete or flags.max_cost is not None:
        raise UsageError(
            "a job of a queue is about whole stacks",
            hint="of a plan's options, give --prune, --adopt and --max-deletes",
        )
    running = {name: getattr(run, name) for name in RUN_OPTIONS} if run else {}
    planning = {"prune": flags.prune, "adopt": flags.adopt, "most_deletes": flags.max_deletes}
    return {"plan": planning, "run": running}


async def work_on_queue(
    cli: CliSession, path: Path, fleet_flags: FleetFlags, url: str, schedule: str | None, job: str, *, wait: bool
) -> None:
    """Do jobs until a signal ends it. wait: for further ones, or end once there are none"""
    from rsspot.fleet.queue import FleetQueue

    fleet, _ = chosen_stacks(path, fleet_flags)
    async with fleet_work(cli, round_options(None)) as work, FleetQueue(url, fleet.name).opened() as queue:
        doing = asyncio.ensure_future(
            queue.work(
                _doing(path, work, fleet_flags),
                concurrency=at_a_time(fleet, fleet_flags),
                wait=wait,
                schedule=schedule,
                stacks=lambda: chosen_stacks(path, fleet_flags)[1],
                job=job,
            )
        )
        with stopped_by_signals(_Ending(work.stop, doing)), suppress(asyncio.CancelledError):
            await doing


class _Ending:
    """The wish that a worker ends: its runs are stopped as Ctrl-C does it, and then it takes no further job."""

    is_heard = True

    def __init__(self, stop: Stop, doing: asyncio.Future[None]) -> None:
        self._stop, self._doing = stop, doing

    def ask(self) -> None:
        """Take no further job, and let the runs under way come to their end."""
        self._stop.ask()
        self._doing.cancel()

    def abandon(self) -> None:
        """Do not wait for requests under way either."""
        self._stop.abandon()


def _doing(path: Path, work: FleetWork, fleet_flags: FleetFlags) -> Callable[[str, str, Document], Awaitable[Document]]:
    """Does one job: the stack is looked up in the fleet as it is by then."""
    from rsspot.applier.options import ApplyOptions
    from rsspot.controller.reconciler import RoundOptions
    from rsspot.fleet.matrix import stack_document
    from rsspot.fleet.members import Member
    from rsspot.fleet.work import failed
    from rsspot.planner.options import PlanOptions

    async def do(stack: str, job: str, options: Document) -> Document:
        planning, running = PlanOptions(**options.get("plan", {})), ApplyOptions(**options.get("run", {}))
        try:
            [member] = chosen_stacks(path, replace(fleet_flags, only=[stack]))[1]
            result = await work.do(member, RoundOptions(job == "apply", planning, running))
        except RsspotError as error:
            # The fleet of this worker is another one by now. Whoever enqueued the job waits for its result.
            result = failed(Member(stack, ()), error)
        print(f"{printable(stack)}: {result_line(result)}", file=sys.stderr, flush=True)
        return {**stack_document(result), "again": result.may_mend_itself}

    return do
