"""Findings as SARIF 2.1.0, which code scanning and editors read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from rsspot.constants import VERSION
from rsspot.errors import Problem
from rsspot.reports.places import relative
from rsspot.utils.output import as_json

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
ROOT = "%SRCROOT%"
"""The name that SARIF has for the folder which relative paths begin at."""


class SarifReport:
    """One log with one run; one without results says that nothing was found."""

    commands: ClassVar[bool] = False

    def findings(self, problems: Sequence[Problem]) -> str:
        rules = sorted({problem.rule for problem in problems})
        run = {
            "tool": {"driver": {"name": "rsspot", "version": VERSION, "rules": [_rule(each) for each in rules]}},
            "columnKind": "unicodeCodePoints",
            "results": [_result(problem, rules.index(problem.rule)) for problem in problems],
        }
        return as_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: str) -> dict[str, Any]:
    return {"id": str(rule), "shortDescription": {"text": f"{rule.replace('-', ' ').capitalize()}."}}


def _result(problem: Problem, index: int) -> dict[str, Any]:
    text = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    result = {"ruleId": str(problem.rule), "ruleIndex": index, "level": "error", "message": {"text": text}}
    place = _place(problem)
    return {**result, "locations": [{"physicalLocation": place}]} if place else result


def _place(problem: Problem) -> dict[str, Any] | None:
    file, origin = relative(problem.origin), problem.origin
    if file is None or origin is None:
        return None
    path = Path(file)
    artifact = {"uri": path.as_uri()} if path.is_absolute() else {"uri": quote(file), "uriBaseId": ROOT}
    return {"artifactLocation": artifact, "region": {"startLine": origin.line, "startColumn": origin.column}}
