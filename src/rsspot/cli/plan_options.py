"""The options of planning, and what is made of them. Runs no command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rsspot.cli.session import CliSession, session
from rsspot.cli.variables import variables_of
from rsspot.cli_history import shown
from rsspot.errors import UsageError
from rsspot.models.refs import DNS_LABEL
from rsspot.reports.registry import FINDINGS, PLAN_FORMATS, REPORTS, SHORT_NAMES
from rsspot.utils.text import did_you_mean

if TYPE_CHECKING:
    from rsspot.manifests.manifest import Default, ManifestSet
    from rsspot.planner.options import PlanOptions

PATHS = shown(typer.Argument(None, metavar="PATH", help="Manifest files and directories.", show_default=False))
PLAN_KEY = typer.Option(None, "--plan-key", help="File with the key that saved plans are signed with.")
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
ADOPT = typer.Option(False, "--adopt", help="Adopt declared objects that exist and belong to no stack.")


@dataclass(frozen=True)
class GivenVariables:
    """Values of variables."""

    var: list[str] = VARIABLE
    var_file: list[Path] = VARIABLE_FILE


@dataclass(frozen=True)
class PlanFlags:
    """What a plan may do, and what it is about."""

    prune: bool = typer.Option(False, "--prune", help="Delete objects of the stack that no manifest declares.")
    adopt: bool = ADOPT
    max_deletes: int | None = shown(
        typer.Option(None, "--max-deletes", min=0, help="Refuse to delete or replace more objects than this.")
    )
    max_cost: str | None = shown(
        typer.Option(
            None,
            "--max-cost",
            metavar="USD[/h|/mo]",
            help="Refuse to let the stack cost more than this, by the hour or by the month of 730 hours.",
        )
    )
    allow_incomplete: list[str] = shown(
        typer.Option(
            [],
            "--allow-incomplete",
            metavar="KIND",
            help="Plan although this kind cannot be listed. May be repeated.",
        )
    )
    target: list[str] = shown(
        typer.Option(
            [],
            "--target",
            metavar="GLOB",
            help="Plan only objects with such an address, as edge/workers or cloudspace/*. May be repeated.",
        )
    )
    exclude: list[str] = shown(
        typer.Option(
            [], "--exclude", metavar="GLOB", help="Plan without objects with such an address. May be repeated."
        )
    )

    @property
    def selective(self) -> bool:
        """Whether it is about a part only, or may do more than a plain plan."""
        return bool(self.prune or self.adopt or self.target or self.exclude)


def fresh_session() -> CliSession:
    """The session with the response cache bypassed: plans must see the current state."""
    cli = session()
    cli.fresh = True
    return cli


def reporting_session(*, findings: bool = False) -> CliSession:
    """The same for a command that prints plans and runs, which have output formats of their own.

    findings: whether it can print a plan or what is wrong alone, as `plan` can, which writes nothing
    """
    cli = fresh_session()
    cli.writes = not findings
    cli.only(dict.fromkeys([*REPORTS, *PLAN_FORMATS, *SHORT_NAMES, *FINDINGS]) if findings else REPORTS)
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
        region=lambda profile: region_of_settings(cli, profile),
        strict=True,
        everywhere=everywhere,
        may_be_empty=may_be_empty,
    )
    cli.options.organization = cli.options.organization or manifests.organization
    cli.options.profile = cli.options.profile or manifests.profile
    cli.options.ledger = cli.options.ledger or manifests.stack_spec.ledger
    return manifests


def region_of_settings(cli: CliSession, profile: str | None) -> Default | None:
    """The region that the settings choose for new objects, with its source. profile: the one that the Stack names"""
    from rsspot.manifests.manifest import Default

    cli.options.profile = cli.options.profile or profile
    resolved = cli.resolve_again()
    setting = resolved.settings.get("region")
    return Default(str(setting.value), f"region from {setting.source}") if setting else None


def plan_options(flags: PlanFlags) -> PlanOptions:
    """What a plan may do, and what it is about. Raises UsageError for a kind that there is not."""
    from rsspot.planner.options import PlanOptions
    from rsspot.resources.registry import kinds

    by_word = {word.lower(): kind.name for kind in kinds().values() for word in (kind.name, kind.plural)}
    for word in flags.allow_incomplete:
        if word.lower() not in by_word:
            raise UsageError(f"--allow-incomplete: no kind {word!r}", hint=did_you_mean(word, by_word))
    allowed = frozenset(by_word[word.lower()] for word in flags.allow_incomplete)
    return PlanOptions(
        prune=flags.prune,
        adopt=flags.adopt,
        most_deletes=flags.max_deletes,
        allow_incomplete=allowed,
        target=tuple(flags.target),
        exclude=tuple(flags.exclude),
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


def stack_name(name: str) -> str:
    """A name as the name of a stack. Raises UsageError for one that no stack can have."""
    if not DNS_LABEL.fullmatch(name):
        raise UsageError(f"{name!r} is not a valid stack name", hint="use lowercase letters, digits and hyphens")
    return name
