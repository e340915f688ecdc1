"""Runs a plan for a command: shows it, asks for confirmation, prints what happens, and ends with the recap's code."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from rsspot.cli.findings import show_findings
from rsspot.cli.prompts import confirm
from rsspot.cli.session import CliSession
from rsspot.cli.signals import stopped_by_signals
from rsspot.errors import PlanRefused, Problem, RsspotError, StalePlan
from rsspot.reports.registry import FINDINGS
from rsspot.utils.streams import reader_left

if TYPE_CHECKING:
    from rsspot.applier.events import Event
    from rsspot.applier.options import ApplyOptions, CancelToken
    from rsspot.planner.plan import Plan
    from rsspot.reports.protocol import Report


@dataclass(frozen=True)
class Approval:
    """Whether a plan was approved before it was made. yes: whatever it says · digest: only the plan that has it"""

    yes: bool
    digest: str | None = None


async def confirm_and_run(cli: CliSession, plan: Plan, approval: Approval, apply_options: ApplyOptions) -> None:
    """Show a plan, have it confirmed, run it and print what happens. Raises what ended the run."""
    from rsspot.workflows.reconcile import apply_plan, require_applyable

    as_json = cli.options.output == "json"
    if not as_json or plan.refusals:
        show_plan(cli, plan)
    require_applyable(plan)
    if not plan.empty and not _is_approved(plan, approval):
        if as_json:
            raise PlanRefused([Problem("cannot prompt with -o json", hint="add --yes if the plan is approved")])
        _confirm(plan)
    await follow(cli, apply_plan(cli.client, cli.client.ledger, plan, apply_options), apply_options.stop)


async def follow(cli: CliSession, happening: AsyncGenerator[Event, None], stop: CancelToken) -> None:
    """Show what happens until its recap, stopping it on signals. Raises what ended it, and ends with its code."""
    from rsspot.applier.events import Recap
    from rsspot.cli.event_file import EventFiles
    from rsspot.cli.progress import progress_of
    from rsspot.reports.protocol import Traffic

    progress, recap, files = progress_of(cli, _report(cli)), None, cli.event_files or EventFiles()
    failure: RsspotError | None = None
    with stopped_by_signals(stop):
        async with aclosing(happening) as events:
            try:
                async for event in events:
                    if isinstance(event, Recap):
                        recap = event
                        continue
                    files.add(event)
                    progress.show(event)
                    if reader_left():
                        stop.ask()
            except RsspotError as error:
                failure = error
    if recap is not None:
        transport = cli.client.session.transport
        traffic = Traffic(transport.requests, transport.repeats + recap.resent, progress.elapsed)
        files.finish(recap, traffic)
        progress.finish(recap, traffic)
    if failure is not None:
        raise failure
    if recap is not None and recap.exit_code:
        raise typer.Exit(recap.exit_code)


def _is_approved(plan: Plan, approval: Approval) -> bool:
    """Whether nobody has to be asked. Raises StalePlan for another plan than the one that was approved."""
    if approval.digest is None:
        return approval.yes
    digest = _digest(plan)
    if digest != approval.digest:
        message = f"this is not the plan that was approved: its digest is {digest}"
        raise StalePlan(message, hint="nothing was sent; review the plan above, and approve it by its digest")
    return True


def _digest(plan: Plan) -> str:
    from rsspot.planner.codec import dump_plan

    return str(dump_plan(plan)["digest"])


def show_digest(cli: CliSession, plan: Plan) -> None:
    """Tell a person, or whoever wants to know more, how exactly this plan can be approved.

    In JSON and YAML its digest is a member of the plan.
    """
    told = cli.options.verbose or (sys.stderr is not None and sys.stderr.isatty())
    if told and cli.options.output == "table" and not plan.empty:
        print(f"To apply exactly this plan: --approve {_digest(plan)}", file=sys.stderr)


def _confirm(plan: Plan) -> None:
    """Ask for confirmation: `yes`, or for a plan that deletes objects `delete` and their number."""
    deletions = sum(change.destructive for change in plan.changes)
    print(f"\nThis is the stack {plan.stack!r} of the organization {plan.organization!r}.", end="")
    confirm(f"delete {deletions}" if deletions else "yes")


def show_plan(cli: CliSession, plan: Plan) -> None:
    """Print a plan in the format that was asked for."""
    if cli.options.output not in FINDINGS:
        print(_report(cli).plan(plan))
    elif not plan.refusals:
        show_findings(cli.options.output, ())


def _report(cli: CliSession) -> Report:
    from rsspot.reports.registry import report_for

    return report_for(cli.options.output, color=cli.color, verbose=bool(cli.options.verbose))
