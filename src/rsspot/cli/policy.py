"""The command `policy test`: runs the tests of policies, whose manifests are planned on a simulator of their own."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.grammar import App
from rsspot.cli.policy_sandbox import planned_alone
from rsspot.cli.session import session
from rsspot.cli_history import shown
from rsspot.errors import UsageError
from rsspot.utils.files import write_private
from rsspot.utils.text import printable

if TYPE_CHECKING:
    from rsspot.planner.policy import PolicyResult
    from rsspot.policies.cases import CaseOutcome, FoundCase

app = App(help="Test the policies that plans have to hold to.")
FAILED = 1


@app.callback()
def policy() -> None:
    """Test the policies that plans have to hold to."""


@app.command()
def test(
    paths: list[Path] = shown(
        typer.Argument(None, metavar="PATH", help="Files *.test.yaml, and folders with some.", show_default=False)
    ),
    junit: Path | None = shown(
        typer.Option(None, "--junit", metavar="FILE", help="Also write the results to this file, as JUnit XML.")
    ),
) -> None:
    """Run the tests of policies: plans, changes or manifests, and which policies do not hold for them.

    Exits with 1 if a test fails. Contacts no service: manifests are planned on a simulator of their own.
    """
    from rsspot.policies.case_report import junit_of, line_of, tally_of
    from rsspot.policies.cases import found_cases
    from rsspot.policies.evaluation import INSTALL, library_folder

    cli = session()
    if not paths:
        raise UsageError("no tests given", hint="give files or folders, such as policies/")
    if library_folder() is None:
        raise UsageError("the library that evaluates policies is not installed", hint=f"run: {INSTALL}")
    outcomes = [_outcome(each) for each in found_cases(paths)]
    if cli.options.output == "table":
        for each in outcomes:
            print(printable(line_of(each)))
        print(tally_of(outcomes))
    else:
        cli.emit([_row(each) for each in outcomes])
    if junit:
        _write(junit, junit_of(outcomes))
    if any(each.faults for each in outcomes):
        raise typer.Exit(FAILED)


COMMANDS = {"policy": app}


def _outcome(found: FoundCase) -> CaseOutcome:
    return found.outcome(_results(found))


def _results(found: FoundCase) -> tuple[PolicyResult, ...]:
    from rsspot.policies.cases import results_of_changes
    from rsspot.policies.evaluation import evaluate
    from rsspot.policies.variables import variables_of
    from rsspot.workflows.saved_plan import read_plan

    if found.case.changes is not None:
        return results_of_changes(found)
    if found.case.plan is not None:
        plan = read_plan(found.path(found.case.plan))
        own = tuple(each.policy for each in plan.policies)
    else:
        with TemporaryDirectory() as folder:
            plan, own = planned_alone(found, Path(folder))
    return evaluate(found.judged_by(own), variables_of(plan), plan.changes)


def _row(outcome: CaseOutcome) -> dict[str, Any]:
    return {
        "file": str(outcome.file),
        "name": outcome.name,
        "passed": not outcome.faults,
        "faults": list(outcome.faults),
    }


def _write(file: Path, text: str) -> None:
    try:
        write_private(file, text + "\n", follow=False)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror or error}") from None
