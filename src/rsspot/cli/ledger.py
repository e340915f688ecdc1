"""The ledger as commands: runs, their steps, and registrations. Reads only."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from rsspot.cli.app import SETTINGS
from rsspot.cli.session import session
from rsspot.errors import UsageError

app = typer.Typer(help="What was applied, step by step.", **SETTINGS)


@app.command()
def runs() -> None:
    """List every apply and destroy, the newest first."""
    here = session()
    here.emit([asdict(run) for run in here.reading_ledger.runs()])


@app.command()
def show(run: int | None = typer.Argument(None, help="The run's number; the last one when left out.")) -> None:
    """Show the steps of one run and what each attempt came to."""
    here = session()
    ledger = here.reading_ledger
    known = {each.id: each for each in ledger.runs()}
    if not known:
        raise UsageError("the ledger knows no run yet")
    number = run if run is not None else max(known)
    if number not in known:
        raise UsageError(f"the ledger knows no run {number}", hint="`rsspot ledger runs` lists them")
    attempts: dict[int, list[dict[str, Any]]] = {}
    for attempt in ledger.attempts(number):
        attempts.setdefault(attempt.seq, []).append(asdict(attempt))
    steps = ledger.steps(number)
    if here.options.output != "table":
        here.emit(
            {"run": asdict(known[number]), "steps": [{**asdict(s), "attempts": attempts.get(s.seq, [])} for s in steps]}
        )
        return
    found = known[number]
    ended = found.outcome or "not finished"
    print(f"run {found.id} ({found.command}) of {found.scope}: {ended}, begun {found.started_at}")
    here.emit(
        [
            {
                "step": step.seq,
                "address": step.address,
                "verb": step.verb,
                "state": step.state.value,
                "ready": step.readiness,
                "attempts": len(attempts.get(step.seq, [])),
                "detail": step.detail,
            }
            for step in steps
        ]
    )


@app.command()
def registrations() -> None:
    """List every machine that was ever to be registered, and how far it got."""
    here = session()
    columns = ("vm_name", "vmcloudspace", "omni_cluster", "status", "token_id", "last_error", "updated_at")
    records = [asdict(record) for record in here.reading_ledger.registrations()]
    here.emit(
        [{name: record[name] for name in columns} for record in records] if here.options.output == "table" else records
    )


COMMANDS = {"ledger": app}
