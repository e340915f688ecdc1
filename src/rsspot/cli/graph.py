"""The `graph` command: which objects of manifests or of a saved plan depend on which. Contacts nobody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.plan_options import PATHS, PLAN_KEY, VARIABLE, VARIABLE_FILE, load_manifests
from rsspot.cli.saved_plans import plan_key_of, plan_of_file
from rsspot.cli.session import CliSession, session
from rsspot.cli_history import shown
from rsspot.errors import UsageError
from rsspot.reports.registry import DRAWINGS, drawing_for

if TYPE_CHECKING:
    from rsspot.reports.graph import Graph

USUAL = "mermaid"


def graph(
    paths: list[Path] = PATHS,
    saved: Path | None = shown(typer.Option(None, "--plan", help="Draw this saved plan instead of manifests.")),
    plan_key: Path | None = PLAN_KEY,
    var: list[str] = VARIABLE,
    var_file: list[Path] = VARIABLE_FILE,
) -> None:
    """Draw which objects depend on which, of manifests or of a saved plan.

    With -o mermaid (the default), dot or svg. An arrow leads from what has to be there first to what needs it; it is
    dotted where only an annotation says so. Sends nothing.
    """
    here = session()
    here.only(["table", *DRAWINGS], "a graph")
    name = USUAL if here.options.output == "table" else here.options.output
    if saved and paths:
        raise UsageError("cannot combine --plan with manifests", hint="give one of them")
    drawn = _of_plan(saved, plan_key) if saved else _of_manifests(here, paths, var, var_file)
    print(drawing_for(name)(drawn))


def _of_plan(saved: Path, key: Path | None) -> Graph:
    from rsspot.reports.graph import graph_of_plan

    return graph_of_plan(plan_of_file(saved, plan_key_of(key)))


def _of_manifests(here: CliSession, paths: list[Path], var: list[str], var_file: list[Path]) -> Graph:
    from rsspot.reports.graph import graph_of_manifests

    return graph_of_manifests(load_manifests(here, paths, var, var_file).manifests)


COMMANDS: dict[str, Any] = {"graph": graph}
