"""Which format a name stands for.

A new format is one module with a class that fulfils `Report` or `FindingsReport`, and one line here.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rsspot.reports.protocol import FindingsReport, Report


REPORTS = {
    "table": "rsspot.reports.text:TextReport",
    "json": "rsspot.reports.json:JsonReport",
    "yaml": "rsspot.reports.json:YamlReport",
}
"""Name of a format -> module and class. Imported when it is used."""


FINDINGS = {
    "sarif": "rsspot.reports.sarif:SarifReport",
    "github": "rsspot.reports.github:GithubReport",
}
"""The same for formats of findings."""


def report_for(name: str, *, color: bool = False, verbose: bool = False) -> Report:
    """The report of a format. color: for formats that know colors. Raises KeyError for an unknown name."""
    report: Report = _class(REPORTS[name])(color=color)
    report.verbose = verbose
    return report


def findings_report_for(name: str) -> FindingsReport:
    """The report of findings of a format. Raises KeyError for an unknown name."""
    report: FindingsReport = _class(FINDINGS[name])()
    return report


def _class(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)
