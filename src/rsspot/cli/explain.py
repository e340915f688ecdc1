"""The `explain` command: what a kind and its fields are, or why the plan does what it does with one object."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.plan_options import ADOPT, PATHS, VARIABLE, VARIABLE_FILE, fresh_session, load_manifests
from rsspot.cli.session import session
from rsspot.cli_history import shown
from rsspot.utils.text import printable

if TYPE_CHECKING:
    from rsspot.planner.reasons import FieldReason
    from rsspot.workflows.explain import Explanation


def explain(
    subject: str = shown(
        typer.Argument(
            metavar="KIND[.FIELD]|ADDRESS",
            help="A kind or a field of it, such as SpotNodePool.bidPrice; or a declared object, such as"
            " spotnodepool/edge/workers, with the manifests that declare it.",
        )
    ),
    paths: list[Path] = PATHS,
    adopt: bool = ADOPT,
    var: list[str] = VARIABLE,
    var_file: list[Path] = VARIABLE_FILE,
    recursive: bool = typer.Option(False, "--recursive", help="Show the fields of fields too, for a kind."),
) -> None:
    """Show what a kind and its fields are, or why the plan does what it does with one object.

    For an object, sends no request but GET and writes nothing. For a kind, sends nothing at all.
    """
    if "/" in subject or paths:
        _explain_object(subject, paths, adopt, var, var_file)
    else:
        _explain_kind(subject, recursive)


def _explain_kind(dotted: str, recursive: bool) -> None:
    from rsspot.cli.fields import as_document, as_text
    from rsspot.manifests.described_kinds import find

    here, found = session(), find(dotted)
    as_table = here.options.output == "table"
    here.emit(as_text(found, recursive=recursive) if as_table else as_document(found, recursive=recursive))


def _explain_object(address: str, paths: list[Path], adopt: bool, var: list[str], var_file: list[Path]) -> None:
    from rsspot.planner.options import PlanOptions
    from rsspot.workflows import explain as workflow

    here = fresh_session()
    manifests = load_manifests(here, paths, var, var_file)
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
    lines += [f"  field        {_field(each)}" for each in explanation.fields]
    lines += [f"  left alone   {', '.join(explanation.left_alone)}"] if explanation.left_alone else []
    lines += [f"  refused      {line}" for line in explanation.objections]
    return "\n".join(printable(line) for line in lines)


def _field(each: FieldReason) -> str:
    """One line: `bidPrice: 0.03 applied, 0.05 live, 0.04 declared: changed by console at …`."""
    path = each.path[1:] if each.path[0] == "spec" else each.path
    values = (("applied", each.applied), ("live", each.live), ("declared", each.declared))
    known = ", ".join(f"{value} {word}" for word, value in values if value is not None)
    return f"{'.'.join(path)}: {known}: {each.reason}"


COMMANDS: dict[str, Any] = {"explain": explain}
