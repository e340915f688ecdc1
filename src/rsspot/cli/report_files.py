"""The options that say how a plan is shown, and where it is written to besides. Renders nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rsspot.cli.plan_display import PlanDisplay
from rsspot.cli_history import shown
from rsspot.errors import UsageError
from rsspot.reports.registry import PLAN_FORMATS, REPORTS, SHORT_NAMES, WITH_PAST_PRICES
from rsspot.utils.text import did_you_mean

if TYPE_CHECKING:
    from rsspot.cli.session import CliSession
    from rsspot.reports.protocol import Detail

STANDARD_OUTPUT = "-"


@dataclass(frozen=True)
class DetailFlags:
    """How much of each change is shown."""

    compact: bool = typer.Option(False, "--compact", help="Show one line for each change.")
    full: bool = typer.Option(False, "--full", help="Show every field, and shorten nothing.")

    @property
    def detail(self) -> Detail:
        """How much of each change to show. Raises UsageError for both options at once."""
        from rsspot.reports.protocol import Detail

        if self.compact and self.full:
            raise UsageError("cannot combine --compact with --full", hint="give one of them")
        return Detail.COMPACT if self.compact else Detail.FULL if self.full else Detail.NORMAL


@dataclass(frozen=True)
class ReportFlags(DetailFlags):
    """How a plan is shown, and where else."""

    report: list[str] = shown(
        typer.Option(
            [],
            "--report",
            metavar="FORMAT[=FILE]",
            help="Also write the plan as text, markdown (md), html, json, yaml, sarif or junit. May be repeated;"
            " without a file it goes to standard output.",
        )
    )


def take_reports(cli: CliSession, flags: ReportFlags) -> PlanDisplay:
    """What the options ask for. A report for standard output becomes the output format of the command.

    Raises UsageError for an unknown format, and for two that would be written to the same place.
    """
    wanted = list(_wanted(flags.report))
    printed = [name for name, file in wanted if file is None]
    files = {file: name for name, file in wanted if file is not None}
    if len(printed) > 1 or (printed and cli.options.output != "table"):
        raise UsageError("only one report can go to standard output", hint="name a file: --report FORMAT=FILE")
    if len(files) + len(printed) < len(wanted):
        raise UsageError("two reports would be written to the same file", hint="name a file for each")
    if printed:
        cli.options.output = printed[0]
    past = WITH_PAST_PRICES.intersection([*files.values(), cli.options.output])
    cli.plan_display = PlanDisplay(flags.detail, tuple(files.items()), bool(past))
    return cli.plan_display


def _wanted(options: list[str]) -> Iterator[tuple[str, Path | None]]:
    """Each report: its format, and its file; None for standard output."""
    known = list(dict.fromkeys([*PLAN_FORMATS, *REPORTS, *SHORT_NAMES]))
    for option in options:
        word, equals, place = option.partition("=")
        name = SHORT_NAMES.get(word, word)
        if word not in known:
            hint = f"use one of: {', '.join(known)}"
            close = did_you_mean(word, known)
            raise UsageError(f"unknown format {word!r} of a report", hint=f"{close} {hint}" if close else hint)
        if equals and not place:
            raise UsageError(f"--report {option} names no file", hint=f"write --report {word}=FILE")
        yield name, None if place in ("", STANDARD_OUTPUT) else Path(place)
