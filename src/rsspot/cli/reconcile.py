"""The commands plan, apply, destroy and validate: read options, call the workflows and print. Contain no rules."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli import errors
from rsspot.cli.plan_options import (
    ADOPT,
    ALLOW_INCOMPLETE,
    DEADLINE,
    EVERY_EVENT,
    MAX_COST,
    MAX_DELETES,
    PARALLELISM,
    PATHS,
    PLAN_KEY,
    PRUNE,
    VARIABLE,
    WAIT,
    WAIT_TIMEOUT,
    apply_options_of,
    load_manifests,
    plan_key_of,
    plan_options,
    reporting_session,
    with_max_cost,
)
from rsspot.cli.prompts import YES, confirm
from rsspot.cli.session import CliSession, session
from rsspot.cli.signals import stopped_by_signals
from rsspot.cli_history import shown
from rsspot.errors import ManifestError, PlanRefused, Problem, RsspotError, UsageError
from rsspot.models.refs import DNS_LABEL
from rsspot.utils.clock import stamp, utc_now
from rsspot.utils.files import write_private
from rsspot.utils.output import as_json
from rsspot.utils.text import printable

if TYPE_CHECKING:
    from rsspot.applier.options import ApplyOptions
    from rsspot.manifests.manifest import ManifestSet
    from rsspot.planner.options import PlanOptions
    from rsspot.planner.plan import Plan
    from rsspot.reports.protocol import Report


def plan(
    paths: list[Path] = PATHS,
    prune: bool = PRUNE,
    adopt: bool = ADOPT,
    max_deletes: int | None = MAX_DELETES,
    max_cost: str | None = MAX_COST,
    out: Path | None = shown(typer.Option(None, "--out", help="Save the plan to this file, for `apply --plan`.")),
    detailed_exitcode: bool = typer.Option(False, "--detailed-exitcode", help="Exit with 2 if there are changes."),
    plan_key: Path | None = PLAN_KEY,
    allow_incomplete: list[str] = ALLOW_INCOMPLETE,
    var: list[str] = VARIABLE,
) -> None:
    """Show what apply would change. Sends only GET requests and writes only the `--out` file."""
    cli = reporting_session()
    key = plan_key_of(plan_key)
    manifests = load_manifests(cli, paths, var)
    # A plan writes nothing, so registrations too are read from a ledger that is not created if missing.
    cli.client.ledger = cli.reading_ledger
    options = with_max_cost(plan_options(prune, adopt, max_deletes, allow_incomplete), max_cost, manifests)
    result = cli.run(_plan(cli, manifests, options))
    _show(cli, result)
    if result.refusals:
        if cli.options.output == "json":
            raise typer.Exit(PlanRefused.exit_code)
        raise PlanRefused(result.refusals, hint="nothing was sent")
    if out:
        from rsspot.planner.codec import dump_plan

        document = {**dump_plan(result), "createdAt": stamp(utc_now())}
        if key:
            from rsspot.planner.signing import signed

            document = signed(document, key)
        _save(out, as_json(document) + "\n")
    if detailed_exitcode and not result.empty:
        raise typer.Exit(errors.CHANGES)


def _save(file: Path, text: str) -> None:
    try:
        write_private(file, text, follow=False)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from None


def apply(
    paths: list[Path] = PATHS,
    saved: Path | None = shown(typer.Option(None, "--plan", help="Apply this saved plan instead of planning.")),
    prune: bool = PRUNE,
    adopt: bool = ADOPT,
    max_deletes: int | None = MAX_DELETES,
    max_cost: str | None = MAX_COST,
    yes: bool = YES,
    wait: str = WAIT,
    wait_timeout: float = WAIT_TIMEOUT,
    parallelism: int = PARALLELISM,
    verbose_events: bool = EVERY_EVENT,
    deadline: float | None = DEADLINE,
    plan_key: Path | None = PLAN_KEY,
    allow_incomplete: list[str] = ALLOW_INCOMPLETE,
    var: list[str] = VARIABLE,
) -> None:
    """Make live objects match the manifests: plan, confirm, apply, and record every step in the ledger."""
    cli = reporting_session()
    cli.every_event = verbose_events
    if saved and paths:
        raise UsageError("cannot combine --plan with manifests", hint="give either --plan or paths")
    apply_options = apply_options_of(wait, wait_timeout, parallelism, deadline)
    if saved:
        cli.run(_apply_saved(cli, saved, yes, apply_options, var, plan_key_of(plan_key), max_cost))
        return
    manifests = load_manifests(cli, paths, var)
    options = with_max_cost(plan_options(prune, adopt, max_deletes, allow_incomplete), max_cost, manifests)
    cli.run(_apply(cli, manifests, options, yes, apply_options))


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
) -> None:
    """Delete everything a stack owns."""
    cli = reporting_session()
    cli.every_event = verbose_events
    if paths and stack is not None:
        raise UsageError("cannot combine --stack with manifests", hint="give either manifests or --stack")
    manifests = load_manifests(cli, paths, var) if paths else None
    if manifests and not manifests.named:
        raise UsageError(
            "these manifests do not name their stack", hint="add a Stack document, or use --stack NAME alone"
        )
    name = manifests.stack if manifests else stack
    if name is None:
        raise UsageError("no stack given", hint="give its manifests, or --stack NAME")
    if not DNS_LABEL.fullmatch(name):
        raise UsageError(f"{name!r} is not a valid stack name", hint="use lowercase letters, digits and hyphens")
    cli.run(_destroy(cli, name, manifests, yes, apply_options_of(wait, wait_timeout, parallelism, deadline)))


def validate(paths: list[Path] = PATHS, var: list[str] = VARIABLE) -> None:
    """Check manifests without contacting the service."""
    cli = session()
    manifests = load_manifests(cli, paths, var)
    rows = [
        {"address": each.address, "kind": each.kind.name, "source": str(each.origin)} for each in manifests.manifests
    ]
    if cli.options.output != "table":
        cli.emit({"stack": manifests.stack, "manifests": rows})
        return
    for note in manifests.passed_over:
        print(f"Note: {printable(note)}")
    print(f"{len(rows)} manifests in {len(manifests.files)} files are valid (stack {manifests.stack!r}).")


COMMANDS: dict[str, Any] = {"plan": plan, "apply": apply, "destroy": destroy, "validate": validate}


async def _plan(cli: CliSession, manifests: ManifestSet, options: PlanOptions) -> Plan:
    from rsspot.resources.known import require_known
    from rsspot.resources.registry import kinds
    from rsspot.workflows.reconcile import make_plan

    _check_named(manifests, options)
    if cli.options.region is not None:
        await require_known(cli.client.documents(kinds()["Region"]), cli.options.region)
    return await make_plan(cli.client, cli.reading_ledger, manifests, options=options)


def _check_named(manifests: ManifestSet, options: PlanOptions) -> None:
    """Refuse --prune without a named stack: the default stack may hold objects of other manifests."""
    if options.prune and not manifests.named:
        raise UsageError("--prune requires a named stack", hint="add a Stack document to the manifests")


async def _apply(
    cli: CliSession, manifests: ManifestSet, options: PlanOptions, yes: bool, apply_options: ApplyOptions
) -> None:
    plan = await _plan(cli, manifests, options)
    await _confirm_and_run(cli, plan, yes, apply_options)


async def _destroy(
    cli: CliSession, stack: str, manifests: ManifestSet | None, yes: bool, apply_options: ApplyOptions
) -> None:
    from rsspot.workflows.reconcile import plan_destroy

    plan = await plan_destroy(cli.client, cli.reading_ledger, stack, manifests)
    await _confirm_and_run(cli, plan, yes, apply_options)


async def _apply_saved(
    cli: CliSession,
    saved: Path,
    yes: bool,
    apply_options: ApplyOptions,
    var: list[str],
    key: str | None,
    max_cost: str | None,
) -> None:
    from rsspot.planner.options import PlanOptions
    from rsspot.workflows.saved_plan import needs_manifests, prepare_saved_plan, read_plan

    plan = read_plan(saved, key=key)
    cli.options.profile = cli.options.profile or plan.profile
    cli.options.organization = cli.options.organization or plan.organization
    manifests = _manifests_of(cli, plan, var, needed=needs_manifests(plan) or max_cost is not None)
    options = with_max_cost(PlanOptions(), max_cost, manifests) if manifests else PlanOptions()
    plan = await prepare_saved_plan(cli.client, plan, manifests, cli.reading_ledger, spending=options.spending)
    await _confirm_and_run(cli, plan, yes, apply_options)


def _manifests_of(cli: CliSession, plan: Plan, var: list[str], *, needed: bool) -> ManifestSet | None:
    """The manifests that a saved plan was made from; None if they are not at hand, or wanted only for comparison."""
    files = [Path(file) for file in plan.files]
    if not needed and not (files and all(file.is_file() for file in files)):
        return None
    try:
        return load_manifests(cli, files, var)
    except ManifestError:
        if needed:
            raise
        return None


async def _confirm_and_run(cli: CliSession, plan: Plan, yes: bool, apply_options: ApplyOptions) -> None:
    from rsspot.applier.events import Recap
    from rsspot.cli.progress import progress_of
    from rsspot.workflows.reconcile import apply_plan, require_applyable

    as_json = cli.options.output == "json"
    if not as_json or plan.refusals:
        _show(cli, plan)
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


def _show(cli: CliSession, plan: Plan) -> None:
    print(_report(cli).plan(plan))


def _report(cli: CliSession) -> Report:
    from rsspot.reports.registry import report_for

    return report_for(cli.options.output, color=cli.color, verbose=bool(cli.options.verbose))
