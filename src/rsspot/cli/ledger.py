"""The `ledger` commands that show runs, their steps and attempts, and registrations. Read-only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import Any

import typer

from rsspot.cli import ledger_upkeep
from rsspot.cli.grammar import App
from rsspot.cli.printing import DOCUMENTS
from rsspot.cli.session import CliSession, session
from rsspot.cli_history import shown
from rsspot.errors import UsageError, not_found
from rsspot.state.ledger.plans import CUT
from rsspot.state.ledger.protocol import AttemptRecord, Ledger, RunRecord, StepRecord, StepState
from rsspot.state.ledger.registrations import RegistrationStatus
from rsspot.utils.output import Plain
from rsspot.utils.serialization import Document
from rsspot.utils.text import did_you_mean, printable

app = App(help="Show past runs, step by step; check, shorten and move the ledger.")
RUN = shown(typer.Argument(None, help="Number of the run; default: the last one."))
FIRST = ("id", "stack", "command", "outcome", "steps", "started_at", "ended_at", "user", "host")


@app.command()
def runs(
    stack: str | None = shown(typer.Option(None, "--stack", help="Only the runs of this stack.")),
    limit: int | None = shown(typer.Option(None, "--limit", min=1, help="How many runs to list; default: all.")),
    unfinished: bool = typer.Option(False, "--open", help="Only runs that go on, or were killed."),
) -> None:
    """List every apply and destroy, newest first: what became of it, and who started it."""
    here = session()
    ledger = here.whole_ledger
    found = ledger.runs(stack=stack, unfinished=unfinished, limit=limit)
    rows = [_run_row(run, ledger.step_counts(run.id), document=_as_document(here)) for run in found]
    extra = ("scope", "plan_digest", "ci", "commit")
    here.show(Plain(rows, address="{id}", first=FIRST, extra=extra, whole=("id", "stack", "command", "outcome")))


@app.command()
def show(run: int | None = RUN) -> None:
    """Show who ran what and when, each field before and after, and how each step of one run ended."""
    here = session()
    ledger = here.whole_ledger
    record = _run(ledger, run)
    steps, attempts, plan = ledger.steps(record.id), _attempts(ledger, record.id), ledger.plan(record.id)
    if _as_document(here):
        listed = [_step_document(step, attempts) for step in steps]
        told = {name: value for name, value in asdict(record).items() if name != "made_by"}
        here.emit({"run": told, "madeBy": record.made_by, "steps": listed, "changes": plan.get("changes", [])})
        return
    if here.options.output in ledger_upkeep.TEXT:
        for line in (*_heading(record), *_fields(plan)):
            print(printable(line))
    rows = [_step_row(step, len(attempts.get(step.seq, []))) for step in steps]
    here.show(Plain(rows, address="{address}", whole=("step", "address", "verb", "state")))


@app.command()
def steps(
    run: int | None = RUN,
    address: str | None = shown(
        typer.Option(None, "--address", metavar="GLOB", help="Only objects like this, such as 'spotnodepool/edge/*'.")
    ),
    state: list[str] = shown(
        typer.Option([], "--state", help=f"Only steps in this state: {', '.join(StepState)}; may be repeated.")
    ),
) -> None:
    """List the steps of one run with each request that was sent for them: when, and what came back."""
    here = session()
    wanted = _states(state)
    ledger = here.whole_ledger
    record = _run(ledger, run)
    attempts = _attempts(ledger, record.id)
    found = [
        step
        for step in ledger.steps(record.id)
        if step.state in wanted and (address is None or fnmatchcase(step.address, address))
    ]
    if _as_document(here):
        here.emit([_step_document(step, attempts) for step in found])
        return
    rows = [row for step in found for row in _attempt_rows(step, attempts.get(step.seq, []))]
    here.show(Plain(rows, address="{address}", whole=("step", "address", "verb", "state", "outcome")))


def _as_document(here: CliSession) -> bool:
    return here.options.output.partition("=")[0] in DOCUMENTS


def _run(ledger: Ledger, number: int | None) -> RunRecord:
    """A run, or the last one. Raises NotFound."""
    if number is None:
        last = ledger.runs(limit=1)
        if not last:
            raise not_found("the ledger has no runs yet")
        return last[0]
    record = ledger.run(number)
    if record is None:
        raise not_found(f"the ledger has no run {number}", hint="list the runs with `rsspot ledger runs`")
    return record


def _attempts(ledger: Ledger, run: int) -> dict[int, list[AttemptRecord]]:
    by_step: dict[int, list[AttemptRecord]] = {}
    for attempt in ledger.attempts(run):
        by_step.setdefault(attempt.seq, []).append(attempt)
    return by_step


def _states(given: Iterable[str]) -> frozenset[StepState]:
    known = [state.value for state in StepState]
    for name in given:
        if name not in known:
            hint = f"use one of: {', '.join(known)}"
            raise UsageError(f"no step is ever {name!r}", hint=f"{did_you_mean(name, known) or ''} {hint}".strip())
    return frozenset(map(StepState, given)) or frozenset(StepState)


def _run_row(run: RunRecord, counts: Mapping[StepState, int], *, document: bool) -> dict[str, Any]:
    told = {name: value for name, value in asdict(run).items() if name != "made_by"}
    user, _, host = run.made_by.get("user", "").rpartition("@")
    numbers = {state.value: counts[state] for state in StepState if state in counts}
    return {
        **told,
        "stack": run.scope.rpartition("/")[2],
        "user": user or None,
        "host": host or None,
        "ci": run.made_by.get("ci"),
        "commit": run.made_by.get("commit"),
        "steps": numbers if document else ", ".join(f"{number} {state}" for state, number in numbers.items()) or None,
    }


def _heading(run: RunRecord) -> Iterator[str]:
    ended = f", ended {run.ended_at}" if run.ended_at else ""
    outcome = run.outcome or "not finished"
    yield f"run {run.id} ({run.command}) of {run.scope}: {outcome}, started {run.started_at}{ended}"
    yield f"plan: {run.plan_digest}"
    for name, value in run.made_by.items():
        yield f"{name}: {value}"


def _step_document(step: StepRecord, attempts: Mapping[int, list[AttemptRecord]]) -> dict[str, Any]:
    return {**asdict(step), "attempts": [asdict(attempt) for attempt in attempts.get(step.seq, [])]}


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


def _attempt_rows(step: StepRecord, attempts: Iterable[AttemptRecord]) -> Iterator[dict[str, Any]]:
    """A row for each request; one without a request for a step that sent none."""
    told = {"step": step.seq, "address": step.address, "verb": step.verb, "state": step.state.value}
    sent = [{"attempt": a.number, "sent": a.sent_at, "ended": a.ended_at, "outcome": a.outcome} for a in attempts]
    for row in sent or [{"attempt": None, "sent": None, "ended": None, "outcome": step.detail or None}]:
        yield {**told, **row}


def _fields(plan: Document) -> Iterator[str]:
    """What the plan of a run changes, field by field."""
    if CUT in plan:
        yield f"the fields were not kept: the plan has {plan[CUT]} bytes, which is more than one run may store"
        return
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
    records = [asdict(record) for record in here.whole_ledger.registrations()]
    for record in records:
        # An error of an earlier attempt says nothing about a machine that is registered by now.
        if record["status"] == RegistrationStatus.REGISTERED:
            record["last_error"] = None
    here.emit(
        [{name: record[name] for name in columns} for record in records] if here.options.output == "table" else records
    )


for command in ledger_upkeep.COMMANDS:
    app.command(command.__name__.rstrip("_"))(command)

COMMANDS = {"ledger": app}
