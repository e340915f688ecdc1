"""A plan as a comment on a pull request: what it destroys and costs on top, the rest folded, never too long to post."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rsspot.models.costs import Measure
from rsspot.planner.change import Action, Change, Edit
from rsspot.planner.masking import masked_plan
from rsspot.planner.plan import DRIFT, Plan
from rsspot.reports.fitting import FittedLines, Form, fitted, named
from rsspot.reports.grouping import in_order
from rsspot.reports.markdown_syntax import code, fence, folded, marker
from rsspot.reports.money import hourly_sides, money_lines, monthly_sides
from rsspot.reports.policies import advice_lines, outcome_lines, policy_tally
from rsspot.reports.problems import in_saved_order
from rsspot.reports.programs import program_calls, program_files
from rsspot.reports.protocol import Detail
from rsspot.reports.tally import by_kind, counts, headline
from rsspot.reports.text import LONGEST_VALUE
from rsspot.reports.wording import (
    action_words,
    edit_mark,
    field_name,
    filled_mark,
    kind_words,
    new_fields,
    title_of,
    value_text,
)
from rsspot.utils.text import printable

BUDGET = 60_000
"""Characters. GitHub refuses a comment of more than 65,536."""
MOST_OF_A_SECTION = 8_000
"""Characters of a section that is not about changes."""
LONGEST_NAME = 120
LONGEST_LINE = 600
FRAME = 200
"""Characters around the changes of a section."""
TITLES = {
    Action.UPDATE: "Update",
    Action.ADOPT: "Adopt",
    Action.DETACH: "Detach",
    Action.CREATE: "Create",
}
"""What is folded, in the order in which it is shown."""
DRIFTED_TITLE = "Since the last apply, somebody else changed"
DESTROYED = (Action.DELETE, Action.REPLACE)
DIFF = {Action.CREATE: "+", Action.DELETE: "-", Action.REPLACE: "-"}
"""What a line begins with that is to be green or red. All other changes begin with `!`."""


class MarkdownReport:
    """GitHub-flavored markdown; the first line finds the comment again."""

    def __init__(self, *, color: bool = False) -> None:
        self.verbose = False
        self.detail = Detail.NORMAL

    def plan(self, plan: Plan) -> str:
        plan = masked_plan(plan)
        top, notes = [*_top(plan), *_refusals(plan), *_policies(plan)], [*_programs(plan), *_notes(plan)]
        room = BUDGET - sum(len(part) + 2 for part in (*top, *notes, _foot(len(plan.changes))))
        destroyed, unseen = self._destroyed(plan, room)
        rest, unnamed = self._rest(plan, room - sum(len(part) + 2 for part in destroyed))
        unnamed += unseen
        foot = [_foot(unnamed)] if unnamed else []
        return "\n\n".join([*top, *destroyed, *notes, *rest, *foot])

    def _destroyed(self, plan: Plan, room: int) -> tuple[list[str], int]:
        """What will be gone, all of it in view; and how much of it could only be counted."""
        gone = [change for action in DESTROYED for change in plan.changes if change.action is action]
        if not gone:
            return [], 0
        verb = "An apply would delete and replace" if plan.command == DRIFT else "Deletes and replaces"
        title = f"### {verb} {_objects(len(gone))}"
        found = named(gone, room - len(title) - FRAME * (len(TITLES) + 2), (*self._forms, _brief))
        return [f"{title}\n\n{fence(found.lines, 'diff')}"], found.unnamed

    def _rest(self, plan: Plan, room: int) -> tuple[list[str], int]:
        """Everything else, folded; and how many changes found no room."""
        parts: list[str] = []
        unnamed = 0
        sections = [(title, [c for c in plan.changes if c.action is action]) for action, title in TITLES.items()]
        # What a report of drift is about comes first, and in view.
        sections.insert(0 if plan.command == DRIFT else len(sections), (DRIFTED_TITLE, list(plan.drifted)))
        for index, (title, changes) in enumerate(sections):
            if changes:
                # Those that follow need room to say at least how many they are.
                found = fitted(in_order(changes), room - FRAME * (len(sections) - index), self._forms)
                unnamed += found.unnamed
                heading, listed = f"{title} {_objects(len(changes))}", _listed(found)
                in_view = title == DRIFTED_TITLE and plan.command == DRIFT
                parts.append(f"### {heading}\n\n{listed}" if in_view else folded(heading, listed))
                room -= len(parts[-1]) + 2
        prices = _prices(plan)
        return parts + [part for part in prices if len(part) + 2 <= room], unnamed

    @property
    def _forms(self) -> tuple[Form, ...]:
        return (_short,) if self.detail is Detail.COMPACT else (self._whole, _short)

    def _whole(self, change: Change) -> Iterator[str]:
        yield from _short(change)
        for edit in change.edits:
            yield from self._edit(edit)
        for path, value in new_fields(change) if change.body and not change.edits else ():
            mark = filled_mark(change, path)
            yield f"+     {field_name(path)}: {self._value(value)}{mark and f'   {mark}'}"

    def _edit(self, edit: Edit) -> Iterator[str]:
        name, mark = field_name(edit.path), edit_mark(edit)
        if edit.before is not None:
            yield f"-     {name}: {self._value(edit.before)}"
        yield f"+     {name}: {self._value(edit.after)}{mark and f'   {mark}'}"

    def _value(self, value: object) -> str:
        text = value_text(value)
        return text if self.detail is Detail.FULL else _cut(text, LONGEST_VALUE)


def _short(change: Change) -> Iterator[str]:
    where = f"  {change.origin}" if change.origin else ""
    told = f"{action_words(change, kind_words())}: {change.reason}{where}"
    name, symbol = _cut(printable(change.address), LONGEST_LINE), DIFF.get(change.action, "!")
    yield f"{symbol} {name}  {_cut(printable(told), LONGEST_LINE)}"


def _brief(change: Change) -> Iterator[str]:
    yield f"- {change.action.value} {_cut(printable(change.address), LONGEST_LINE)}"


def _top(plan: Plan) -> Iterator[str]:
    stack, organization = (code(_cut(name, LONGEST_NAME)) for name in (plan.stack, plan.organization))
    about = DRIFT if plan.command == DRIFT else "plan"
    yield marker(_cut(plan.stack, LONGEST_NAME), about)
    yield f"## {title_of(plan)} {stack} in {organization}"
    yield f"**{_summary(plan)}**"
    if not plan.complete:
        yield fence([_cut(headline(plan), MOST_OF_A_SECTION)])
    if len(plan.changes) > 1:
        yield "\n".join(f"- to {action}: {objects}" for action, objects in reversed([*by_kind(plan)]))
    yield from _money(plan)


def _summary(plan: Plan) -> str:
    if plan.empty or plan.drifted:
        return headline(plan).partition("  ")[0]
    # What destroys comes first here.
    *actions, unchanged = counts(plan)
    return ", ".join([*actions[::-1], unchanged])


def _money(plan: Plan) -> Iterator[str]:
    if plan.cost is None:
        return
    rows = ["| USD | before | after |", "|---|--:|--:|"]
    rows += [_row(f"per hour, {measure.value}", hourly_sides(plan.cost.shift, measure)) for measure in Measure]
    rows.append(_row("per month, expected", monthly_sides(plan.cost.shift)))
    yield "\n".join(rows)


def _row(title: str, sides: tuple[str, str]) -> str:
    before, after = sides
    return f"| {title} | {before} | {after if before == after else f'**{after}**'} |"


def _refusals(plan: Plan) -> Iterator[str]:
    if plan.refusals:
        told = (f"{each}\n  {each.hint}" if each.hint else str(each) for each in in_saved_order(plan.refusals))
        lines = [line for each in told for line in each.split("\n")]
        yield f"### Refused: {len(plan.refusals)} objection{'' if len(plan.refusals) == 1 else 's'}"
        yield _bounded(lines)


def _policies(plan: Plan) -> Iterator[str]:
    """What policies warn of in view, and what came of all of them folded."""
    if advice := advice_lines(plan):
        yield f"### Policies\n\n{_bounded(advice)}"
    if plan.policies:
        yield folded(policy_tally(plan), _bounded(outcome_lines(plan)))


def _programs(plan: Plan) -> Iterator[str]:
    files = [f"{path}  {digest}" for path, digest in program_files(plan)]
    lines = [f"{line.argv}  for {line.users}" for line in program_calls(plan.changes)]
    if files or lines:
        yield f"### Runs on the machine that applies\n\n{_bounded([*files, *lines])}"


def _notes(plan: Plan) -> Iterator[str]:
    lines = [f"Cost: {each}" for each in plan.cost.warnings] if plan.cost else []
    lines += [f"Note: {note}" for note in sorted(plan.notes)]
    lines += [f"Not ready yet: {each.address}: {each.note}" for each in plan.pending]
    lines += [f"Left alone: {each.address}: of this stack, in no manifest" for each in plan.undeclared]
    if lines:
        yield folded(f"{len(lines)} note{'' if len(lines) == 1 else 's'}", _bounded(lines))


def _prices(plan: Plan) -> Iterator[str]:
    lines = [line for line in money_lines(plan) if not line.startswith("Note: ")]
    if lines:
        yield folded("Cost of each cloudspace", fence(lines))


def _bounded(lines: Sequence[str]) -> str:
    """As many lines as a section may have."""
    shown: list[str] = []
    room = MOST_OF_A_SECTION
    for line in lines:
        text = _cut(printable(line), LONGEST_LINE)
        room -= len(text) + 1
        if room < 0:
            return fence([*shown, f"and {len(lines) - len(shown)} more lines"])
        shown.append(text)
    return fence(shown)


def _listed(found: FittedLines) -> str:
    more = [f"and {found.unnamed} more"] if found.unnamed else []
    return fence([*found.lines, *more], "diff")


def _foot(unnamed: int) -> str:
    return (
        f"{_objects(unnamed).capitalize()} found no room here. "
        "`rsspot plan … --out plan.json` saves the whole plan, and `rsspot show plan.json` prints it."
    )


def _objects(number: int) -> str:
    return f"{number} object{'' if number == 1 else 's'}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
