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
from rsspot.errors import OutcomeUnknown, PlanRefused, Problem, RsspotError, StalePlan
from rsspot.reports.registry import FINDINGS, PLAN_FORMATS
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
    write_reports(cli, plan)
    if not as_json or plan.refusals:
        show_plan(cli, plan)
    require_applyable(plan)
    if not plan.empty and not _is_approved(plan, approval):
        if as_json:
            raise PlanRefused([Problem("cannot prompt with -o json", hint="add --yes if the plan is approved")])
        _confirm(plan)
    await follow(cli, apply_plan(cli.client, cli.client.ledger, plan, apply_options), apply_options.stop)


async def follow(cli: CliSession, happening: AsyncGenerator[Event, None], stop: CancelToken) -> None:
    """Show what happens until its recap, stopping it on signals. Ends with the recap's code; raises what ended it."""
    from rsspot.applier.events import Recap, RunOutcome
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
        if recap is not None and recap.outcome is RunOutcome.UNKNOWN:
            message = f"{failure.message}; what became of a write that went out before is unknown"
            raise OutcomeUnknown(message, hint=failure.hint) from failure
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
    from rsspot.reports.registry import plan_report_for

    options, display = cli.options, cli.plan_display
    if options.output in FINDINGS and options.output not in PLAN_FORMATS:
        # Errors print the refusals of such a format.
        if not plan.refusals:
            show_findings(options.output, ())
        return
    detail = display.detail if display else None
    print(plan_report_for(options.output, color=cli.color, verbose=bool(options.verbose), detail=detail).plan(plan))


def write_reports(cli: CliSession, plan: Plan) -> None:
    """Write the files that a plan is to be written to besides."""
    if cli.plan_display:
        cli.plan_display.write(plan)


def _report(cli: CliSession) -> Report:
    from rsspot.reports.registry import report_for

    return report_for(cli.options.output, color=cli.color, verbose=bool(cli.options.verbose))
