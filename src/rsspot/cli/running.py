"""Runs a plan for a command: shows it, asks for confirmation, prints what happens, and ends with the recap's code."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import typer

from rsspot.cli.prompts import confirm
from rsspot.cli.session import CliSession
from rsspot.cli.signals import stopped_by_signals
from rsspot.errors import PlanRefused, Problem, RsspotError

if TYPE_CHECKING:
    from rsspot.applier.options import ApplyOptions
    from rsspot.planner.plan import Plan
    from rsspot.reports.protocol import Report


async def confirm_and_run(cli: CliSession, plan: Plan, yes: bool, apply_options: ApplyOptions) -> None:
    """Show a plan, have it confirmed, run it and print what happens. Raises what ended the run."""
    from rsspot.applier.events import Recap
    from rsspot.cli.progress import progress_of
    from rsspot.workflows.reconcile import apply_plan, require_applyable

    as_json = cli.options.output == "json"
    if not as_json or plan.refusals:
        show_plan(cli, plan)
    require_applyable(plan)
    if not plan.empty and not yes:
        if as_json:
            raise PlanRefused([Problem("cannot prompt with -o json", hint="add --yes if the plan is approved")])
        _confirm(plan)
    progress, recap = progress_of(cli, _report(cli)), None
    failure: RsspotError | None = None
    with stopped_by_signals(apply_options.stop):
        async with aclosing(apply_plan(cli.client, cli.client.ledger, plan, apply_options)) as events:
            try:
                async for event in events:
                    if isinstance(event, Recap):
                        recap = event
                    else:
                        progress.show(event)
            except RsspotError as error:
                failure = error
    if recap is not None:
        transport = cli.client.session.transport
        progress.finish(recap, requests=transport.requests, retries=transport.repeats + recap.resent)
    if failure is not None:
        raise failure
    if recap is not None and recap.exit_code:
        raise typer.Exit(recap.exit_code)


def _confirm(plan: Plan) -> None:
    """Ask for confirmation: `yes`, or for a plan that deletes objects `delete` and their number."""
    deletions = sum(change.destructive for change in plan.changes)
    confirm(f"delete {deletions}" if deletions else "yes")


def show_plan(cli: CliSession, plan: Plan) -> None:
    """Print a plan in the format that was asked for."""
    print(_report(cli).plan(plan))


def _report(cli: CliSession) -> Report:
    from rsspot.reports.registry import report_for

    return report_for(cli.options.output, color=cli.color)
