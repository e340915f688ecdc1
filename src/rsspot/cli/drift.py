"""The command drift: what somebody else did to a stack since it was applied. Contains no rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli import errors
from rsspot.cli.option_groups import with_groups
from rsspot.cli.option_values import command_of, duration_of
from rsspot.cli.plan_options import PATHS, GivenVariables, load_manifests, reporting_session, stack_name
from rsspot.cli.reconcile import check_named
from rsspot.cli.report_files import ReportFlags, take_reports
from rsspot.cli.running import show_plan, write_reports
from rsspot.cli.session import CliSession
from rsspot.cli_history import shown
from rsspot.errors import UsageError

if TYPE_CHECKING:
    from rsspot.planner.plan import Plan

NOTIFY_ON = ("drift", "unapplied", "always")


@dataclass(frozen=True)
class NotifyFlags:
    """Which program is told, when, and how long it may take."""

    notify_cmd: str | None = typer.Option(
        None,
        "--notify-cmd",
        metavar="CMD",
        help="Run this program, without a shell, with the report as JSON on its standard input.",
    )
    notify_on: str = shown(
        typer.Option(
            "drift",
            "--notify-on",
            metavar="WHEN",
            help="drift, unapplied (also for what is declared and not applied yet), or always.",
        )
    )
    notify_timeout: str = shown(
        typer.Option("30s", "--notify-timeout", metavar="DURATION", help="How long the program may take.")
    )


@dataclass(frozen=True)
class _Notification:
    """command: the program and its arguments; none if nobody is told · timeout: seconds"""

    command: list[str]
    when: str
    timeout: float

    def is_wanted(self, plan: Plan) -> bool:
        """Whether the program is told of a report."""
        found = plan.drifted or (self.when == "unapplied" and not plan.empty)
        return bool(self.command) and (self.when == "always" or bool(found))


@with_groups
def drift(
    paths: list[Path] = PATHS,
    stack: str | None = shown(
        typer.Option(None, "--stack", help="The name of the stack, instead of manifests: the ledger alone is compared.")
    ),
    prune: bool = typer.Option(
        False, "--prune", help="Take what no manifest declares any more for not applied yet, as `apply --prune` does."
    ),
    unapplied: bool = typer.Option(
        False, "--unapplied", help="Exit with 2 also for what is declared and not applied yet."
    ),
    target: list[str] = shown(
        typer.Option([], "--target", metavar="GLOB", help="Look only at objects with such an address. May be repeated.")
    ),
    exclude: list[str] = shown(
        typer.Option([], "--exclude", metavar="GLOB", help="Look at no objects with such an address. May be repeated.")
    ),
    *,
    given: GivenVariables,
    notifying: NotifyFlags,
    reports: ReportFlags,
) -> None:
    """Show what somebody else changed, deleted or made since the last apply. Cannot write: every write is refused.

    What is declared by now and not applied yet is told apart. Exits with 2 if there is drift.
    """
    cli = reporting_session(findings=True)
    take_reports(cli, reports)
    notification = _notification(notifying)
    selection = {"prune": prune, "target": tuple(target), "exclude": tuple(exclude)}
    report = cli.run(_found(cli, paths, stack, given, selection))
    show_plan(cli, report)
    write_reports(cli, report)
    if notification.is_wanted(report):
        from rsspot.planner.codec import dump_plan
        from rsspot.workflows.notification import notify

        notify(notification.command, dump_plan(report), timeout=notification.timeout)
    if report.drifted or (unapplied and not report.empty):
        raise typer.Exit(errors.CHANGES)


COMMANDS: dict[str, Any] = {"drift": drift}


def _found(
    cli: CliSession,
    paths: list[Path],
    stack: str | None,
    given: GivenVariables,
    selection: dict[str, Any],
) -> Any:
    """Looks for drift by manifests, or by the ledger alone. Manifests are read at once."""
    from rsspot.planner.options import PlanOptions
    from rsspot.workflows.drift import find_drift, find_recorded_drift

    options = PlanOptions(**selection)
    if stack is not None and (paths or any(selection.values())):
        raise UsageError("cannot combine --stack with manifests or a selection", hint="give --stack alone")
    name = stack_name(stack) if stack is not None else None
    manifests = load_manifests(cli, paths, given.var, given.var_file) if name is None else None
    if manifests is not None:
        check_named(manifests, options)

    async def found() -> Plan:
        if manifests is not None:
            return await find_drift(cli.client, cli.reading_ledger, manifests, options=options)
        return await find_recorded_drift(cli.client, cli.whole_ledger, str(name))

    cli.client.session.read_only = True
    cli.client.ledger = cli.whole_ledger if name is not None else cli.reading_ledger
    return found()


def _notification(flags: NotifyFlags) -> _Notification:
    """Raises UsageError for what is no command, no time or no length of time."""
    if flags.notify_on not in NOTIFY_ON:
        raise UsageError(f"--notify-on takes {', '.join(NOTIFY_ON)}, not {flags.notify_on!r}")
    timeout = duration_of("--notify-timeout", flags.notify_timeout)
    return _Notification(command_of("--notify-cmd", flags.notify_cmd), flags.notify_on, timeout)
