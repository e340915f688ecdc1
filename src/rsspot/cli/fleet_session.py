"""What the commands of fleets share: which stacks, the clients and ledgers of the work, and the matrix at the end."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.plan_options import PlanFlags, plan_options, region_of_settings
from rsspot.cli.session import CliSession
from rsspot.cli.signals import stopped_by_signals
from rsspot.cli_history import shown
from rsspot.errors import UsageError
from rsspot.utils.output import Plain
from rsspot.utils.text import printable

if TYPE_CHECKING:
    from rsspot.applier.options import ApplyOptions
    from rsspot.client.async_client import AsyncSpotClient
    from rsspot.controller.reconciler import RoundOptions
    from rsspot.fleet.members import Fleet, Member
    from rsspot.fleet.work import FleetWork, StackResult
    from rsspot.manifests.manifest import ManifestSet
    from rsspot.state.ledger.protocol import Ledger
    from rsspot.utils.serialization import Document

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


def chosen_stacks(path: Path, flags: FleetFlags) -> tuple[Fleet, tuple[Member, ...]]:
    """The fleet, and the stacks of it that were asked for. Raises UsageError for a report that there is not."""
    from rsspot.fleet.members import chosen, read_fleet

    for each in flags.report:
        if each.partition("=")[0] not in REPORTS or not each.partition("=")[2]:
            raise UsageError(f"--report {printable(each)}: unknown report", hint="write md=FILE or html=FILE")
    fleet = read_fleet(path)
    return fleet, chosen(fleet, flags.only)


def round_options(flags: PlanFlags | None, run: ApplyOptions | None = None) -> RoundOptions:
    """What the work on each stack may do; nothing but look, without flags."""
    from rsspot.controller.reconciler import RoundOptions

    given = {"plan": plan_options(flags) if flags else None, "run": run}
    return RoundOptions(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]


def at_a_time(fleet: Fleet, flags: FleetFlags) -> int:
    """How many stacks are worked on at a time."""
    return flags.stacks_at_a_time or fleet.parallelism


@asynccontextmanager
async def fleet_work(cli: CliSession, options: Any) -> AsyncIterator[FleetWork]:
    """What plans and applies stacks, with clients that are closed at the end."""
    from rsspot.fleet.shared_clients import SharedClients
    from rsspot.fleet.work import FleetWork
    from rsspot.state.ledger import open_ledger

    def ledger(manifests: ManifestSet) -> Ledger:
        url = cli.options.ledger or manifests.stack_spec.ledger or cli.ledger_url or cli.state_path
        return open_ledger(url, create=cli.writes, reading=not cli.writes)

    accounts = SharedClients(lambda profile, organization: _client(cli, profile, organization))
    try:
        yield FleetWork(accounts, ledger, options, region=lambda _: region_of_settings(cli, None))
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


async def told(work: FleetWork, happening: AsyncGenerator[StackResult, None]) -> list[StackResult]:
    """What became of each stack, told on standard error as it comes."""
    results = []
    with stopped_by_signals(work.stop):
        async with aclosing(happening) as coming:
            async for each in coming:
                results.append(each)
                print(f"{printable(each.member.name)}: {result_line(each)}", file=sys.stderr)
    return results


def documents(results: Iterable[StackResult]) -> list[Document]:
    """What became of stacks, as the matrix shows it."""
    from rsspot.fleet.matrix import stack_document

    return [stack_document(each) for each in results]


def result_line(result: StackResult) -> str:
    """What became of a stack, in one line."""
    from rsspot.controller.lines import round_line

    return round_line(result.round)


def end_with(cli: CliSession, fleet: Fleet, stacks: list[Document], reports: list[str]) -> None:
    """Show the matrix, and end with its code."""
    from rsspot.fleet.matrix import exit_code

    show_matrix(cli, fleet, stacks, reports)
    if code := exit_code(stacks):
        raise typer.Exit(code)


def show_matrix(cli: CliSession, fleet: Fleet, stacks: list[Document], reports: list[str]) -> None:
    """Print the matrix, and write the reports."""
    from rsspot.fleet import matrix
    from rsspot.utils.files import write_private

    if cli.options.output in ("json", "yaml"):
        cli.show(Plain(matrix.fleet_document(fleet.name, stacks)))
    else:
        cli.show(Plain(matrix.rows(stacks), address="{stack}", whole=("stack", "outcome", "changes", "drifted")))
    for report in reports:
        name, _, file = report.partition("=")
        text = (matrix.markdown if name == "md" else matrix.html)(fleet.name, stacks)
        write_private(Path(file), text + "\n")
