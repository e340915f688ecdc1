"""The commands plan, apply and destroy: read options, call the workflows and print. Contain no rules."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli import errors
from rsspot.cli.option_groups import with_groups
from rsspot.cli.plan_options import (
    PATHS,
    PLAN_KEY,
    UNDO,
    GivenVariables,
    PlanFlags,
    load_manifests,
    plan_options,
    reporting_session,
    stack_name,
    with_max_cost,
)
from rsspot.cli.prompts import YES
from rsspot.cli.report_files import ReportFlags, take_reports
from rsspot.cli.run_options import RunFlags, WaitFlags, apply_options
from rsspot.cli.running import Approval, confirm_and_run, show_digest, show_plan, write_reports
from rsspot.cli.saved_plans import apply_saved, plan_key_of, plan_of_file, plan_of_run, save_plan
from rsspot.cli.session import CliSession
from rsspot.cli_history import shown
from rsspot.errors import PlanRefused, UsageError
from rsspot.reports.registry import WITH_REFUSALS

if TYPE_CHECKING:
    from rsspot.applier.options import ApplyOptions
    from rsspot.manifests.manifest import ManifestSet
    from rsspot.planner.options import PlanOptions
    from rsspot.planner.plan import Plan

    Planner = Callable[[], Coroutine[Any, Any, Plan]]
    """Makes a plan, once the client knows whose it is."""

APPROVE = shown(
    typer.Option(
        None,
        "--approve",
        metavar="DIGEST",
        help="Apply without asking if the plan is the one with this digest; refuse any other.",
    )
)
RESUME = typer.Option(
    False, "--resume", help="Finish the last apply that did not come to its end, as it was approved then."
)


@with_groups
def plan(
    paths: list[Path] = PATHS,
    out: Path | None = shown(typer.Option(None, "--out", help="Save the plan to this file, for `apply --plan`.")),
    detailed_exitcode: bool = typer.Option(False, "--detailed-exitcode", help="Exit with 2 if there are changes."),
    undo: int | None = UNDO,
    refresh_only: bool = typer.Option(
        False, "--refresh-only", help="Show only what somebody else changed since the last apply."
    ),
    plan_key: Path | None = PLAN_KEY,
    *,
    flags: PlanFlags,
    given: GivenVariables,
    reports: ReportFlags,
) -> None:
    """Show what apply would change. Sends only GET requests and writes only the files of `--out` and `--report`."""
    cli = reporting_session(findings=True)
    take_reports(cli, reports)
    key = plan_key_of(plan_key)
    if refresh_only and (out or undo or flags.selective):
        raise UsageError("--refresh-only takes no option of a plan", hint="it compares with the last apply alone")
    planned: Planner
    if refresh_only:
        planned = partial(_refresh, cli, load_manifests(cli, paths, given.var, given.var_file))
    else:
        planned = _planned(cli, paths, given, flags, undo)
    # A plan writes nothing, so registrations too are read from a ledger that is not created if missing.
    # What compares with a run, or takes one back, cannot do without it.
    cli.client.ledger = cli.whole_ledger if refresh_only or undo is not None else cli.reading_ledger
    result = cli.run(planned())
    show_plan(cli, result)
    write_reports(cli, result)
    if result.refusals:
        if cli.options.output in WITH_REFUSALS:
            raise typer.Exit(PlanRefused.exit_code)
        raise PlanRefused(result.refusals, hint="nothing was sent")
    show_digest(cli, result)
    if out:
        save_plan(out, result, key)
    if detailed_exitcode and (result.drifted or not result.empty):
        raise typer.Exit(errors.CHANGES)


@with_groups
def apply(
    paths: list[Path] = PATHS,
    saved: Path | None = shown(typer.Option(None, "--plan", help="Apply this saved plan instead of planning.")),
    resume: bool = RESUME,
    yes: bool = YES,
    approve: str | None = APPROVE,
    undo: int | None = UNDO,
    plan_key: Path | None = PLAN_KEY,
    *,
    flags: PlanFlags,
    given: GivenVariables,
    run: RunFlags,
    waiting: WaitFlags,
    reports: ReportFlags,
) -> None:
    """Make live objects match the manifests: plan, confirm, apply, and record every step in the ledger."""
    cli = reporting_session()
    _take_files(cli, reports)
    _check_sources(paths, saved, undo, flags, resume=resume)
    options, approval = apply_options(cli, run, waiting), Approval(yes, approve)
    if saved:
        source = plan_of_file(saved, plan_key_of(plan_key))
        cli.run(apply_saved(cli, source, approval, options, given, flags.max_cost))
    elif resume:
        manifests = load_manifests(cli, paths, given.var, given.var_file) if paths else None
        _resume(cli, manifests, given, options, flags.max_cost)
    else:
        cli.run(_apply(cli, _planned(cli, paths, given, flags, undo), approval, options))


@with_groups
def destroy(
    paths: list[Path] = PATHS,
    stack: str | None = shown(typer.Option(None, "--stack", help="The name of the stack, instead of manifests.")),
    yes: bool = YES,
    *,
    given: GivenVariables,
    run: RunFlags,
    waiting: WaitFlags,
    reports: ReportFlags,
) -> None:
    """Delete everything a stack owns."""
    cli = reporting_session()
    _take_files(cli, reports)
    if paths and stack is not None:
        raise UsageError("cannot combine --stack with manifests", hint="give either manifests or --stack")
    manifests = load_manifests(cli, paths, given.var, given.var_file) if paths else None
    if manifests and not manifests.named:
        raise UsageError(
            "these manifests do not name their stack", hint="add a Stack document, or use --stack NAME alone"
        )
    name = manifests.stack if manifests else stack
    if name is None:
        raise UsageError("no stack given", hint="give its manifests, or --stack NAME")
    cli.run(_destroy(cli, stack_name(name), manifests, Approval(yes), apply_options(cli, run, waiting)))


COMMANDS: dict[str, Any] = {"plan": plan, "apply": apply, "destroy": destroy}


def _take_files(cli: CliSession, reports: ReportFlags) -> None:
    """The reports of a command whose standard output is for its run."""
    before = cli.options.output
    take_reports(cli, reports)
    if cli.options.output != before:
        raise UsageError("standard output is for the run", hint="name a file: --report FORMAT=FILE")


def _check_sources(paths: list[Path], saved: Path | None, undo: int | None, flags: PlanFlags, *, resume: bool) -> None:
    """Refuse what cannot be combined. Raises UsageError."""
    if saved and (paths or undo or resume):
        what, hint = ("manifests", "either --plan or paths") if paths else ("--undo or --resume", "one of them")
        raise UsageError(f"cannot combine --plan with {what}", hint=f"give {hint}")
    if resume and undo:
        raise UsageError("cannot combine --resume with --undo", hint="give one of them")
    if (saved or resume) and (flags.selective or flags.max_deletes is not None or flags.allow_incomplete):
        what = "a saved plan is applied" if saved else "the run is resumed"
        raise UsageError(f"{what} as it is", hint="options of planning belong to `plan`")


def _planned(cli: CliSession, paths: list[Path], given: GivenVariables, flags: PlanFlags, undo: int | None) -> Planner:
    """Makes the plan of manifests, or the one that takes back what a run did. Manifests are read at once."""
    from dataclasses import replace

    options = replace(plan_options(flags), history=bool(cli.plan_display and cli.plan_display.past_prices))
    if undo is None:
        manifests = load_manifests(cli, paths, given.var, given.var_file)
        return partial(_plan, cli, manifests, with_max_cost(options, flags.max_cost, manifests))
    if paths:
        raise UsageError("cannot combine manifests with --undo", hint="give one of the two")
    if flags.selective or flags.max_cost is not None:
        raise UsageError("--undo takes back all that the run did", hint="of a plan's options, give --max-deletes only")
    return partial(_undo, cli, undo, options)


def _resume(
    cli: CliSession,
    manifests: ManifestSet | None,
    given: GivenVariables,
    options: ApplyOptions,
    max_cost: str | None,
) -> None:
    """Finish the last run that did not come to its end; it was approved when it began."""
    plan = plan_of_run(cli, manifests.stack if manifests else None)
    if plan is None:
        print("Every apply on record came to its end: there is nothing to resume.")
        return
    cli.run(apply_saved(cli, plan, Approval(yes=True), options, given, max_cost, manifests))


async def _undo(cli: CliSession, run: int, options: PlanOptions) -> Plan:
    from rsspot.workflows.undo import plan_undo

    return await plan_undo(cli.client, cli.whole_ledger, run, options=options)


async def _plan(cli: CliSession, manifests: ManifestSet, options: PlanOptions) -> Plan:
    from rsspot.resources.known import require_known
    from rsspot.resources.registry import kinds
    from rsspot.workflows.reconcile import make_plan

    check_named(manifests, options)
    if cli.options.region is not None:
        await require_known(cli.client.documents(kinds()["Region"]), cli.options.region)
    return await make_plan(cli.client, cli.reading_ledger, manifests, options=options)


async def _refresh(cli: CliSession, manifests: ManifestSet) -> Plan:
    from rsspot.workflows.reconcile import plan_refresh

    return await plan_refresh(cli.client, cli.whole_ledger, manifests.stack)


def check_named(manifests: ManifestSet, options: PlanOptions) -> None:
    """Refuse --prune without a named stack: the default stack may hold objects of other manifests."""
    if options.prune and not manifests.named:
        raise UsageError("--prune requires a named stack", hint="add a Stack document to the manifests")


async def _apply(cli: CliSession, planned: Planner, approval: Approval, options: ApplyOptions) -> None:
    await confirm_and_run(cli, await planned(), approval, options)


async def _destroy(
    cli: CliSession, stack: str, manifests: ManifestSet | None, approval: Approval, options: ApplyOptions
) -> None:
    from rsspot.workflows.reconcile import plan_destroy

    plan = await plan_destroy(cli.client, cli.reading_ledger, stack, manifests)
    await confirm_and_run(cli, plan, approval, options)
