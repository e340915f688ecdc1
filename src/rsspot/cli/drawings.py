"""Pictures that commands of services print: in the terminal, or as SVG. Draws nothing itself."""

from __future__ import annotations

import sys

from rsspot.cli.session import CliSession
from rsspot.commands import CommandResult
from rsspot.utils.streams import terminal_width

SVG = "svg"


def drawing_of(result: CommandResult, here: CliSession) -> str | None:
    """The result as a picture; None if it has none, or if none is asked for."""
    if result.chart is None:
        return None
    if here.options.output == SVG:
        from rsspot.reports.charts import price_chart
        from rsspot.reports.svg import standalone

        return standalone(price_chart(result.chart))
    if result.plotted and here.options.output == "table":
        from rsspot.reports.plot import plot

        return plot(result.chart, terminal_width(), getattr(sys.stdout, "encoding", None) or "utf-8")
    return None
