"""plan, apply, destroy and validate as commands: reads options, calls the workflows, prints. Knows no rules."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli import errors
from rsspot.cli.prompts import confirm
from rsspot.cli.session import CliSession, session
from rsspot.errors import PlanRefused, Problem, RsspotError, UsageError
from rsspot.models.refs import DNS_LABEL
from rsspot.resources.waiting import WAIT_SECONDS
from rsspot.utils.clock import stamp, utc_now
from rsspot.utils.files import write_private

if TYPE_CHECKING:
    from rsspot.applier.options import ApplyOptions, CancelToken
    from rsspot.manifests.manifest import ManifestSet
    from rsspot.planner.options import PlanOptions
    from rsspot.planner.plan import Plan
    from rsspot.reports.protocol import Report

PATHS = typer.Argument(None, metavar="PATH...", help="Manifest files and directories.", show_default=False)
PRUNE = typer.Option(False, "--prune", help="Delete objects of the stack that no manifest declares.")
ADOPT = typer.Option(False, "--adopt", help="Take over declared objects that exist and belong to no stack.")
MAX_DELETES = typer.Option(None, "--max-deletes", min=0, help="Refuse to delete or replace more objects than this.")
VARIABLE = typer.Option([], "--var", metavar="NAME=VALUE", help="Set a ${var:NAME}; may be repeated.")
YES = typer.Option(False, "--yes", "-y", help="Do not ask.")
WAIT = typer.Option("ready", "--wait", help="How long a step takes: ready, accepted or none.")
WAIT_TIMEOUT = typer.Option(WAIT_SECONDS, "--wait-timeout", min=0, help="Seconds to wait for each object.")
DEADLINE = typer.Option(None, "--deadline", min=0, help="Seconds after which no further change starts.")
PARALLELISM = typer.Option(8, "--parallelism", min=1, max=64, help="Steps at a time.")


def plan(
    paths: list[Path] = PATHS,
    prune: bool = PRUNE,
    adopt: bool = ADOPT,
    max_deletes: int | None = MAX_DELETES,
    out: Path | None = typer.Option(None, "--out", help="Save the plan for `apply --plan`."),
    detailed_exitcode: bool = typer.Option(False, "--detailed-exitcode", help="End with 2 when there are changes."),
    var: list[str] = VARIABLE,
) -> None:
    """Show what an apply would change. Sends no request but GET and writes nothing but `--out`."""
    here = fresh_session()
    manifests = load_manifests(here, paths, var)
    # A plan writes nothing: registrations too are read from a ledger that is not made for it.
    here.client.ledger = here.reading_ledger
    made = here.run(_plan(here, manifests, _options(prune, adopt, max_deletes)))
    _show(here, made)
    if made.refusals:
        if here.options.output == "json":
            raise typer.Exit(PlanRefused.exit_code)
        raise PlanRefused(made.refusals, hint="nothing was sent")
    if out:
        from rsspot.planner.codec import dump_plan

        document = {**dump_plan(made), "createdAt": stamp(utc_now())}
        _save(out, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    if detailed_exitcode and not made.empty:
        raise typer.Exit(errors.CHANGES)


def fresh_session() -> CliSession:
    """The session, with no kept answers: a plan is about what is, not about what was a minute ago."""
    here = session()
    here.fresh = True
    return here


def _save(file: Path, text: str) -> None:
    try:
        write_private(file, text)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from None


def apply(
    paths: list[Path] = PATHS,
    saved: Path | None = typer.Option(None, "--plan", help="Apply this saved plan, and nothing else."),
    prune: bool = PRUNE,
    adopt: bool = ADOPT,
    max_deletes: int | None = MAX_DELETES,
    yes: bool = YES,
    wait: str = WAIT,
    wait_timeout: float = WAIT_TIMEOUT,
    parallelism: int = PARALLELISM,
    deadline: float | None = DEADLINE,
    var: list[str] = VARIABLE,
) -> None:
    """Make it so: plan, ask, apply, and record every step in the ledger."""
    here = fresh_session()
    if saved and paths:
        raise UsageError("a saved plan says itself what it is about", hint="give either --plan or paths")
    apply_options = _apply_options(wait, wait_timeout, parallelism, deadline)
    if saved:
        here.run(_apply_saved(here, saved, yes, apply_options, var))
        return
    manifests = load_manifests(here, paths, var)
    here.run(_apply(here, manifests, _options(prune, adopt, max_deletes), yes, apply_options))


def destroy(
    paths: list[Path] = PATHS,
    stack: str | None = typer.Option(None, "--stack", help="The stack, when no manifests name it."),
    yes: bool = YES,
    wait: str = WAIT,
    wait_timeout: float = WAIT_TIMEOUT,
    parallelism: int = PARALLELISM,
    deadline: float | None = DEADLINE,
    var: list[str] = VARIABLE,
) -> None:
    """Delete everything a stack owns: apply of nothing."""
    here = fresh_session()
    if paths and stack is not None:
        raise UsageError("the manifests say themselves which stack", hint="give either manifests or --stack")
    manifests = load_manifests(here, paths, var) if paths else None
    if manifests and not manifests.named:
        raise UsageError(
            "these manifests do not name their stack", hint="add a Stack document, or use --stack NAME alone"
        )
    name = manifests.stack if manifests else stack
    if name is None or not DNS_LABEL.fullmatch(name):
        raise UsageError("which stack?", hint="name its manifests, or give --stack NAME")
    here.run(_destroy(here, name, yes, _apply_options(wait, wait_timeout, parallelism, deadline)))


def validate(paths: list[Path] = PATHS, var: list[str] = VARIABLE) -> None:
    """Check manifests without speaking to the service."""
    here = session()
    manifests = load_manifests(here, paths, var)
    found = [
        {"address": each.address, "kind": each.kind.name, "source": str(each.origin)} for each in manifests.manifests
    ]
    if here.options.output != "table":
        here.emit({"stack": manifests.stack, "manifests": found})
        return
    print(f"{len(found)} manifests in {len(manifests.files)} files are valid (stack {manifests.stack!r}).")


COMMANDS: dict[str, Any] = {"plan": plan, "apply": apply, "destroy": destroy, "validate": validate}


async def _plan(here: CliSession, manifests: ManifestSet, options: PlanOptions) -> Plan:
    from rsspot.workflows.reconcile import make_plan

    _check_named(manifests, options)
    return await make_plan(here.client, here.reading_ledger, manifests, options=options)


def _check_named(manifests: ManifestSet, options: PlanOptions) -> None:
    """What no manifest declares can only be told from others' if the stack has a name of its own."""
    if options.prune and not manifests.named:
        raise UsageError("--prune needs a stack with a name", hint="add a Stack document to the manifests")


async def _apply(
    here: CliSession, manifests: ManifestSet, options: PlanOptions, yes: bool, apply_options: ApplyOptions
) -> None:
    made = await _plan(here, manifests, options)
    await _confirm_and_run(here, made, yes, apply_options)


async def _destroy(here: CliSession, stack: str, yes: bool, apply_options: ApplyOptions) -> None:
    from rsspot.workflows.reconcile import plan_destroy

    plan = await plan_destroy(here.client, here.reading_ledger, stack)
    await _confirm_and_run(here, plan, yes, apply_options)


async def _apply_saved(here: CliSession, saved: Path, yes: bool, apply_options: ApplyOptions, var: list[str]) -> None:
    from rsspot.workflows.saved_plan import needs_manifests, prepare_saved_plan, read_plan

    plan = read_plan(saved)
    here.options.profile = here.options.profile or plan.profile
    here.options.organization = here.options.organization or plan.organization
    manifests = load_manifests(here, [Path(file) for file in plan.files], var) if needs_manifests(plan) else None
    plan = await prepare_saved_plan(here.client, plan, manifests)
    await _confirm_and_run(here, plan, yes, apply_options)


async def _confirm_and_run(here: CliSession, made: Plan, yes: bool, apply_options: ApplyOptions) -> None:
    from rsspot.applier.events import Recap
    from rsspot.cli.progress import Progress
    from rsspot.workflows.reconcile import apply_plan, require_applyable

    as_json = here.options.output == "json"
    if not as_json or made.refusals:
        _show(here, made)
    require_applyable(made)
    if not made.empty and not yes:
        if as_json:
            raise PlanRefused([Problem("cannot prompt with -o json", hint="add --yes if the plan is approved")])
        _confirm(made)
    progress, recap = Progress(_report(here)), None
    broken_off: RsspotError | None = None
    with _signals(apply_options.stop):
        async with aclosing(apply_plan(here.client, here.client.ledger, made, apply_options)) as events:
            try:
                async for event in events:
                    if isinstance(event, Recap):
                        recap = event
                    else:
                        progress.show(event)
            except RsspotError as error:
                broken_off = error
    if recap is not None:
        transport = here.client.session.transport
        progress.finish(recap, requests=transport.requests, retries=transport.repeats)
    if broken_off is not None:
        raise broken_off
    if recap is not None and recap.exit_code:
        raise typer.Exit(recap.exit_code)


def _confirm(made: Plan) -> None:
    """Ask what the plan deserves: a yes, or the number of objects that will be gone."""
    doomed = sum(change.destructive for change in made.changes)
    confirm(f"delete {doomed}" if doomed else "yes")


class _signals:  # noqa: N801 - reads as a statement where it is used
    """Turns the first signal into a wish to stop, and the second into an end at once.

    What is open then is settled by the next run.
    """

    def __init__(self, stop: CancelToken) -> None:
        self._stop = stop

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with suppress(NotImplementedError, RuntimeError):
                asyncio.get_running_loop().add_signal_handler(number, self._asked)

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with suppress(NotImplementedError, RuntimeError):
                asyncio.get_running_loop().remove_signal_handler(number)

    def _asked(self) -> None:
        if self._stop.asked and self._task:
            self._task.cancel()
        self._stop.ask()
        print("stopping after what is on its way; once more to stop at once", file=sys.stderr)


def load_manifests(here: CliSession, paths: list[Path] | None, var: list[str]) -> ManifestSet:
    """The manifests at some paths; what their Stack says of profile and organization holds unless an option does."""
    from rsspot.manifests.parse import load

    if not paths:
        raise UsageError("which manifests?", hint="name files or directories, such as manifests/")
    manifests = load(paths, variables=_variables(var))
    here.options.organization = here.options.organization or manifests.organization
    here.options.profile = here.options.profile or manifests.profile
    return manifests


def _variables(given: list[str]) -> dict[str, str]:
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise UsageError(f"--var takes NAME=VALUE, not {name!r}")
        found[name] = value
    return found


def _options(prune: bool, adopt: bool, max_deletes: int | None) -> PlanOptions:
    from rsspot.planner.options import PlanOptions

    return PlanOptions(prune=prune, adopt=adopt, most_deletes=max_deletes)


def _apply_options(wait: str, timeout: float, parallel: int, deadline: float | None) -> ApplyOptions:
    from rsspot.applier.options import ApplyOptions

    if session().options.output == "yaml":
        raise UsageError("the events of a run cannot be printed as YAML", hint="leave -o yaml out, or use -o json")
    if wait not in ("ready", "accepted", "none"):
        raise UsageError(f"--wait takes ready, accepted or none, not {wait!r}")
    return ApplyOptions(wait=wait, wait_timeout=timeout, parallel=parallel, deadline=deadline)


def _show(here: CliSession, plan: Plan) -> None:
    print(_report(here).plan(plan))


def _report(here: CliSession) -> Report:
    from rsspot.reports.registry import report_for

    return report_for(here.options.output, color=here.color)
