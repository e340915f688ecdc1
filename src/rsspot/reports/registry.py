"""Which format a name stands for.

A new format is one module with a class that fulfils `Report`, `PlanReport` or `FindingsReport`, and one line here.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rsspot.reports.protocol import Detail, FindingsReport, PlanReport, Report


REPORTS = {
    "table": "rsspot.reports.text:TextReport",
    "json": "rsspot.reports.json:JsonReport",
    "yaml": "rsspot.reports.json:YamlReport",
}
"""Name of a format -> module and class. Imported when it is used."""


PLAN_FORMATS = {
    "text": "rsspot.reports.text:WholeTextReport",
    "markdown": "rsspot.reports.markdown:MarkdownReport",
    "html": "rsspot.reports.html:HtmlReport",
    "sarif": "rsspot.reports.sarif:SarifReport",
    "junit": "rsspot.reports.junit:JunitReport",
}
"""The same for formats of plans that have no form for a run."""


FINDINGS = {
    "sarif": "rsspot.reports.sarif:SarifReport",
    "github": "rsspot.reports.github:GithubReport",
}
"""The same for formats of findings."""


DRAWINGS = {
    "mermaid": "rsspot.reports.graph_text:as_mermaid",
    "dot": "rsspot.reports.graph_text:as_dot",
    "svg": "rsspot.reports.graph_svg:as_svg",
}
"""The same for formats of a graph, each a function from `Graph` to text."""


SHORT_NAMES = {"md": "markdown"}
"""Another name of a format -> its name."""
WITH_PAST_PRICES = frozenset({"html"})
"""The formats that show past prices, which a plan keeps only for them."""
WITH_REFUSALS = frozenset({"json", "sarif"})
"""The formats for programs that hold why a plan is refused: nothing has to be told beside them."""


def format_names() -> list[str]:
    """Every name that `-o` takes beside those of lists and objects."""
    return list(dict.fromkeys([*REPORTS, *PLAN_FORMATS, *SHORT_NAMES, *FINDINGS, *DRAWINGS]))


def report_for(name: str, *, color: bool = False, verbose: bool = False) -> Report:
    """The report of a format. color: for formats that know colors. Raises KeyError for an unknown name."""
    report: Report = _named(REPORTS[name])(color=color)
    report.verbose = verbose
    return report


def plan_report_for(
    name: str, *, color: bool = False, verbose: bool = False, detail: Detail | None = None
) -> PlanReport:
    """The report of a format of plans, also of one that cannot show a run. Raises KeyError for an unknown name.

    detail: as the format has it unless given
    """
    report: PlanReport = _named({**PLAN_FORMATS, **REPORTS}[SHORT_NAMES.get(name, name)])(color=color)
    report.verbose = verbose
    if detail is not None:
        report.detail = detail
    return report


def findings_report_for(name: str) -> FindingsReport:
    """The report of findings of a format. Raises KeyError for an unknown name."""
    report: FindingsReport = _named(FINDINGS[name])()
    return report


def drawing_for(name: str) -> Any:
    """The function that draws a graph in a format. Raises KeyError for an unknown name."""
    return _named(DRAWINGS[name])


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)
