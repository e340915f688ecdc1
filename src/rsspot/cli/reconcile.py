"""The commands plan, apply and destroy: read options, call the workflows and print. Contain no rules."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli import errors
from rsspot.cli.plan_options import (
    ADOPT,
    ALLOW_INCOMPLETE,
    APPROVE,
    DEADLINE,
    EVERY_EVENT,
    EXCLUDE,
    MAX_COST,
    MAX_DELETES,
    PARALLELISM,
    PATHS,
    PLAN_KEY,
    PRUNE,
    TARGET,
    UNDO,
    VARIABLE,
    VARIABLE_FILE,
    WAIT,
    WAIT_TIMEOUT,
    GivenVariables,
    apply_options_of,
    load_manifests,
    plan_options,
    reporting_session,
    stack_name,
    with_max_cost,
)
from rsspot.cli.prompts import YES
from rsspot.cli.running import Approval, confirm_and_run, show_digest, show_plan
from rsspot.cli.saved_plans import apply_saved, plan_key_of, save_plan
from rsspot.cli.session import CliSession
from rsspot.cli_history import shown
from rsspot.errors import PlanRefused, UsageError

if TYPE_CHECKING:
    from rsspot.applier.options import ApplyOptions
    from rsspot.manifests.manifest import ManifestSet
    from rsspot.planner.options import PlanOptions
    from rsspot.planner.plan import Plan

    Planner = Callable[[], Coroutine[Any, Any, Plan]]
    """Makes a plan, once the client knows whose it is."""


def plan(
    paths: list[Path] = PATHS,
    prune: bool = PRUNE,
    adopt: bool = ADOPT,
    max_deletes: int | None = MAX_DELETES,
    max_cost: str | None = MAX_COST,
    out: Path | None = shown(typer.Option(None, "--out", help="Save the plan to this file, for `apply --plan`.")),
    detailed_exitcode: bool = typer.Option(False, "--detailed-exitcode", help="Exit with 2 if there are changes."),
    undo: int | None = UNDO,
    refresh_only: bool = typer.Option(
        False, "--refresh-only", help="Show only what somebody else changed since the last apply."
    ),
    plan_key: Path | None = PLAN_KEY,
    allow_incomplete: list[str] = ALLOW_INCOMPLETE,
    target: list[str] = TARGET,
    exclude: list[str] = EXCLUDE,
    var: list[str] = VARIABLE,
    var_file: list[Path] = VARIABLE_FILE,
) -> None:
    """Show what apply would change. Sends only GET requests and writes only the `--out` file."""
    cli = reporting_session(findings=True)
    key = plan_key_of(plan_key)
    options = plan_options(
        prune=prune,
        adopt=adopt,
        max_deletes=max_deletes,
        allow_incomplete=allow_incomplete,
        target=target,
        exclude=exclude,
    )
    if refresh_only and (out or prune or adopt or options.partial or undo):
        raise UsageError("--refresh-only takes no option of a plan", hint="it compares with the last apply alone")
    planned: Planner
    if refresh_only:
        planned = partial(_refresh, cli, load_manifests(cli, paths, var, var_file))
    else:
        planned = _planned(cli, paths, (var, var_file), options, undo, max_cost)
    # A plan writes nothing, so registrations too are read from a ledger that is not created if missing.
    # What compares with a run, or takes one back, cannot do without it.
    cli.client.ledger = cli.whole_ledger if refresh_only or undo is not None else cli.reading_ledger
    result = cli.run(planned())
    show_plan(cli, result)
    if result.refusals:
        if cli.options.output == "json":
            raise typer.Exit(PlanRefused.exit_code)
        raise PlanRefused(result.refusals, hint="nothing was sent")
    show_digest(cli, result)
    if out:
        save_plan(out, result, key)
    if detailed_exitcode and (result.drifted or not result.empty):
        raise typer.Exit(errors.CHANGES)


def apply(
    paths: list[Path] = PATHS,
    saved: Path | None = shown(typer.Option(None, "--plan", help="Apply this saved plan instead of planning.")),
    prune: bool = PRUNE,
    adopt: bool = ADOPT,
    max_deletes: int | None = MAX_DELETES,
    max_cost: str | None = MAX_COST,
    yes: bool = YES,
    approve: str | None = APPROVE,
    undo: int | None = UNDO,
    wait: str = WAIT,
    wait_timeout: float = WAIT_TIMEOUT,
    parallelism: int = PARALLELISM,
    verbose_events: bool = EVERY_EVENT,
    deadline: float | None = DEADLINE,
    plan_key: Path | None = PLAN_KEY,
    allow_incomplete: list[str] = ALLOW_INCOMPLETE,
    target: list[str] = TARGET,
    exclude: list[str] = EXCLUDE,
    var: list[str] = VARIABLE,
    var_file: list[Path] = VARIABLE_FILE,
) -> None:
    """Make live objects match the manifests: plan, confirm, apply, and record every step in the ledger."""
    cli = reporting_session()
    cli.every_event = verbose_events
    if saved and (paths or undo):
        what, hint = ("manifests", "either --plan or paths") if paths else ("--undo", "either --plan or --undo")
        raise UsageError(f"cannot combine --plan with {what}", hint=f"give {hint}")
    apply_options = apply_options_of(wait, wait_timeout, parallelism, deadline)
    approval = Approval(yes, approve)
    if saved and (target or exclude or prune or adopt or max_deletes is not None or allow_incomplete):
        raise UsageError("a saved plan is applied as it is", hint="give options of planning to `plan --out`")
    if saved:
        cli.run(apply_saved(cli, saved, approval, apply_options, (var, var_file), plan_key_of(plan_key), max_cost))
        return
    options = plan_options(
        prune=prune,
        adopt=adopt,
        max_deletes=max_deletes,
        allow_incomplete=allow_incomplete,
        target=target,
        exclude=exclude,
    )
    cli.run(_apply(cli, _planned(cli, paths, (var, var_file), options, undo, max_cost), approval, apply_options))


def destroy(
    paths: list[Path] = PATHS,
    stack: str | None = shown(typer.Option(None, "--stack", help="The name of the stack, instead of manifests.")),
    yes: bool = YES,
    wait: str = WAIT,
    wait_timeout: float = WAIT_TIMEOUT,
    parallelism: int = PARALLELISM,
    verbose_events: bool = EVERY_EVENT,
    deadline: float | None = DEADLINE,
    var: list[str] = VARIABLE,
    var_file: list[Path] = VARIABLE_FILE,
) -> None:
    """Delete everything a stack owns."""
    cli = reporting_session()
    cli.every_event = verbose_events
    if paths and stack is not None:
        raise UsageError("cannot combine --stack with manifests", hint="give either manifests or --stack")
    manifests = load_manifests(cli, paths, var, var_file) if paths else None
    if manifests and not manifests.named:
        raise UsageError(
            "these manifests do not name their stack", hint="add a Stack document, or use --stack NAME alone"
        )
    name = manifests.stack if manifests else stack
    if name is None:
        raise UsageError("no stack given", hint="give its manifests, or --stack NAME")
    options = apply_options_of(wait, wait_timeout, parallelism, deadline)
    cli.run(_destroy(cli, stack_name(name), manifests, Approval(yes), options))


COMMANDS: dict[str, Any] = {"plan": plan, "apply": apply, "destroy": destroy}


def _planned(
    cli: CliSession,
    paths: list[Path],
    given: GivenVariables,
    options: PlanOptions,
    undo: int | None,
    max_cost: str | None,
) -> Planner:
    """Makes the plan of manifests, or the one that takes back what a run did. Manifests are read at once."""
    if undo is None:
        manifests = load_manifests(cli, paths, *given)
        return partial(_plan, cli, manifests, with_max_cost(options, max_cost, manifests))
    if paths:
        raise UsageError("cannot combine manifests with --undo", hint="give one of the two")
    if options.prune or options.adopt or options.partial or max_cost is not None:
        raise UsageError("--undo takes back all that the run did", hint="of a plan's options, give --max-deletes only")
    return partial(_undo, cli, undo, options)


async def _undo(cli: CliSession, run: int, options: PlanOptions) -> Plan:
    from rsspot.workflows.undo import plan_undo

    return await plan_undo(cli.client, cli.whole_ledger, run, options=options)


async def _plan(cli: CliSession, manifests: ManifestSet, options: PlanOptions) -> Plan:
    from rsspot.resources.known import require_known
    from rsspot.resources.registry import kinds
    from rsspot.workflows.reconcile import make_plan

    _check_named(manifests, options)
    if cli.options.region is not None:
        await require_known(cli.client.documents(kinds()["Region"]), cli.options.region)
    return await make_plan(cli.client, cli.reading_ledger, manifests, options=options)


async def _refresh(cli: CliSession, manifests: ManifestSet) -> Plan:
    from rsspot.workflows.reconcile import plan_refresh

    return await plan_refresh(cli.client, cli.whole_ledger, manifests.stack)


def _check_named(manifests: ManifestSet, options: PlanOptions) -> None:
    """Refuse --prune without a named stack: the default stack may hold objects of other manifests."""
    if options.prune and not manifests.named:
        raise UsageError("--prune requires a named stack", hint="add a Stack document to the manifests")


async def _apply(cli: CliSession, planned: Planner, approval: Approval, apply_options: ApplyOptions) -> None:
    await confirm_and_run(cli, await planned(), approval, apply_options)


async def _destroy(
    cli: CliSession, stack: str, manifests: ManifestSet | None, approval: Approval, apply_options: ApplyOptions
) -> None:
    from rsspot.workflows.reconcile import plan_destroy

    plan = await plan_destroy(cli.client, cli.reading_ledger, stack, manifests)
    await confirm_and_run(cli, plan, approval, apply_options)
