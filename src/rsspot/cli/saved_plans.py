"""The file of a saved plan, as `plan --out` writes it and `apply --plan` takes it. Contains no rules."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rsspot.cli.plan_options import GivenVariables, load_manifests, with_max_cost
from rsspot.cli.running import Approval, confirm_and_run
from rsspot.cli.session import CliSession
from rsspot.errors import ManifestError, UsageError
from rsspot.utils.clock import stamp, utc_now
from rsspot.utils.files import write_private
from rsspot.utils.output import as_json
from rsspot.utils.reading import parse_json, read_text

if TYPE_CHECKING:
    from rsspot.applier.options import ApplyOptions
    from rsspot.manifests.manifest import ManifestSet
    from rsspot.planner.plan import Plan


def plan_key_of(file: Path | None) -> str | None:
    """The key that saved plans are signed with: from a file, or from RSSPOT_PLAN_KEY."""
    if file is None:
        return os.environ.get("RSSPOT_PLAN_KEY") or None
    try:
        key = read_text(file).strip()
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the plan key from {file}: {getattr(error, 'strerror', error)}") from None
    if not key:
        raise UsageError(f"the plan key in {file} is empty")
    return key


def save_plan(file: Path, plan: Plan, key: str | None) -> None:
    """Write a plan for `apply --plan`. key: to sign it with. Raises UsageError for a file that holds something else."""
    from rsspot.planner.codec import dump_plan
    from rsspot.planner.signing import signed

    document = {**dump_plan(plan), "createdAt": stamp(utc_now())}
    text = as_json(signed(document, key) if key else document) + "\n"
    if _holds_something_else(file):
        raise UsageError(f"{file} is there already, and is no saved plan", hint="name another file")
    try:
        write_private(file, text, follow=False)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from None


def _holds_something_else(file: Path) -> bool:
    """Whether a file has a content that is not a saved plan."""
    from rsspot.planner.plan_document import FORMAT

    try:
        text = read_text(file) if file.is_file() else ""
        return bool(text.strip()) and parse_json(text).get("schema") != FORMAT
    except (OSError, ValueError, AttributeError):
        return True


def plan_of_file(file: Path, key: str | None) -> Plan:
    """A saved plan. key: it must be signed with"""
    from rsspot.workflows.saved_plan import read_plan

    return read_plan(file, key=key)


def plan_of_run(cli: CliSession, stack: str | None) -> Plan | None:
    """The plan of the last apply, of a stack if one is named, unless that came to its end."""
    from rsspot.workflows.saved_plan import plan_to_resume

    return plan_to_resume(cli.reading_ledger, stack)


async def apply_saved(
    cli: CliSession,
    plan: Plan,
    approval: Approval,
    options: ApplyOptions,
    given: GivenVariables,
    max_cost: str | None,
    manifests: ManifestSet | None = None,
) -> None:
    """Apply a plan that was made before, once it is judged again.

    given: values of variables · manifests: those that it was made from, where they are not at their old place
    """
    from rsspot.planner.options import PlanOptions
    from rsspot.workflows.saved_plan import needs_manifests, prepare_saved_plan

    cli.options.profile = cli.options.profile or plan.profile
    cli.options.ledger = cli.options.ledger or plan.ledger
    cli.options.organization = cli.options.organization or plan.organization
    needed = needs_manifests(plan) or max_cost is not None
    manifests = manifests or _manifests_of(cli, plan, given, needed=needed)
    limits = with_max_cost(PlanOptions(), max_cost, manifests) if manifests else PlanOptions()
    plan = await prepare_saved_plan(cli.client, plan, manifests, cli.reading_ledger, spending=limits.spending)
    await confirm_and_run(cli, plan, approval, options)


def _manifests_of(cli: CliSession, plan: Plan, given: GivenVariables, *, needed: bool) -> ManifestSet | None:
    """The manifests that a saved plan was made from; None if they are not at hand, or wanted only for comparison."""
    files = [Path(file) for file in plan.files]
    if not needed and not (files and all(file.is_file() for file in files)):
        return None
    try:
        return load_manifests(cli, files, given.var, given.var_file, everywhere=True)
    except ManifestError:
        if needed:
            raise
        return None
