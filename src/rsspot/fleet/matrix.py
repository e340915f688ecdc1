"""All stacks of a fleet at a glance: a row for each, as plain values, as markdown and as one HTML page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape

from rsspot.applier.events import RunOutcome
from rsspot.controller.lines import round_document
from rsspot.controller.rounds import RoundOutcome
from rsspot.fleet.work import StackResult
from rsspot.models.costs import Measure
from rsspot.planner.change import Action
from rsspot.reports.markdown_syntax import code
from rsspot.utils.serialization import Document
from rsspot.utils.text import printable

FLEET_FORMAT = "rsspot.fleet/1"
PARTIAL = RunOutcome.PARTIAL.exit_code
REFUSED = 5
LOCKED = 10
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
_CLASSES = {
    RoundOutcome.IN_SYNC: "good",
    RoundOutcome.APPLIED: "good",
    RoundOutcome.OUT_OF_SYNC: "changed",
    RoundOutcome.PAUSED: "changed",
}


def fleet_document(name: str, results: Sequence[StackResult]) -> Document:
    """A fleet as JSON: `rsspot.fleet/1`, with a `rsspot.round/1` for each stack. No values of fields are in it."""
    return {
        "schema": FLEET_FORMAT,
        "fleet": name,
        "summary": dict(sorted(Counter(each.round.outcome.value for each in results).items())),
        "stacks": [_stack_document(each) for each in _sorted(results)],
    }


def _stack_document(result: StackResult) -> Document:
    run = result.last_run
    last = {"number": run.id, "outcome": run.outcome, "startedAt": run.started_at} if run else None
    before, after = _costs(result)
    return {
        "name": result.member.name,
        **round_document(result.round),
        "costPerHour": {"before": before or None, "after": after or None},
        "lastRun": last,
    }


def rows(results: Sequence[StackResult]) -> list[dict[str, object]]:
    """A row for each stack, by its name."""
    return [dict(zip(_keys(), _cells(each), strict=True)) for each in _sorted(results)]


def _keys() -> list[str]:
    return [heading.replace(" ", "_").replace("/", "_per_").lower() for heading in HEADINGS]


def _cells(result: StackResult) -> tuple[str, str, str, int, str, str, str]:
    ended, run = result.round, result.last_run
    summary = ended.plan.summary if ended.plan else {}
    changes = ", ".join(f"{summary[each]} to {each.value}" for each in Action if summary.get(each))
    before, after = _costs(result)
    cost = after if before == after else f"{before or 0} → {after or 0}"
    last = f"{run.id} {run.outcome or 'open'} {run.started_at}" if run else ""
    return result.member.name, ended.outcome.value, changes, len(ended.drifted), cost, last, printable(ended.reason)


def _costs(result: StackResult) -> tuple[str, str]:
    """What a stack is expected to cost before and after, in dollars an hour; empty where it is not known."""
    cost = result.round.plan.cost if result.round.plan else None
    if cost is None:
        return "", ""
    sides = (side.per_hour(Measure.EXPECTED) if side else None for side in (cost.shift.before, cost.shift.after))
    before, after = ("" if amount is None else f"{amount:f}" for amount in sides)
    return before, after


def markdown(name: str, results: Sequence[StackResult]) -> str:
    """The matrix as a table, safe whatever names and reasons hold."""
    lines = [
        f"### Fleet {code(name)}: {_counted(results)}",
        "",
        f"| {' | '.join(HEADINGS)} |",
        "|---" * len(HEADINGS) + "|",
    ]
    for each in _sorted(results):
        cells = (code(str(cell)) if cell not in ("", 0) else " " for cell in _cells(each))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def html(name: str, results: Sequence[StackResult]) -> str:
    """The matrix as one page that needs no network and no script."""
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in HEADINGS)
    body = "\n".join(_html_row(each) for each in _sorted(results))
    title = escape(f"Fleet {printable(name)}")
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{_STYLE}</style></head>\n'
        f"<body><main><h1>{title}</h1>\n<p>{escape(_counted(results))}</p>\n"
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></main></body></html>"
    )


def _html_row(result: StackResult) -> str:
    name, outcome, *others, reason = _cells(result)
    cells = "".join(f'<td class="number">{escape(str(each))}</td>' for each in others[1:3])
    kind = _CLASSES.get(result.round.outcome, "bad")
    return (
        f'<tr><th scope="row">{escape(printable(name))}</th><td class="{kind}">{escape(outcome)}</td>'
        f"<td>{escape(str(others[0]))}</td>{cells}<td>{escape(str(others[3]))}</td><td>{escape(reason)}</td></tr>"
    )


def _counted(results: Iterable[StackResult]) -> str:
    counts = Counter(each.round.outcome.value for each in results)
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "no stacks"


def _sorted(results: Iterable[StackResult]) -> list[StackResult]:
    return sorted(results, key=lambda each: each.member.name)


def exit_code(results: Sequence[StackResult]) -> int:
    """What a command ends with: 0 if all went well, the code of what went wrong if all did alike, or else 7."""
    codes = {_exit_code(each) for each in results}
    return codes.pop() if len(codes) == 1 else PARTIAL if codes else 0


def _exit_code(result: StackResult) -> int:
    ended = result.round
    if ended.outcome is RoundOutcome.REFUSED:
        return REFUSED
    if ended.outcome is RoundOutcome.LOCKED:
        return LOCKED
    if ended.outcome is not RoundOutcome.FAILED:
        return 0
    if ended.recap is not None and ended.recap.exit_code:
        return ended.recap.exit_code
    return ended.error.exit_code if ended.error else 1
