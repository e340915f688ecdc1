"""Which format a name stands for. A new format is one module with a class that fulfils `Report`, and one line here."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rsspot.reports.protocol import Report


REPORTS = {
    "table": "rsspot.reports.text:TextReport",
    "json": "rsspot.reports.json:JsonReport",
    "yaml": "rsspot.reports.json:YamlReport",
}
"""Name of a format -> module and class. Imported when it is used."""


def report_for(name: str, *, color: bool = False, verbose: bool = False) -> Report:
    """The report of a format. color: for formats that know colors. Raises KeyError for an unknown name."""
    module, _, cls = REPORTS[name].partition(":")
    report: Report = getattr(importlib.import_module(module), cls)(color=color)
    report.verbose = verbose
    return report
