"""The `validate` command: checks manifests by themselves, or against the live service too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.findings import show_findings
from rsspot.cli.plan_options import PATHS, VARIABLE, VARIABLE_FILE, load_manifests
from rsspot.cli.session import CliSession, session
from rsspot.errors import PlanRefused
from rsspot.reports.registry import FINDINGS
from rsspot.utils.text import printable

if TYPE_CHECKING:
    from rsspot.manifests.manifest import ManifestSet


def validate(
    paths: list[Path] = PATHS,
    online: bool = typer.Option(
        False, "--online", help="Also check regions, classes, versions, bids and servers against the live service."
    ),
    var: list[str] = VARIABLE,
    var_file: list[Path] = VARIABLE_FILE,
) -> None:
    """Check manifests without contacting the service.

    With --online, regions, classes, versions, bids and servers are also checked against what the service offers now,
    as if none of the objects existed; everything else is left to `plan`.

    With `-o sarif` or `-o github`, what is wrong is printed for code scanning, or for the log of a workflow.
    """
    cli = session()
    manifests = load_manifests(cli, paths, var, var_file)
    notes = [*manifests.notes, *_check_policies(manifests), *(_check_online(cli, manifests) if online else ())]
    if cli.options.output in FINDINGS:
        show_findings(cli.options.output, ())
    elif cli.options.output != "table":
        cli.emit({"stack": manifests.stack, "manifests": _rows(manifests)})
    else:
        for note in notes:
            print(f"Note: {printable(note)}")
        counted = f"{len(manifests.manifests)} manifests in {len(manifests.files)} files"
        print(f"{counted} are valid (stack {manifests.stack!r}).")


def _rows(manifests: ManifestSet) -> list[dict[str, str]]:
    return [
        {"address": each.address, "kind": each.kind.name, "source": str(each.origin)} for each in manifests.manifests
    ]


def _check_policies(manifests: ManifestSet) -> tuple[str, ...]:
    """Notes on the policies of the Stack. Raises ManifestError for those that cannot be understood."""
    from rsspot.policies.evaluation import check
    from rsspot.policies.sources import policies_of

    note = check(policies_of(manifests))
    return (note,) if note else ()


def _check_online(cli: CliSession, manifests: ManifestSet) -> tuple[str, ...]:
    """Notes on what the service has. Raises PlanRefused for what it would refuse."""
    from rsspot.workflows.offered import check_offered

    cli.fresh = True
    checked = cli.run(check_offered(cli.client, manifests))
    if checked.refusals:
        raise PlanRefused(checked.refusals, hint="nothing was sent")
    return checked.notes


COMMANDS: dict[str, Any] = {"validate": validate}
