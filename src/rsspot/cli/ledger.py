"""The `ledger` commands: runs, their steps, and registrations. Read-only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import typer

from rsspot.cli.grammar import App
from rsspot.cli.printing import DOCUMENTS
from rsspot.cli.session import session
from rsspot.cli_history import shown
from rsspot.errors import UsageError, not_found
from rsspot.state.ledger.protocol import StepRecord
from rsspot.state.ledger.registrations import RegistrationStatus
from rsspot.utils.output import Plain
from rsspot.utils.serialization import Document
from rsspot.utils.text import printable

app = App(help="Show past runs, step by step.")


@app.command()
def runs() -> None:
    """List every apply and destroy, newest first."""
    here = session()
    runs = [asdict(run) for run in here.reading_ledger.runs()]
    here.show(Plain(runs, address="{id}", extra=("plan_digest",), whole=("id", "scope", "command", "outcome")))


@app.command()
def show(run: int | None = shown(typer.Argument(None, help="Number of the run; default: the last one."))) -> None:
    """Show the steps of one run and the result of each attempt."""
    here = session()
    ledger = here.reading_ledger
    runs_by_id = {run.id: run for run in ledger.runs()}
    if not runs_by_id:
        raise not_found("the ledger has no runs yet")
    number = run if run is not None else max(runs_by_id)
    if number not in runs_by_id:
        raise not_found(f"the ledger has no run {number}", hint="list the runs with `rsspot ledger runs`")
    attempts: dict[int, list[dict[str, Any]]] = {}
    for attempt in ledger.attempts(number):
        attempts.setdefault(attempt.seq, []).append(asdict(attempt))
    shown = runs_by_id[number]
    steps = ledger.steps(number)
    plan = ledger.plan(number)
    made_by = ledger.made_by(number)
    if here.options.output.partition("=")[0] in DOCUMENTS:
        listed = [{**asdict(step), "attempts": attempts.get(step.seq, [])} for step in steps]
        here.emit({"run": asdict(shown), "madeBy": made_by, "steps": listed, "changes": plan.get("changes", [])})
        return
    if here.options.output in ("table", "wide"):
        outcome = shown.outcome or "not finished"
        print(printable(f"run {shown.id} ({shown.command}) of {shown.scope}: {outcome}, started {shown.started_at}"))
        for line in (*(f"{name}: {value}" for name, value in made_by.items()), *_fields(plan)):
            print(printable(line))
    rows = [_step_row(step, len(attempts.get(step.seq, []))) for step in steps]
    here.show(Plain(rows, address="{address}", whole=("step", "address", "verb", "state")))


def _step_row(step: StepRecord, attempts: int) -> dict[str, Any]:
    return {
        "step": step.seq,
        "address": step.address,
        "verb": step.verb,
        "state": step.state.value,
        "ready": step.readiness,
        "attempts": attempts,
        "detail": step.detail,
    }


def _fields(plan: Document) -> Iterator[str]:
    """What the plan of a run changes, field by field."""
    from rsspot.planner.codec import load_plan
    from rsspot.reports.text import render_changes

    try:
        saved = load_plan(plan, sealed=False)
    except UsageError:
        # Of another version of rsspot, which wrote plans of another form.
        return
    yield from render_changes(saved)


@app.command()
def registrations() -> None:
    """List every machine that registration has started for, and its status."""
    here = session()
    columns = ("vm_name", "vmcloudspace", "omni_cluster", "status", "token_id", "last_error", "updated_at")
    records = [asdict(record) for record in here.reading_ledger.registrations()]
    for record in records:
        # An error of an earlier attempt says nothing about a machine that is registered by now.
        if record["status"] == RegistrationStatus.REGISTERED:
            record["last_error"] = None
    here.emit(
        [{name: record[name] for name in columns} for record in records] if here.options.output == "table" else records
    )


COMMANDS = {"ledger": app}
