"""The command watch: plan a stack again and again, and apply what differs with --apply. Contains no rules."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import typer

from rsspot.cli.option_groups import with_groups
from rsspot.cli.option_values import command_of, duration_of
from rsspot.cli.plan_options import (
    PATHS,
    GivenVariables,
    PlanFlags,
    load_manifests,
    plan_options,
    reporting_session,
    with_max_cost,
)
from rsspot.cli.run_options import RunFlags, WaitFlags, apply_options, refuse_event_files
from rsspot.cli.session import CliSession
from rsspot.cli.signals import stopped_by_signals
from rsspot.cli_history import shown
from rsspot.errors import UsageError
from rsspot.utils.text import printable

if TYPE_CHECKING:
    from rsspot.applier.events import Event
    from rsspot.controller.loop import Controller
    from rsspot.controller.notifications import Notifications, Receivers
    from rsspot.controller.repository import Repository
    from rsspot.controller.rounds import DesiredState, Round
    from rsspot.controller.stop import Stop
    from rsspot.manifests.manifest import ManifestSet

    Listener = Callable[[Round], object]
SHORTEST_INTERVAL = 1.0
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class WatchFlags:
    """How often it looks, where the manifests come from, and who is told."""

    apply: bool = typer.Option(False, "--apply", help="Apply what differs, with the guards of any apply.")
    interval: str = shown(
        typer.Option("5m", "--interval", metavar="DURATION", help="Time from the end of a round to the next.")
    )
    jitter: int = shown(
        typer.Option(10, "--jitter", min=0, max=100, metavar="PERCENT", help="Share of it that chance adds or takes.")
    )
    rounds: int | None = shown(typer.Option(None, "--rounds", min=1, help="End after so many rounds."))
    git: str | None = typer.Option(
        None, "--git", metavar="URL@REF", help="Fetch this branch, tag or commit each round; paths are inside of it."
    )
    listen: str | None = shown(
        typer.Option(
            None,
            "--listen",
            metavar="[HOST:]PORT",
            help="Answer /healthz, /readyz and /metrics here; on this machine alone unless a host is given.",
        )
    )
    notify_cmd: str | None = typer.Option(
        None,
        "--notify-cmd",
        metavar="CMD",
        help="Run this program, without a shell, with a round that is news as JSON on its standard input.",
    )
    notify_url: str | None = typer.Option(
        None,
        "--notify-url",
        metavar="URL",
        help="Post such rounds here, signed with RSSPOT_NOTIFY_SECRET if it is set.",
    )


@with_groups
def watch(
    paths: list[Path] = PATHS,
    *,
    watching: WatchFlags,
    flags: PlanFlags,
    given: GivenVariables,
    run: RunFlags,
    waiting: WaitFlags,
) -> None:
    """Plan a stack again and again and tell where it differs; apply that with --apply. Ends when it is asked to."""
    cli = reporting_session()
    refuse_event_files(waiting)
    interval = _interval("--interval", watching.interval)
    cli.run(_watch(cli, paths, watching, flags, given, apply_options(cli, run, waiting), interval))


COMMANDS: dict[str, Any] = {"watch": watch}


async def _watch(
    cli: CliSession,
    paths: list[Path],
    watching: WatchFlags,
    flags: PlanFlags,
    given: GivenVariables,
    run: Any,
    interval: float,
) -> None:
    from rsspot.controller.interval import Interval
    from rsspot.controller.loop import Controller, ControllerOptions
    from rsspot.controller.notifications import Notifications
    from rsspot.controller.reconciler import RoundOptions
    from rsspot.controller.stop import Stop
    from rsspot.state.ledger import open_ledger

    receivers = _receivers(watching)
    async with _source(cli, paths, watching.git, given) as read:
        first = (await read()).manifests
        options = ControllerOptions(
            RoundOptions(watching.apply, with_max_cost(plan_options(flags), flags.max_cost, first), run),
            Interval(interval, watching.jitter / 100),
            most_rounds=watching.rounds,
        )
        async with _listeners(cli, watching.listen) as listeners:
            stop = Stop()
            controller = Controller(
                cli.client,
                lambda: open_ledger(cli.ledger_url or cli.state_path),
                read,
                options,
                stop=stop,
                on_event=_printer(cli),
            )
            await _until_asked(controller, stop, listeners, Notifications(receivers))


async def _until_asked(
    controller: Controller, stop: Stop, listeners: list[Listener], notifications: Notifications
) -> None:
    """Tell of each round until a signal ends it, which is how it is meant to end."""
    with stopped_by_signals(stop):
        try:
            async with aclosing(controller.rounds()) as rounds:
                async for each in rounds:
                    for listener in listeners:
                        listener(each)
                    if complaint := await notifications.add(each):
                        print(f"warning: {printable(complaint)}", file=sys.stderr)
        except asyncio.CancelledError:
            if not stop.asked:
                raise


@asynccontextmanager
async def _source(
    cli: CliSession, paths: list[Path], git: str | None, given: GivenVariables
) -> AsyncIterator[Callable[[], Awaitable[DesiredState]]]:
    """What reads the manifests: those of paths, or of a repository that is fetched first."""
    from rsspot.controller.rounds import DesiredState

    if git is None:

        async def read() -> DesiredState:
            return DesiredState(load_manifests(cli, paths, given.var, given.var_file))

        yield read
        return
    from rsspot.controller.repository import GitAddress, Repository

    address = GitAddress.parse(git)
    _require_inside(paths)
    with tempfile.TemporaryDirectory(prefix="rsspot-watch-") as folder:
        repository = Repository(address, Path(folder))

        async def fetch() -> DesiredState:
            stale = await repository.update()
            return DesiredState(_load_inside(cli, repository, paths, given), repository.revision, stale)

        yield fetch


def _require_inside(paths: list[Path]) -> None:
    for path in paths:
        if path.is_absolute() or ".." in path.parts:
            raise UsageError(f"{path} is not inside the repository", hint="give paths relative to its root")


def _load_inside(cli: CliSession, repository: Repository, paths: list[Path], given: GivenVariables) -> ManifestSet:
    """The manifests of the checkout."""
    places = [repository.folder / path for path in paths] or [repository.folder]
    files = [repository.folder / each for each in given.var_file]
    return load_manifests(cli, places, given.var, files)


@asynccontextmanager
async def _listeners(cli: CliSession, listen: str | None) -> AsyncIterator[list[Listener]]:
    """What hears of each round: standard output, and the endpoints while they answer."""
    if listen is None:
        yield [_teller(cli)]
        return
    from rsspot.controller.endpoints import Endpoints, Health
    from rsspot.controller.metrics import Metrics

    health, metrics = Health(), Metrics()
    endpoints = Endpoints(*_address(listen), health, metrics)
    async with endpoints.serving():
        yield [health.add, metrics.add, _teller(cli)]


def _teller(cli: CliSession) -> Listener:
    """Prints each round: a line for people, or a line of JSON."""
    from rsspot.controller.lines import round_document, round_line
    from rsspot.utils.output import as_json_line

    if cli.options.output == "json":
        return lambda ended: print(as_json_line(round_document(ended)), flush=True)
    return lambda ended: print(round_line(ended), flush=True)


def _printer(cli: CliSession) -> Callable[[Event], None]:
    """Prints what a run does, as an apply does it."""
    from rsspot.reports.registry import report_for

    report = report_for(cli.options.output, color=False, verbose=bool(cli.options.verbose))
    clock = cli.clock
    began = clock.monotonic()

    def show(event: Event) -> None:
        line = report.event(event, clock.monotonic() - began)
        if line is not None:
            print(line, flush=True)

    return show


def _receivers(watching: WatchFlags) -> Receivers:
    """Who is told of rounds that are news. Raises UsageError."""
    from rsspot.controller.notifications import Receivers

    command = command_of("--notify-cmd", watching.notify_cmd)
    if watching.notify_url and urlsplit(watching.notify_url).scheme not in ("http", "https"):
        raise UsageError("--notify-url is no http:// or https:// URL")
    return Receivers(tuple(command), watching.notify_url, os.environ.get("RSSPOT_NOTIFY_SECRET"))


def _address(text: str) -> tuple[str, int]:
    """A host and a port. Raises UsageError."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65_535:
        raise UsageError(f"--listen: {printable(text)!r} is no address", hint="write a port, or HOST:PORT")
    return host.strip("[]") or LOOPBACK, int(port)


def _interval(option: str, text: str) -> float:
    """A length of time. Raises UsageError for one that is none or too short."""
    seconds = duration_of(option, text)
    if seconds < SHORTEST_INTERVAL:
        raise UsageError(f"{option}: {text} is too short", hint=f"the shortest is {SHORTEST_INTERVAL:g}s")
    return seconds
