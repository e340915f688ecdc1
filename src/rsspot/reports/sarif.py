"""Findings, and what a plan destroys or is refused for, as SARIF 2.1.0, which code scanning and editors read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from rsspot.constants import VERSION
from rsspot.errors import Origin, Problem
from rsspot.manifests.policies import PolicySeverity
from rsspot.planner.change import Action, Change
from rsspot.planner.plan import Plan
from rsspot.planner.policy import PolicyResult
from rsspot.reports.places import relative
from rsspot.reports.policies import advising
from rsspot.reports.problems import in_saved_order
from rsspot.reports.protocol import Detail
from rsspot.reports.wording import drift_words, field_name
from rsspot.utils.output import as_json

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
ROOT = "%SRCROOT%"
"""The name that SARIF has for the folder which relative paths begin at."""
DESTROYED = {Action.DELETE: "deleted", Action.REPLACE: "replaced"}


class SarifReport:
    """One log with one run; one without results says that nothing was found."""

    commands: ClassVar[bool] = False

    def __init__(self, *, color: bool = False) -> None:
        self.verbose = False
        self.detail = Detail.FULL

    def findings(self, problems: Sequence[Problem]) -> str:
        return _log(map(_of_problem, problems))

    def plan(self, plan: Plan) -> str:
        """An error for each objection of a guard, a warning for each object that will be gone or that drifted.

        What policies warn of is a warning, and what they mention a note.
        """
        refused = map(_of_problem, in_saved_order(plan.refusals))
        gone = (_of_change(change) for change in plan.changes if change.destructive)
        advised = (_of_advice(each, problem) for each in advising(plan) for problem in each.problems)
        return _log([*refused, *advised, *map(_of_drift, plan.drifted), *gone])


@dataclass(frozen=True)
class _Result:
    """What SARIF calls a result. address: of the object that it is about, where that is known"""

    rule: str
    level: str
    text: str
    origin: Origin | None
    address: str | None = None


def _of_problem(problem: Problem) -> _Result:
    text = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    return _Result(str(problem.rule), "error", text, problem.origin)


def _of_change(change: Change) -> _Result:
    text = f"{change.address} will be {DESTROYED[change.action]}: {change.reason}"
    return _Result(f"planned-{change.action.value}", "warning", text, change.origin, change.address)


def _of_advice(result: PolicyResult, problem: Problem) -> _Result:
    level = "warning" if result.policy.severity is PolicySeverity.WARN else "note"
    return replace(_of_problem(problem), level=level)


def _of_drift(change: Change) -> _Result:
    fields = ", ".join(field_name(edit.path) for edit in change.edits)
    text = f"{change.address}: {change.reason}{f': {fields}' if fields else ''}"
    return _Result(f"drift-{drift_words(change).replace(' ', '-')}", "warning", text, change.origin, change.address)


def _log(results: Iterable[_Result]) -> str:
    found = list(results)
    rules = {rule: index for index, rule in enumerate(sorted({each.rule for each in found}))}
    run = {
        "tool": {"driver": {"name": "rsspot", "version": VERSION, "rules": [_rule(each) for each in rules]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, rules[each.rule]) for each in found],
    }
    return as_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: str) -> dict[str, Any]:
    return {"id": rule, "shortDescription": {"text": f"{rule.replace('-', ' ').capitalize()}."}}


def _result(each: _Result, index: int) -> dict[str, Any]:
    result = {"ruleId": each.rule, "ruleIndex": index, "level": each.level, "message": {"text": each.text}}
    place = dict(_location(each))
    return {**result, "locations": [place]} if place else result


def _location(each: _Result) -> Iterator[tuple[str, Any]]:
    if place := _place(each.origin):
        yield "physicalLocation", place
    if each.address is not None:
        yield "logicalLocations", [{"fullyQualifiedName": each.address, "kind": "resource"}]


def _place(origin: Origin | None) -> dict[str, Any] | None:
    file = relative(origin)
    if file is None or origin is None:
        return None
    path = Path(file)
    artifact = {"uri": path.as_uri()} if path.is_absolute() else {"uri": quote(os.fsencode(file)), "uriBaseId": ROOT}
    return {"artifactLocation": artifact, "region": {"startLine": origin.line, "startColumn": origin.column}}
