"""Prints what is wrong with manifests in one of the formats of findings."""

from __future__ import annotations

from collections.abc import Sequence

from rsspot.errors import Problem
from rsspot.reports.registry import findings_report_for
from rsspot.utils.streams import print_command


def show_findings(output: str, problems: Sequence[Problem]) -> None:
    """Print findings. output: one of `reports.registry.FINDINGS`; some say nothing if there is nothing."""
    report = findings_report_for(output)
    text = report.findings(problems)
    if not report.commands:
        print(text)
        return
    for line in text.splitlines():
        print_command(line)
