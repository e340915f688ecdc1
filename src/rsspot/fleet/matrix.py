"""All stacks of a fleet at a glance: a row for each, as plain values, as markdown and as one HTML page.

A stack is a `rsspot.round/1` with its name in the fleet, its cost, its last run and an exit code, so that what another
process found is shown as well as what this one did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape

from rsspot.applier.events import RunOutcome
from rsspot.controller.lines import round_document
from rsspot.controller.rounds import RoundOutcome
from rsspot.errors import Locked, PlanRefused
from rsspot.fleet.work import StackResult
from rsspot.models.costs import Measure
from rsspot.planner.change import Action
from rsspot.reports.markdown_syntax import code
from rsspot.utils.serialization import Document
from rsspot.utils.text import printable

FLEET_FORMAT = "rsspot.fleet/1"
PARTIAL = RunOutcome.PARTIAL.exit_code
HEADINGS = ("stack", "outcome", "changes", "drifted", "USD/h", "last run", "reason")
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #8886; vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums }
.good { color: light-dark(#1a6b2d, #7fd893) } .changed { color: light-dark(#7a4b00, #f0c060) }
.bad { color: light-dark(#a11919, #ff9a9a); font-weight: 600 }
"""
_CLASSES: dict[str, str] = {
    RoundOutcome.IN_SYNC: "good",
    RoundOutcome.APPLIED: "good",
    RoundOutcome.OUT_OF_SYNC: "changed",
    RoundOutcome.PAUSED: "changed",
}


def stack_document(result: StackResult) -> Document:
    """One stack as JSON. No values of fields are in it, so no secrets."""
    run = result.last_run
    before, after = _costs(result)
    return {
        "name": result.member.name,
        **round_document(result.round),
        "costPerHour": {"before": before, "after": after},
        "lastRun": {"number": run.id, "outcome": run.outcome, "startedAt": run.started_at} if run else None,
        "exitCode": _exit_code(result),
    }


def _costs(result: StackResult) -> tuple[str | None, str | None]:
    """What a stack is expected to cost before and after, in dollars an hour; None where it is not known."""
    cost = result.round.plan.cost if result.round.plan else None
    if cost is None:
        return None, None
    sides = (side.per_hour(Measure.EXPECTED) if side else None for side in (cost.shift.before, cost.shift.after))
    before, after = (None if amount is None else f"{amount:f}" for amount in sides)
    return before, after


def _exit_code(result: StackResult) -> int:
    ended = result.round
    codes = {RoundOutcome.REFUSED: PlanRefused.exit_code, RoundOutcome.LOCKED: Locked.exit_code}
    if ended.outcome is not RoundOutcome.FAILED:
        return codes.get(ended.outcome, 0)
    if ended.recap is not None and ended.recap.exit_code:
        return ended.recap.exit_code
    return ended.error.exit_code if ended.error else 1


def fleet_document(name: str, stacks: Sequence[Document]) -> Document:
    """A fleet as JSON: `rsspot.fleet/1`."""
    counts = Counter(str(each["outcome"]) for each in stacks)
    return {"schema": FLEET_FORMAT, "fleet": name, "summary": dict(sorted(counts.items())), "stacks": _sorted(stacks)}


def exit_code(stacks: Sequence[Document]) -> int:
    """What a command ends with: 0 if all went well, the code of what went wrong if all did alike, or else 7."""
    codes = {int(each["exitCode"]) for each in stacks}
    return codes.pop() if len(codes) == 1 else PARTIAL if codes else 0


def rows(stacks: Sequence[Document]) -> list[dict[str, object]]:
    """A row for each stack, by its name."""
    return [dict(zip(_keys(), _cells(each), strict=True)) for each in _sorted(stacks)]


def _keys() -> list[str]:
    return [heading.replace(" ", "_").replace("/", "_per_").lower() for heading in HEADINGS]


def _cells(stack: Document) -> tuple[str, str, str, int, str, str, str]:
    summary, run, cost = stack.get("summary") or {}, stack["lastRun"], stack["costPerHour"]
    changes = ", ".join(f"{summary[each]} to {each.value}" for each in Action if summary.get(each))
    before, after = cost["before"], cost["after"]
    dollars = (after or "") if before == after else f"{before or 0} → {after or 0}"
    last = f"{run['number']} {run['outcome'] or 'open'} {run['startedAt']}" if run else ""
    drifted = int(summary.get("drift", 0))
    return str(stack["name"]), str(stack["outcome"]), changes, drifted, dollars, last, printable(stack["reason"] or "")


def markdown(name: str, stacks: Sequence[Document]) -> str:
    """The matrix as a table, safe whatever names and reasons hold."""
    head, rule = f"| {' | '.join(HEADINGS)} |", "|---" * len(HEADINGS) + "|"
    lines = [f"### Fleet {code(name)}: {_counted(stacks)}", "", head, rule]
    for each in _sorted(stacks):
        cells = (code(str(cell)) if cell not in ("", 0) else " " for cell in _cells(each))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def html(name: str, stacks: Sequence[Document]) -> str:
    """The matrix as one page that needs no network and no script."""
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in HEADINGS)
    body = "\n".join(_html_row(each) for each in _sorted(stacks))
    title = escape(f"Fleet {printable(name)}")
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{_STYLE}</style></head>\n'
        f"<body><main><h1>{title}</h1>\n<p>{escape(_counted(stacks))}</p>\n"
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></main></body></html>"
    )


def _html_row(stack: Document) -> str:
    name, outcome, changes, drifted, dollars, run, reason = _cells(stack)
    kind = _CLASSES.get(outcome, "bad")
    numbers = "".join(f'<td class="number">{escape(str(each))}</td>' for each in (drifted, dollars))
    return (
        f'<tr><th scope="row">{escape(printable(name))}</th><td class="{kind}">{escape(outcome)}</td>'
        f"<td>{escape(changes)}</td>{numbers}<td>{escape(run)}</td><td>{escape(reason)}</td></tr>"
    )


def _counted(stacks: Iterable[Document]) -> str:
    counts = Counter(str(each["outcome"]) for each in stacks)
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "no stacks"


def _sorted(stacks: Iterable[Document]) -> list[Document]:
    return sorted(stacks, key=lambda each: str(each["name"]))
