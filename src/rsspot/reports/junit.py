"""A plan as JUnit XML, which CI systems show: one test case for each change, a failure for each refusal and drift."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from rsspot.errors import Problem
from rsspot.planner.change import Change
from rsspot.planner.masking import masked_plan
from rsspot.planner.plan import DRIFT, Plan
from rsspot.planner.policy import PolicyResult
from rsspot.reports.places import relative
from rsspot.reports.policies import OUTCOMES, outcome, told
from rsspot.reports.problems import in_saved_order
from rsspot.reports.protocol import Detail
from rsspot.reports.wording import action_words, drift_words, field_name, kind_words, new_fields, value_text
from rsspot.utils.text import printable

POLICIES = "policies"
GUARDS = "guards"
"""The class name of a failure that is about no single change."""


class JunitReport:
    """One suite, named after the stack."""

    def __init__(self, *, color: bool = False) -> None:
        self.verbose = False
        self.detail = Detail.FULL

    def plan(self, plan: Plan) -> str:
        plan = masked_plan(plan)
        about, others = _assigned(plan)
        found = map(_of_drift, plan.drifted)
        changes = (_of_change(change, about[change.address]) for change in plan.changes)
        cases = [*found, *changes, *map(_of_refusal, others), *map(_of_policy, plan.policies)]
        failed = len(plan.drifted) + sum(bool(about[change.address]) for change in plan.changes) + len(others)
        subject = DRIFT if plan.command == DRIFT else "plan"
        totals = f'tests="{len(cases)}" failures="{failed}" errors="0" skipped="0" time="0"'
        lines = (
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<testsuites name="rsspot {subject}" tests="{len(cases)}" failures="{failed}" errors="0" time="0">',
            f"  <testsuite name={_attribute(plan.stack)} {totals}>",
            *cases,
            "  </testsuite>",
            "</testsuites>",
        )
        return "\n".join(lines)


def _assigned(plan: Plan) -> tuple[defaultdict[str, list[Problem]], list[Problem]]:
    """The refusals by the address of the change that they begin with, and those about no single change."""
    addresses = {change.address for change in plan.changes}
    about: defaultdict[str, list[Problem]] = defaultdict(list)
    others: list[Problem] = []
    for problem in in_saved_order(plan.refusals):
        subject = problem.message.partition(" ")[0].rstrip(":,")
        (about[subject] if subject in addresses else others).append(problem)
    return about, others


def _of_change(change: Change, refusals: list[Problem]) -> str:
    verb, where = action_words(change, kind_words()), relative(change.origin)
    # The schema of Jenkins has no attributes for a place.
    place = [f"{where}:{change.origin.line}"] if where and change.origin else []
    name = _attribute(f"{change.action.value} {change.address}")
    head = f'    <testcase name={name} classname={_attribute(change.ref.kind)} time="0">'
    told = "\n".join((f"{verb}: {change.reason}", *place, *_fields(change)))
    # Repeated failures of one case are not shown by every reader; one holds them all.
    failure = [_failure(refusals)] if refusals else []
    return "\n".join((head, *failure, f"      <system-out>{_text(told)}</system-out>", "    </testcase>"))


def _of_policy(result: PolicyResult) -> str:
    """Passed also where it refuses the plan: that is a failure of its own, of the change that it is about."""
    head = f'    <testcase name={_attribute(result.policy.name)} classname="{POLICIES}" time="0">'
    lines = "\n".join((f"{OUTCOMES[outcome(result)]}: {result.policy.message}", *told(result)))
    return "\n".join((head, f"      <system-out>{_text(lines)}</system-out>", "    </testcase>"))


def _of_drift(change: Change) -> str:
    name = _attribute(f"{drift_words(change)} {change.address}")
    head = f'    <testcase name={name} classname={_attribute(change.ref.kind)} time="0">'
    told = "\n".join((f"{change.address}: {change.reason}", *_fields(change)))
    failure = f'      <failure message={_attribute(change.reason)} type="drift">{_text(told)}</failure>'
    return "\n".join((head, failure, "    </testcase>"))


def _of_refusal(problem: Problem) -> str:
    head = f'    <testcase name={_attribute(str(problem.rule))} classname="{GUARDS}" time="0">'
    return "\n".join((head, _failure([problem]), "    </testcase>"))


def _failure(problems: list[Problem]) -> str:
    first = problems[0]
    told = "\n".join(f"{each}\nhint: {each.hint}" if each.hint else str(each) for each in problems)
    about = f"message={_attribute(first.message)} type={_attribute(str(first.rule))}"
    return f"      <failure {about}>{_text(told)}</failure>"


def _fields(change: Change) -> Iterator[str]:
    for edit in change.edits:
        yield f"{field_name(edit.path)}: {value_text(edit.before)} -> {value_text(edit.after)}"
    if not change.edits:
        for path, value in new_fields(change):
            yield f"{field_name(path)}: {value_text(value)}"


def _attribute(text: str) -> str:
    return quoteattr(_legal(text))


def _text(text: str) -> str:
    return "\n".join(escape(_legal(line)) for line in text.split("\n"))


def _legal(text: str) -> str:
    """A text without characters that XML forbids or that nobody sees."""
    return printable(text)
