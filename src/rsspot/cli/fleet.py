"""The commands of fleets: plan, apply and see many stacks. Contain no rules."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.grammar import App
from rsspot.cli.option_groups import with_groups
from rsspot.cli.plan_options import PlanFlags, fresh_session, plan_options
from rsspot.cli.prompts import YES, confirm
from rsspot.cli.run_options import RunFlags, WaitFlags, apply_options
from rsspot.cli.session import CliSession
from rsspot.cli.signals import stopped_by_signals
from rsspot.cli_history import shown
from rsspot.errors import PlanRefused, Problem, UsageError
from rsspot.utils.output import Plain
from rsspot.utils.text import printable

if TYPE_CHECKING:
    from rsspot.client.async_client import AsyncSpotClient
    from rsspot.fleet.members import Fleet, Member
    from rsspot.fleet.work import FleetWork, StackResult
    from rsspot.manifests.manifest import Default
    from rsspot.planner.options import PlanOptions

app = App(help="Plan, apply and see many stacks side by side.")
FLEET = shown(typer.Argument(..., metavar="FLEET", help="A fleet file, or a folder whose folders each hold a stack."))
REPORTS = ("md", "html")


@dataclass(frozen=True)
class FleetFlags:
    """Which stacks, how many at a time, and where else they are told of."""

    only: list[str] = shown(
        typer.Option([], "--only", metavar="STACK", help="This stack of the fleet alone. May be repeated.")
    )
    stacks_at_a_time: int | None = shown(
        typer.Option(None, "--stacks-at-a-time", min=1, max=64, help="Maximum number of stacks at the same time.")
    )
    report: list[str] = shown(
        typer.Option(
            [], "--report", metavar="FORMAT=FILE", help="Also write the matrix as md or html. May be repeated."
        )
    )


@app.command()
@with_groups
def plan(
    fleet: Path = FLEET,
    *,
    fleet_flags: FleetFlags,
    flags: PlanFlags,
) -> None:
    """Plan every stack, and show what applying them would change, cost, and put right."""
    cli = fresh_session()
    cli.run(_looked_at(cli, fleet, fleet_flags, plan_options(flags)))


@app.command()
@with_groups
def status(fleet: Path = FLEET, *, fleet_flags: FleetFlags) -> None:
    """Show for every stack whether it is as declared, what it costs, and its last run."""
    cli = fresh_session()
    cli.run(_looked_at(cli, fleet, fleet_flags, None, failing=False))


@app.command()
@with_groups
def apply(
    fleet: Path = FLEET,
    yes: bool = YES,
    *,
    fleet_flags: FleetFlags,
    flags: PlanFlags,
    run: RunFlags,
    waiting: WaitFlags,
) -> None:
    """Plan every stack, confirm, and apply those that differ."""
    cli = fresh_session()
    cli.writes = True
    cli.run(_applied(cli, fleet, fleet_flags, flags, apply_options(cli, run, waiting), yes=yes))


COMMANDS = {"fleet": app}


async def _looked_at(
    cli: CliSession, path: Path, fleet_flags: FleetFlags, options: PlanOptions | None, *, failing: bool = True
) -> None:
    """Plan all and show the matrix. failing: whether a stack that cannot be planned fails the command"""
    from rsspot.controller.reconciler import RoundOptions
    from rsspot.fleet.matrix import exit_code

    fleet, members = _chosen(path, fleet_flags)
    async with _work(cli, RoundOptions(plan=options) if options else RoundOptions()) as work:
        parallelism = fleet_flags.stacks_at_a_time or fleet.parallelism
        results = await _told(work, work.plan_all(members, parallelism))
    _show(cli, fleet, results, fleet_flags.report)
    if failing and (code := exit_code(results)):
        raise typer.Exit(code)


async def _applied(
    cli: CliSession, path: Path, fleet_flags: FleetFlags, flags: PlanFlags, run: Any, *, yes: bool
) -> None:
    from rsspot.controller.reconciler import RoundOptions
    from rsspot.controller.rounds import RoundOutcome
    from rsspot.fleet.matrix import exit_code

    fleet, members = _chosen(path, fleet_flags)
    parallelism = fleet_flags.stacks_at_a_time or fleet.parallelism
    async with _work(cli, RoundOptions(plan=plan_options(flags), run=run)) as work:
        planned = await _told(work, work.plan_all(members, parallelism))
        differing = [each for each in planned if each.round.outcome is RoundOutcome.OUT_OF_SYNC]
        if differing and not yes:
            _confirm(cli, fleet, planned, len(differing))
        applied = await _told(work, work.apply_all(differing, parallelism))
    results = list({each.member.name: each for each in [*planned, *applied]}.values())
    _show(cli, fleet, results, fleet_flags.report)
    if code := exit_code(results):
        raise typer.Exit(code)


def _confirm(cli: CliSession, fleet: Fleet, results: list[StackResult], count: int) -> None:
    if cli.options.output == "json":
        raise PlanRefused([Problem("cannot prompt with -o json", hint="add --yes if the plans are approved")])
    _show(cli, fleet, results, [])
    deletions = sum(c.destructive for each in results if each.round.plan for c in each.round.plan.changes)
    print(f"\n{count} stacks of the fleet {printable(fleet.name)!r} differ.", end="")
    confirm(f"delete {deletions}" if deletions else "yes")


def _chosen(path: Path, flags: FleetFlags) -> tuple[Fleet, tuple[Member, ...]]:
    from rsspot.fleet.members import chosen, read_fleet

    for each in flags.report:
        if each.partition("=")[0] not in REPORTS or not each.partition("=")[2]:
            raise UsageError(f"--report {printable(each)}: unknown report", hint="write md=FILE or html=FILE")
    fleet = read_fleet(path)
    return fleet, chosen(fleet, flags.only)


async def _told(work: FleetWork, happening: AsyncGenerator[StackResult, None]) -> list[StackResult]:
    """What became of each stack, told on standard error as it comes."""
    from rsspot.controller.lines import round_line

    results = []
    with stopped_by_signals(work.stop):
        async with aclosing(happening) as coming:
            async for each in coming:
                results.append(each)
                print(f"{printable(each.member.name)}: {round_line(each.round)}", file=sys.stderr)
    return results


def _show(cli: CliSession, fleet: Fleet, results: list[StackResult], reports: list[str]) -> None:
    from rsspot.fleet import matrix
    from rsspot.utils.files import write_private

    if cli.options.output in ("json", "yaml"):
        cli.show(Plain(matrix.fleet_document(fleet.name, results)))
    else:
        cli.show(Plain(matrix.rows(results), address="{stack}", whole=("stack", "outcome", "changes", "drifted")))
    for report in reports:
        name, _, file = report.partition("=")
        text = (matrix.markdown if name == "md" else matrix.html)(fleet.name, results)
        write_private(Path(file), text + "\n")


@asynccontextmanager
async def _work(cli: CliSession, options: Any) -> AsyncIterator[FleetWork]:
    """What plans and applies stacks, with clients that are closed at the end."""
    from rsspot.fleet.shared_clients import SharedClients
    from rsspot.fleet.work import FleetWork
    from rsspot.state.ledger import open_ledger

    accounts = SharedClients(lambda profile, organization: _client(cli, profile, organization))
    try:
        yield FleetWork(accounts, lambda: open_ledger(cli.state_path), options, region=lambda _: _region(cli))
    finally:
        await accounts.aclose()


def _client(cli: CliSession, profile: str | None, organization: str | None) -> AsyncSpotClient:
    """A client of its own account. Catalogues may come from its cache, so that stacks share one read of them."""
    if cli.options.sandbox:
        return cli.client
    from rsspot.client.async_client import AsyncSpotClient
    from rsspot.client.resolve import resolved_here

    resolved = resolved_here(
        profile=profile or cli.options.profile,
        config_path=cli.config_file,
        organization=organization or cli.options.organization,
        region=cli.options.region,
    )
    return AsyncSpotClient(resolved=resolved, clock=cli.clock, hooks=cli.hooks, token_folder=cli.token_folder)


def _region(cli: CliSession) -> Default | None:
    from rsspot.manifests.manifest import Default

    setting = cli.resolve_again().settings.get("region")
    return Default(str(setting.value), f"region from {setting.source}") if setting else None
