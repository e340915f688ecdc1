"""The options of a run, and what is made of them. Runs no command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rsspot.cli.session import CliSession
from rsspot.cli_history import shown
from rsspot.errors import UsageError
from rsspot.resources.waiting import STEP_SECONDS, WAIT_SECONDS
from rsspot.utils.text import did_you_mean

if TYPE_CHECKING:
    from rsspot.applier.options import ApplyOptions

WAITS = ("ready", "accepted", "none")
PHASES = ("ready", "partial", "progressing", "outbid", "no-capacity", "failed")
"""What can be waited for."""
DEADLINE = shown(
    typer.Option(None, "--deadline", min=0, metavar="SECONDS", help="Start no further changes after this many seconds.")
)
PARALLELISM = shown(typer.Option(8, "--parallelism", min=1, max=64, help="Maximum number of steps at the same time."))
GONE = "gone"


@dataclass(frozen=True)
class WaitFlags:
    """How a run, or a wait alone, waits for an object, and where else it tells what happens."""

    wait_for: str = shown(
        typer.Option("ready", "--wait-for", metavar="PHASE", help=f"How far an object has to be: {', '.join(PHASES)}.")
    )
    wait_timeout: float = shown(
        typer.Option(
            WAIT_SECONDS, "--wait-timeout", min=0, metavar="SECONDS", help="Maximum seconds to wait for each object."
        )
    )
    verbose_events: bool = typer.Option(False, "--verbose-events", help="Print every event, also of many objects.")
    events: Path | None = shown(
        typer.Option(None, "--events", metavar="FILE", help="Also write each event to this file, as a line of JSON.")
    )
    result: Path | None = shown(
        typer.Option(None, "--result", metavar="FILE", help="Also write how it ended to this file, as JSON.")
    )


@dataclass(frozen=True)
class RunFlags:
    """What a run waits for, how many steps it does at a time, and when it stops."""

    wait: str = shown(
        typer.Option(
            "ready", "--wait", metavar="WHAT", help="What to wait for after each step: ready, accepted or none."
        )
    )
    step_timeout: float = shown(
        typer.Option(
            STEP_SECONDS,
            "--step-timeout",
            min=0,
            metavar="SECONDS",
            help="Seconds after which a change that did not go through is not tried again.",
        )
    )
    parallelism: int = PARALLELISM
    fail_fast: bool = typer.Option(
        False,
        "--fail-fast/--continue-on-error",
        help="Begin no further step once one has failed; otherwise only what depends on it is skipped.",
    )
    deadline: float | None = DEADLINE


def apply_options(cli: CliSession, run: RunFlags, waiting: WaitFlags) -> ApplyOptions:
    """How a run waits and when it stops. Raises UsageError for a word that an option does not take."""
    from dataclasses import replace

    _require_one_of("--wait", run.wait, WAITS)
    _require_one_of("--wait-for", waiting.wait_for, PHASES)
    return replace(
        wait_options(cli, waiting),
        wait=run.wait,
        step_timeout=run.step_timeout,
        parallel=run.parallelism,
        fail_fast=run.fail_fast,
        deadline=run.deadline,
    )


def wait_options(cli: CliSession, waiting: WaitFlags) -> ApplyOptions:
    """How objects are waited for. Raises UsageError for a phase that there is not, and for a file of no use."""
    from rsspot.applier.options import ApplyOptions
    from rsspot.cli.event_file import EventFiles

    _refuse_yaml(cli)
    _require_one_of("--wait-for", waiting.wait_for, (*PHASES, GONE))
    cli.every_event = waiting.verbose_events
    cli.event_files = EventFiles(waiting.events, waiting.result)
    wanted = "ready" if waiting.wait_for == GONE else waiting.wait_for
    return ApplyOptions(wait_for=wanted, wait_timeout=waiting.wait_timeout)


def refuse_event_files(waiting: WaitFlags) -> None:
    """Raise UsageError for files that tell of one run, where there are many."""
    if waiting.events is not None or waiting.result is not None:
        option = "--events" if waiting.events is not None else "--result"
        raise UsageError(f"{option} is about one run, and here are many", hint="use -o json")


def quick_options(cli: CliSession, parallelism: int, deadline: float | None) -> ApplyOptions:
    """The options of a run that waits for nothing."""
    from rsspot.applier.options import ApplyOptions, WaitMode

    _refuse_yaml(cli)
    return ApplyOptions(wait=WaitMode.NONE, wait_timeout=0, parallel=parallelism, deadline=deadline)


def _refuse_yaml(cli: CliSession) -> None:
    """Raise UsageError for a format that events cannot be printed in."""
    if cli.options.output == "yaml":
        raise UsageError("the events of a run cannot be printed as YAML", hint="leave -o yaml out, or use -o json")


def _require_one_of(option: str, word: str, words: tuple[str, ...]) -> None:
    """Raise UsageError for a word that an option does not take."""
    if word not in words:
        listed = f"{', '.join(words[:-1])} or {words[-1]}"
        raise UsageError(f"{option} takes {listed}, not {word!r}", hint=did_you_mean(word, words))
