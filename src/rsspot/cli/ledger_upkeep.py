"""The `ledger` commands that check the ledger, shorten it, and move it to another machine."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rsspot.cli import errors
from rsspot.cli.documents import STANDARD, read_document, write_document
from rsspot.cli.prompts import YES, confirm
from rsspot.cli.session import session
from rsspot.cli_history import shown
from rsspot.errors import UsageError
from rsspot.utils.durations import EXAMPLES, seconds_of
from rsspot.utils.text import printable

if TYPE_CHECKING:
    from rsspot.state.verification import LedgerFinding

TEXT = ("table", "wide")
"""The formats in which a result is told in sentences."""
MOST_BYTES = 512 * 1024 * 1024
"""The largest exported ledger that is read. 100 runs of 10,000 objects each are larger: prune first."""
WHOLE = "Nothing is wrong with the ledger."
OUT = shown(typer.Argument(Path(STANDARD), metavar="FILE", help="File to write; default: standard output."))
IN = shown(typer.Argument(metavar="FILE", help="File written by `ledger export`; - reads standard input."))
KEEP = shown(typer.Option(..., "--keep", metavar="DURATION", help="The age to keep, such as 12h, 30d or 8w."))


def verify() -> None:
    """Check every record of the ledger and change nothing. Exits with 1 if one cannot be right."""
    from rsspot.state.verification import Weight, verify_at

    here = session()
    findings = verify_at(here.ledger_url or here.state_path)
    broken = any(each.weight is Weight.ERROR for each in findings)
    if here.options.output in TEXT:
        here.emit("\n".join(line for each in findings for line in _lines(each)) or WHOLE)
    else:
        here.emit({"ok": not broken, "findings": [asdict(each) for each in findings]})
    if broken:
        raise typer.Exit(errors.ERROR)


def _lines(finding: LedgerFinding) -> list[str]:
    lead = f"{finding.weight:<5} {finding.what}: {finding.message}"
    return [printable(lead), printable(f"      hint: {finding.hint}")]


def prune(
    keep: str = KEEP,
    dry_run: bool = typer.Option(False, "--dry-run", help="Only show what would go."),
    yes: bool = YES,
) -> None:
    """Forget old runs, with their steps and attempts, and give their space back.

    Kept whatever its age: a run that is open or to be looked up, the run that made or changed an object last, the last
    run, and every registration.
    """
    here = session()
    before = _before(keep, here.clock.now())
    with here.state() as state:
        pruned = state.prune(before, dry_run=True)
        if pruned.runs and not dry_run:
            if not yes:
                confirm(f"forget {_counted(len(pruned.runs), 'run')}")
            pruned = state.prune(before)
        freed = state.compact() if pruned.runs and not dry_run else 0
    numbers = [run.id for run in pruned.runs]
    told = {"forgotten": numbers, "steps": pruned.steps, "attempts": pruned.attempts, "freedBytes": freed}
    if here.options.output not in TEXT:
        here.emit({**told, "dryRun": dry_run})
        return
    here.emit(_sentence(len(numbers), pruned.steps, pruned.attempts, freed, dry_run=dry_run))


def _before(keep: str, now: datetime) -> datetime:
    try:
        length = seconds_of(keep)
        if length <= 0:
            raise ValueError(f"{keep!r} would keep nothing")
        return now - timedelta(seconds=length)
    except ValueError as error:
        raise UsageError(str(error), hint=EXAMPLES) from None
    except OverflowError:
        # Longer than there have been dates.
        return datetime.min.replace(tzinfo=UTC)


def _sentence(runs: int, steps: int, attempts: int, freed: int | None, *, dry_run: bool) -> str:
    if not runs:
        return "No run is old enough."
    lead = "Would forget" if dry_run else "Forgot"
    told = f"{lead} {_counted(runs, 'run')}, with {_counted(steps, 'step')} and {_counted(attempts, 'attempt')}."
    if dry_run:
        return told
    return f"{told} " + ("Their space is used again." if freed is None else f"Gave {freed // 1024} KiB back.")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def export(file: Path = OUT) -> None:
    """Write all runs, owned objects and registrations as one JSON document, which holds no secret."""
    with session().state() as state:
        document = state.export_ledger()
    write_document(file, document)


def import_(file: Path = IN) -> None:
    """Merge an exported ledger into this one: all of it or nothing. Importing it again changes nothing.

    A run whose number is taken gets another one. Of an owned object, the record of the newer run counts.
    """
    document = read_document(file, most=MOST_BYTES)
    with session().state(create=True) as state:
        session().emit({"taken": state.import_ledger(document)})


def copy(
    source: str = shown(typer.Argument(metavar="SRC", help="Ledger to copy: a file or postgresql://….")),
    target: str = shown(typer.Argument(metavar="DST", help="Ledger to fill, which holds nothing yet.")),
) -> None:
    """Copy a whole ledger into an empty one, such as a file into PostgreSQL or back, and prove that both are the same.

    Nothing is kept of a copy that fails. Use the copy from then on, everywhere: the two know nothing of each other.
    """
    from rsspot.state.ledger.copying import copy_ledger

    here = session()
    counts = copy_ledger(source, target, here.clock.now())
    if here.options.output in TEXT:
        told = ", ".join(f"{number} {table.replace('_', ' ')}" for table, number in counts.items())
        here.emit(f"Copied and compared: {told}.")
    else:
        here.emit({"copied": counts})


def migrate() -> None:
    """Make the tables of the ledger, or bring them up to date, as the owner of a shared ledger does for all others."""
    from rsspot.state.ledger import open_database

    here = session()
    with closing(open_database(here.ledger_url or here.state_path)) as database:
        here.emit({"ledger": database.name, "upToDate": True})


COMMANDS = (verify, prune, export, import_, copy, migrate)
