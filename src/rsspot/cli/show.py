"""The `show` command: prints a saved plan in any format. Contacts nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from rsspot.cli.option_groups import with_groups
from rsspot.cli.plan_options import PLAN_KEY
from rsspot.cli.report_files import DetailFlags
from rsspot.cli.saved_plans import plan_key_of, plan_of_file
from rsspot.cli.session import session
from rsspot.cli_history import shown
from rsspot.reports.registry import PLAN_FORMATS, REPORTS, SHORT_NAMES, plan_report_for


@with_groups
def show(
    saved: Path = shown(typer.Argument(metavar="PLAN", help="A plan that `plan --out` or `--report json=` wrote.")),
    plan_key: Path | None = PLAN_KEY,
    *,
    flags: DetailFlags,
) -> None:
    """Print a saved plan in any format, without contacting the service.

    With -o text (the default), markdown, html, json, yaml, sarif or junit. Nothing is asked of the service, so it says
    what held when the plan was made.
    """
    cli = session()
    cli.only(dict.fromkeys([*REPORTS, *PLAN_FORMATS, *SHORT_NAMES]), "a saved plan")
    plan = plan_of_file(saved, plan_key_of(plan_key))
    name = "text" if cli.options.output == "table" else cli.options.output
    report = plan_report_for(name, color=cli.color, verbose=bool(cli.options.verbose), detail=flags.detail)
    print(report.plan(plan))


COMMANDS: dict[str, Any] = {"show": show}
