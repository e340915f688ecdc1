"""A plan and a run as lines for a terminal, a log or a file. Renders; decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rsspot.applier.events import Event, Recap
from rsspot.manifests.stack import DEFAULT_STACK
from rsspot.planner.change import REMOVALS, Action, Change, Edit
from rsspot.planner.masking import masked_plan
from rsspot.planner.plan import DRIFT, Plan
from rsspot.reports.grouping import groups_of, in_order
from rsspot.reports.money import money_lines
from rsspot.reports.policies import advice_lines
from rsspot.reports.problems import in_saved_order, render_problems
from rsspot.reports.programs import program_calls, program_files
from rsspot.reports.protocol import Detail, Traffic
from rsspot.reports.run_lines import event_line, recap_line
from rsspot.reports.tally import by_kind, headline
from rsspot.reports.wording import (
    SYMBOLS,
    Words,
    action_words,
    edit_mark,
    field_name,
    filled_mark,
    kind_words,
    new_fields,
    value_text,
)
from rsspot.utils.text import columns, padded, printable

COLORS = {
    Action.CREATE: "32",
    Action.UPDATE: "33",
    Action.REPLACE: "31",
    Action.ADOPT: "36",
    Action.DETACH: "36",
    Action.DELETE: "31",
}
LONGEST_VALUE = 120
WIDEST_ADDRESS = 60
NAME_WIDTH = 22
FEW_CHANGES = 5
"""As many can be counted at a glance."""
LONG_PLAN = 30
"""A longer list of changes is grouped by cloudspace."""
OTHERS = "Objects by themselves"
FEW_NAMES = 5
FEW_FIELDS = 3


class TextReport:
    """Lines for people. color: with ANSI colors."""

    def __init__(self, *, color: bool = False) -> None:
        self.color = color
        self.verbose = False
        self.detail = Detail.NORMAL

    def plan(self, plan: Plan) -> str:
        lines = render_plan(plan, kind_words(), color=self.color, verbose=self.verbose, detail=self.detail)
        return f"{heading(plan)}\n\n{lines}"

    def event(self, event: Event, elapsed: float) -> str | None:
        line = event_line(event)
        return f"{elapsed:6.1f}s  {printable(line)}" if line else None

    def recap(self, recap: Recap, traffic: Traffic) -> str:
        return recap_line(recap, requests=traffic.requests, retries=traffic.retries, elapsed=traffic.elapsed)


class WholeTextReport(TextReport):
    """The same for a file, which has to hold what a command tells on standard error: why a plan is refused."""

    def plan(self, plan: Plan) -> str:
        refused = f"\n\n{render_problems(in_saved_order(plan.refusals), quote=False)}" if plan.refusals else ""
        return super().plan(plan) + refused


def heading(plan: Plan) -> str:
    """What a plan is about: the stack, whose it is, and how much was read."""
    stack = f"Stack {plan.stack} in {plan.organization}"
    if not plan.files:
        return printable(stack)
    files = f"{len(plan.files)} file{'s' if len(plan.files) > 1 else ''}"
    # A part of a stack says nothing of how much the manifests declare.
    declared = plan.unchanged + sum(change.action not in REMOVALS for change in plan.changes)
    objects = f"{declared} object{'' if declared == 1 else 's'}"
    return printable(f"{stack}: {files}" if plan.partial else f"{stack}: {objects} in {files}")


def render_plan(
    plan: Plan,
    words: Words | None = None,
    *,
    color: bool = False,
    verbose: bool = False,
    detail: Detail = Detail.NORMAL,
) -> str:
    """The whole plan. words: a kind's own words for actions · verbose: with what unchanged objects cost."""
    plan, style = masked_plan(plan), _Style(words or {}, color, detail)
    every_object = verbose or detail is Detail.FULL
    lines = (*_lines(plan, style), *money_lines(plan, every_object=every_object), *_tally(plan), headline(plan))
    return "\n".join(lines)


def render_changes(plan: Plan) -> Iterator[str]:
    """The changes of a plan with their fields, without anything else."""
    return _section(masked_plan(plan).changes, _Style(kind_words()))


@dataclass(frozen=True)
class _Style:
    """How changes are shown."""

    words: Words
    color: bool = False
    detail: Detail = Detail.NORMAL

    def paint(self, color: str, text: str) -> str:
        """A text in a color, or as it is."""
        return f"\x1b[{color}m{text}\x1b[0m" if self.color else text

    def value(self, value: object) -> str:
        """A value, shortened unless everything is to be shown."""
        text = value_text(value)
        whole = len(text) <= LONGEST_VALUE or self.detail is Detail.FULL
        return text if whole else text[:LONGEST_VALUE] + "…"


def _lines(plan: Plan, style: _Style) -> Iterator[str]:
    for title, changes in _sections(plan):
        if changes:
            yield title
            yield from _section(changes, style)
            yield ""
    yield from _programs(plan)
    for note in sorted(plan.notes):
        yield f"Note: {printable(note)}"
    yield from map(printable, advice_lines(plan))
    for each in plan.pending:
        yield f"Not ready yet: {printable(each.address)}: {printable(each.note)}"
    if plan.undeclared:
        yield _left_alone(plan, style)
        yield ""


def _sections(plan: Plan) -> Iterator[tuple[str, Sequence[Change]]]:
    yield "Drift (what somebody else did since the last apply)", plan.drifted
    yield (
        "Drift (changed by somebody else; the plan puts it back)",
        [change for change in plan.changes if change.drift],
    )
    title = "Declared, and not applied yet" if plan.command == DRIFT else "Changes"
    yield title, [change for change in plan.changes if not change.drift]


def _left_alone(plan: Plan, style: _Style) -> str:
    most = len(plan.undeclared) if style.detail is Detail.FULL else FEW_NAMES
    names = ", ".join(printable(leftover.address) for leftover in plan.undeclared[:most])
    more = f" and {len(plan.undeclared) - most} more" if len(plan.undeclared) > most else ""
    way = "--prune deletes" if plan.stack != DEFAULT_STACK else "name the stack, and --prune deletes"
    return f"Left alone: {names}{more}: of this stack, in no manifest ({way})"


def _section(changes: Iterable[Change], style: _Style) -> Iterator[str]:
    """The changes in order; a long list by cloudspace, each with its name above it."""
    ordered = in_order(changes)
    if len(ordered) <= LONG_PLAN:
        yield from _changes(ordered, style)
        return
    for group in groups_of(ordered):
        count = len(group.changes)
        yield f"{printable(group.address) or OTHERS}: {count} change{'' if count == 1 else 's'}"
        yield from _changes(group.changes, style)


def _changes(ordered: Sequence[Change], style: _Style) -> Iterator[str]:
    addresses = [printable(change.address) for change in ordered]
    width = min(WIDEST_ADDRESS, max(map(columns, addresses), default=0))
    for change, address in zip(ordered, addresses, strict=True):
        symbol = style.paint(COLORS[change.action], f"{SYMBOLS[change.action]:>3}")
        verb, where = action_words(change, style.words), printable(str(change.origin)) if change.origin else ""
        fields = _field_names(change) if style.detail is Detail.COMPACT else ""
        told = f"{verb}: {printable(change.reason)}{fields}{'  ' if where else ''}{where}"
        yield f"{symbol} {padded(address, width)}  {told}"
        if style.detail is not Detail.COMPACT:
            yield from _details(change, style)


def _field_names(change: Change) -> str:
    """The names of the first few fields that differ, for a line without their values."""
    names = [field_name(edit.path) for edit in change.edits]
    more = [f"{len(names) - FEW_FIELDS} more"] if len(names) > FEW_FIELDS else []
    return f" [{', '.join([*names[:FEW_FIELDS], *more])}]" if names else ""


def _details(change: Change, style: _Style) -> Iterator[str]:
    for edit in change.edits:
        yield f"      {padded(field_name(edit.path), NAME_WIDTH)} {_both(edit, style)}{_mark(edit_mark(edit))}"
    if change.body and (not change.edits or style.detail is Detail.FULL):
        for path, value in new_fields(change):
            mark = _mark(filled_mark(change, path))
            yield f"      {padded(field_name(path), NAME_WIDTH)} {style.value(value)}{mark}"


def _both(edit: Edit, style: _Style) -> str:
    return f"{style.value(edit.before)} -> {style.value(edit.after)}"


def _mark(mark: str) -> str:
    return f"   {mark}" if mark else ""


def _programs(plan: Plan) -> Iterator[str]:
    """The programs that an apply runs here. Never shortened: whoever approves a plan approves them."""
    lines = program_calls(plan.changes)
    if not lines and not plan.programs:
        return
    yield "Programs that an apply runs on this machine"
    for path, digest in program_files(plan):
        yield f"  {path}  {digest}"
    for line in lines:
        yield f"  {line.argv}  for {line.users}"
    yield ""


def _tally(plan: Plan) -> Iterator[str]:
    """A line for each action, where there are too many changes to count them."""
    if len(plan.changes) > FEW_CHANGES:
        for action, objects in by_kind(plan):
            yield f"To {action}: {objects}"
