"""The `explain` command: why the plan does what it does with one object."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.reconcile import ADOPT, PATHS, VARIABLE, fresh_session, load_manifests
from rsspot.cli_history import shown
from rsspot.utils.text import printable

if TYPE_CHECKING:
    from rsspot.workflows.explain import Explanation


def explain(
    address: str = shown(
        typer.Argument(metavar="ADDRESS", help="A declared object: spotnodepool/edge/workers, edge/workers or workers.")
    ),
    paths: list[Path] = PATHS,
    adopt: bool = ADOPT,
    var: list[str] = VARIABLE,
) -> None:
    """Show why the plan does what it does with one object. Sends no request but GET and writes nothing."""
    from rsspot.planner.options import PlanOptions
    from rsspot.workflows import explain as workflow

    here = fresh_session()
    manifests = load_manifests(here, paths, var)
    here.client.ledger = here.reading_ledger
    options = PlanOptions(adopt=adopt)
    explanation = here.run(workflow.explain(here.client, here.reading_ledger, manifests, address, options=options))
    here.emit(_lines(explanation) if here.options.output == "table" else asdict(explanation))


def _lines(explanation: Explanation) -> str:
    lines = [
        f"{explanation.address}: {explanation.action}: {explanation.reason}",
        f"  declared at  {explanation.source}",
        f"  wire name    {explanation.wire_name or '(none: it does not exist)'}",
    ]
    lines += [f"  differs      {line}" for line in explanation.differences]
    lines += [f"  left alone   {', '.join(explanation.left_alone)}"] if explanation.left_alone else []
    lines += [f"  refused      {line}" for line in explanation.objections]
    return "\n".join(printable(line) for line in lines)


COMMANDS: dict[str, Any] = {"explain": explain}
