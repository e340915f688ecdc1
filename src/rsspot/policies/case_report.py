"""What came of the tests of policies, for people and as JUnit XML."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from rsspot.policies.cases import CaseOutcome
from rsspot.utils.text import printable


def line_of(outcome: CaseOutcome) -> str:
    """One test in a line, and what is wrong with it."""
    if not outcome.faults:
        return f"ok    {outcome.file}: {outcome.name}"
    return f"FAIL  {outcome.origin}: {outcome.name}: {'; '.join(outcome.faults)}"


def tally_of(outcomes: Sequence[CaseOutcome]) -> str:
    """How many passed and failed."""
    failed = sum(bool(each.faults) for each in outcomes)
    return f"{len(outcomes) - failed} passed, {failed} failed"


def junit_of(outcomes: Sequence[CaseOutcome]) -> str:
    """The tests as one suite."""
    failed = sum(bool(each.faults) for each in outcomes)
    totals = f'tests="{len(outcomes)}" failures="{failed}" errors="0"'
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<testsuites name="rsspot policy test" {totals} time="0">',
            f'  <testsuite name="policies" {totals} skipped="0" time="0">',
            *map(_case, outcomes),
            "  </testsuite>",
            "</testsuites>",
        )
    )


def _case(outcome: CaseOutcome) -> str:
    name, file = (quoteattr(printable(text)) for text in (outcome.name, str(outcome.file)))
    head = f'    <testcase name={name} classname={file} time="0"'
    if not outcome.faults:
        return f"{head}/>"
    told = "; ".join(map(printable, outcome.faults))
    return f"{head}>\n      <failure message={quoteattr(told)}>{escape(told)}</failure>\n    </testcase>"
