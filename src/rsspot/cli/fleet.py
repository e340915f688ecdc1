"""The commands of fleets: plan, apply and see many stacks. Contain no rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rsspot.cli.fleet_queue import job_options, through_the_queue, work_on_queue
from rsspot.cli.fleet_session import (
    FleetFlags,
    at_a_time,
    chosen_stacks,
    documents,
    end_with,
    fleet_work,
    round_options,
    show_matrix,
    told,
)
from rsspot.cli.grammar import App
from rsspot.cli.option_groups import with_groups
from rsspot.cli.plan_options import PlanFlags, fresh_session, plan_options
from rsspot.cli.prompts import YES, confirm
from rsspot.cli.run_options import RunFlags, WaitFlags, apply_options, refuse_event_files
from rsspot.cli.session import CliSession
from rsspot.cli_history import shown
from rsspot.errors import PlanRefused, Problem, UsageError
from rsspot.utils.text import printable

if TYPE_CHECKING:
    from rsspot.applier.options import ApplyOptions
    from rsspot.fleet.members import Fleet
    from rsspot.fleet.work import StackResult
    from rsspot.utils.serialization import Document

app = App(help="Plan, apply and see many stacks side by side.")
FLEET = shown(typer.Argument(..., metavar="FLEET", help="A fleet file, or a folder whose folders each hold a stack."))
JOBS = ("plan", "apply")


@dataclass(frozen=True)
class QueueFlags:
    """Who does the work."""

    queue: str | None = typer.Option(
        None,
        "--queue",
        metavar="URL",
        envvar="RSSPOT_QUEUE_URL",
        help="Let the workers of this PostgreSQL do the work: postgresql://…",
    )


@app.command()
@with_groups
def plan(fleet: Path = FLEET, *, fleet_flags: FleetFlags, queue: QueueFlags, flags: PlanFlags) -> None:
    """Plan every stack, and show what applying them would change and cost."""
    cli = fresh_session()
    plan_options(flags)
    cli.run(_planned(cli, fleet, fleet_flags, queue, flags))


@app.command()
@with_groups
def status(fleet: Path = FLEET, *, fleet_flags: FleetFlags, queue: QueueFlags) -> None:
    """Show for every stack whether it is as declared, what it costs, and its last run.

    With a queue: what its workers found last.
    """
    cli = fresh_session()
    cli.run(_status(cli, fleet, fleet_flags, queue))


@app.command()
@with_groups
def apply(
    fleet: Path = FLEET,
    yes: bool = YES,
    *,
    fleet_flags: FleetFlags,
    queue: QueueFlags,
    flags: PlanFlags,
    run: RunFlags,
    waiting: WaitFlags,
) -> None:
    """Plan every stack, confirm, and apply those that differ."""
    cli = fresh_session()
    cli.writes = True
    if queue.queue is not None and not yes:
        raise UsageError("with a queue, stacks are applied without being asked for", hint="add --yes")
    refuse_event_files(waiting)
    options = apply_options(cli, run, waiting)
    cli.run(_applied(cli, fleet, fleet_flags, queue, flags, options, yes=yes))


@app.command()
@with_groups
def worker(
    fleet: Path = FLEET,
    *,
    fleet_flags: FleetFlags,
    queue: QueueFlags,
    schedule: str | None = shown(
        typer.Option(None, "--schedule", metavar="CRON", help="When every stack gets a job, as '*/15 * * * *'.")
    ),
    job: str = shown(typer.Option("plan", "--job", metavar="JOB", help="Which job that is: plan or apply.")),
    until_idle: bool = typer.Option(False, "--until-idle", help="End once nothing is left to do."),
) -> None:
    """Do the jobs of a queue: plan and apply stacks as they are enqueued or scheduled. Ends when it is asked to."""
    cli = fresh_session()
    cli.writes = True
    if queue.queue is None:
        raise UsageError("no queue given", hint="give --queue postgresql://…")
    if job not in JOBS:
        raise UsageError(f"--job takes plan or apply, not {printable(job)!r}")
    cli.run(work_on_queue(cli, fleet, fleet_flags, queue.queue, schedule, job, wait=not until_idle))


COMMANDS = {"fleet": app}


async def _planned(cli: CliSession, path: Path, fleet_flags: FleetFlags, queue: QueueFlags, flags: PlanFlags) -> None:
    fleet, members = chosen_stacks(path, fleet_flags)
    if queue.queue is not None:
        stacks = await through_the_queue(cli, queue.queue, fleet, members, "plan", job_options(flags))
    else:
        async with fleet_work(cli, round_options(flags)) as work:
            stacks = documents(await told(work, work.plan_all(members, at_a_time(fleet, fleet_flags))))
    end_with(cli, fleet, stacks, fleet_flags.report)


async def _status(cli: CliSession, path: Path, fleet_flags: FleetFlags, queue: QueueFlags) -> None:
    fleet, members = chosen_stacks(path, fleet_flags)
    if queue.queue is not None:
        from rsspot.fleet.queue import FleetQueue

        async with FleetQueue(queue.queue, fleet.name).opened() as opened:
            stacks = await opened.latest([each.name for each in members])
    else:
        async with fleet_work(cli, round_options(None)) as work:
            stacks = documents(await told(work, work.plan_all(members, at_a_time(fleet, fleet_flags))))
    show_matrix(cli, fleet, stacks, fleet_flags.report)


async def _applied(
    cli: CliSession,
    path: Path,
    fleet_flags: FleetFlags,
    queue: QueueFlags,
    flags: PlanFlags,
    run: ApplyOptions,
    *,
    yes: bool,
) -> None:
    from rsspot.controller.rounds import RoundOutcome

    fleet, members = chosen_stacks(path, fleet_flags)
    if queue.queue is not None:
        stacks = await through_the_queue(cli, queue.queue, fleet, members, "apply", job_options(flags, run))
        end_with(cli, fleet, stacks, fleet_flags.report)
        return
    parallelism = at_a_time(fleet, fleet_flags)
    async with fleet_work(cli, round_options(flags, run)) as work:
        planned = await told(work, work.plan_all(members, parallelism))
        differing = [each for each in planned if each.round.outcome is RoundOutcome.OUT_OF_SYNC]
        if differing and not yes:
            _confirm(cli, fleet, documents(planned), differing)
        applied = await told(work, work.apply_all(differing, parallelism))
    newest = {each.member.name: each for each in [*planned, *applied]}
    end_with(cli, fleet, documents(newest.values()), fleet_flags.report)


def _confirm(cli: CliSession, fleet: Fleet, stacks: list[Document], differing: list[StackResult]) -> None:
    if cli.options.output == "json":
        raise PlanRefused([Problem("cannot prompt with -o json", hint="add --yes if the plans are approved")])
    show_matrix(cli, fleet, stacks, [])
    deletions = sum(change.destructive for each in differing if each.round.plan for change in each.round.plan.changes)
    print(f"\n{len(differing)} stacks of the fleet {printable(fleet.name)!r} differ.", end="")
    confirm(f"delete {deletions}" if deletions else "yes")
