"""The options of plan, apply and destroy, and what is made of them. Runs no command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rsspot.cli.session import CliSession, session
from rsspot.cli.variables import variables_of
from rsspot.cli_history import shown
from rsspot.errors import UsageError
from rsspot.models.refs import DNS_LABEL
from rsspot.reports.registry import FINDINGS, REPORTS
from rsspot.resources.waiting import WAIT_SECONDS
from rsspot.utils.text import did_you_mean

if TYPE_CHECKING:
    from rsspot.applier.options import ApplyOptions
    from rsspot.manifests.manifest import Default, ManifestSet
    from rsspot.planner.options import PlanOptions

GivenVariables = tuple[list[str], list[Path]]
"""The values of --var and --var-file."""

PATHS = shown(typer.Argument(None, metavar="PATH", help="Manifest files and directories.", show_default=False))
PRUNE = typer.Option(False, "--prune", help="Delete objects of the stack that no manifest declares.")
ADOPT = typer.Option(False, "--adopt", help="Adopt declared objects that exist and belong to no stack.")
MAX_DELETES = shown(
    typer.Option(None, "--max-deletes", min=0, help="Refuse to delete or replace more objects than this.")
)
MAX_COST = shown(
    typer.Option(
        None,
        "--max-cost",
        metavar="USD[/h|/mo]",
        help="Refuse to let the stack cost more than this, by the hour or by the month of 730 hours.",
    )
)
PLAN_KEY = typer.Option(None, "--plan-key", help="File with the key that saved plans are signed with.")
ALLOW_INCOMPLETE = shown(
    typer.Option(
        [],
        "--allow-incomplete",
        metavar="KIND",
        help="Plan although this kind cannot be listed. May be repeated.",
    )
)
TARGET = shown(
    typer.Option(
        [],
        "--target",
        metavar="GLOB",
        help="Plan only objects with such an address, as edge/workers or cloudspace/*. May be repeated.",
    )
)
EXCLUDE = shown(
    typer.Option([], "--exclude", metavar="GLOB", help="Plan without objects with such an address. May be repeated.")
)
APPROVE = shown(
    typer.Option(
        None,
        "--approve",
        metavar="DIGEST",
        help="Apply without asking if the plan is the one with this digest; refuse any other.",
    )
)
UNDO = shown(
    typer.Option(None, "--undo", metavar="RUN", min=1, help="Take back what this run did. Needs no manifests.")
)
VARIABLE = typer.Option([], "--var", metavar="NAME=VALUE", help="Set the value of ${var:NAME}. May be repeated.")
VARIABLE_FILE = shown(
    typer.Option(
        [],
        "--var-file",
        metavar="FILE",
        help="YAML or JSON file with values of variables. May be repeated; a later one wins, and --var over all.",
    )
)
WAIT = shown(
    typer.Option("ready", "--wait", metavar="WHAT", help="What to wait for after each step: ready, accepted or none.")
)
WAIT_TIMEOUT = shown(
    typer.Option(
        WAIT_SECONDS, "--wait-timeout", min=0, metavar="SECONDS", help="Maximum seconds to wait for each object."
    )
)
DEADLINE = shown(
    typer.Option(None, "--deadline", min=0, metavar="SECONDS", help="Start no further changes after this many seconds.")
)
EVERY_EVENT = typer.Option(False, "--verbose-events", help="Print every event, also of a run of many steps.")
PARALLELISM = shown(typer.Option(8, "--parallelism", min=1, max=64, help="Maximum number of steps at the same time."))


def fresh_session() -> CliSession:
    """The session with the response cache bypassed: plans must see the current state."""
    cli = session()
    cli.fresh = True
    return cli


def reporting_session(*, findings: bool = False) -> CliSession:
    """The same for a command that prints plans and runs, which have output formats of their own.

    findings: whether it can print what is wrong alone, as `plan` can, which writes nothing
    """
    cli = fresh_session()
    cli.writes = not findings
    cli.only([*REPORTS, *FINDINGS] if findings else REPORTS)
    return cli


def load_manifests(
    cli: CliSession,
    paths: list[Path] | None,
    var: list[str],
    var_file: list[Path],
    *,
    everywhere: bool = False,
    may_be_empty: bool = False,
) -> ManifestSet:
    """The manifests at these paths. Their Stack sets the profile and organization, unless options do.

    everywhere: whether their fields may have the text of any file: their plan was made before
    may_be_empty: whether a Stack alone will do
    """
    from rsspot.manifests.parse import load

    if not paths:
        raise UsageError("no manifests given", hint="give files or directories, such as manifests/")
    manifests = load(
        paths,
        variables=variables_of(var),
        variable_files=var_file,
        region=lambda profile: _region(cli, profile),
        strict=True,
        everywhere=everywhere,
        may_be_empty=may_be_empty,
    )
    cli.options.organization = cli.options.organization or manifests.organization
    cli.options.profile = cli.options.profile or manifests.profile
    return manifests


def _region(cli: CliSession, profile: str | None) -> Default | None:
    """The region that the settings choose for new objects, with its source. profile: the one that the Stack names"""
    from rsspot.manifests.manifest import Default

    cli.options.profile = cli.options.profile or profile
    resolved = cli.resolve_again()
    setting = resolved.settings.get("region")
    return Default(str(setting.value), f"region from {setting.source}") if setting else None


def plan_options(
    *,
    prune: bool,
    adopt: bool,
    max_deletes: int | None,
    allow_incomplete: list[str],
    target: list[str],
    exclude: list[str],
) -> PlanOptions:
    """What a plan may do, and what it is about. Raises UsageError for a kind that there is not."""
    from rsspot.planner.options import PlanOptions
    from rsspot.resources.registry import kinds

    by_word = {word.lower(): kind.name for kind in kinds().values() for word in (kind.name, kind.plural)}
    for word in allow_incomplete:
        if word.lower() not in by_word:
            raise UsageError(f"--allow-incomplete: no kind {word!r}", hint=did_you_mean(word, by_word))
    allowed = frozenset(by_word[word.lower()] for word in allow_incomplete)
    return PlanOptions(
        prune=prune,
        adopt=adopt,
        most_deletes=max_deletes,
        allow_incomplete=allowed,
        target=tuple(target),
        exclude=tuple(exclude),
    )


def with_max_cost(options: PlanOptions, max_cost: str | None, manifests: ManifestSet) -> PlanOptions:
    """The options with the limit of --max-cost, beside those of the Stack. Raises UsageError for what is no amount."""
    if max_cost is None:
        return options
    from dataclasses import replace

    from rsspot.models.costs import MONTH
    from rsspot.models.money import parse_price
    from rsspot.planner.options import SpendingLimit
    from rsspot.workflows.prices import measure_of

    amount, slash, unit = max_cost.partition("/")
    hours = {"": 1, "/h": 1, "/mo": MONTH}.get(slash + unit)
    try:
        price = parse_price(amount)
    except ValueError:
        price = None
    if price is None or hours is None:
        raise UsageError(f"--max-cost: {max_cost!r} is no amount", hint="write dollars such as 0.50/h or 300/mo")
    limit = SpendingLimit(price, hours, measure_of(manifests), "--max-cost")
    return replace(options, spending=(*options.spending, limit))


def apply_options_of(wait: str, timeout: float, parallel: int, deadline: float | None) -> ApplyOptions:
    """How a run waits and when it stops. Raises UsageError for a word that --wait does not take."""
    from rsspot.applier.options import ApplyOptions

    if session().options.output == "yaml":
        raise UsageError("the events of a run cannot be printed as YAML", hint="leave -o yaml out, or use -o json")
    if wait not in ("ready", "accepted", "none"):
        raise UsageError(f"--wait takes ready, accepted or none, not {wait!r}")
    return ApplyOptions(wait=wait, wait_timeout=timeout, parallel=parallel, deadline=deadline)


def stack_name(name: str) -> str:
    """A name as the name of a stack. Raises UsageError for one that no stack can have."""
    if not DNS_LABEL.fullmatch(name):
        raise UsageError(f"{name!r} is not a valid stack name", hint="use lowercase letters, digits and hyphens")
    return name
